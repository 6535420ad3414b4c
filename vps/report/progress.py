"""A progress bar for searches: on stderr, or in a notebook's cell."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

from tqdm.auto import tqdm

from vps.core.notebooks import in_notebook
from vps.engine.budget import Progress

ShowProgress = Callable[[Progress], None]


def disabled(quiet: bool) -> bool | None:
    """What tqdm takes as `disable`: there is no bar without a terminal (None) or a notebook."""
    return True if quiet else (False if in_notebook() else None)


@contextlib.contextmanager
def progress_bar(
    name: str,
    total: int | None,
    *,
    quiet: bool = False,
    cost: Callable[[float], str] | None = None,
) -> Iterator[Callable[[Progress], None]]:
    """A bar with passes, rate, time left, and the AUCs of the best order so far.

    Args:
        name: stands before the bar.
        total: passes that are expected; None where that is not known.
        quiet: no bar at all; there is none either where nobody looks, see `disabled`.
        cost: from the seconds of a pass, known after the first batch, what all will cost; that is
            told once, without a terminal, too.

    Yields:
        The `progress` of a `vps.engine.budget.Budget`.
    """
    start, told = time.monotonic(), quiet
    with tqdm(desc=name, total=total, unit=" passes", disable=disabled(quiet)) as bar:

        def show(progress: Progress) -> None:
            nonlocal told
            if cost is not None and not told and progress.passes > 0:
                told = True
                seconds = (time.monotonic() - start) / progress.passes
                tqdm.write(f"{name}: {cost(seconds)}", file=sys.stderr)
            # NaN, which is not equal to itself, as long as no curve is known.
            if progress.insertion_auc == progress.insertion_auc:
                bar.set_postfix_str(
                    f"insertion {progress.insertion_auc:.3f}, deletion {progress.deletion_auc:.3f}",
                    refresh=False,
                )
            bar.update(progress.passes - bar.n)

        yield show

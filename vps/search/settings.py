"""How much a search may spend, and which one suits a detector."""

from __future__ import annotations

import time
from numbers import Integral, Real

import numpy as np

from vps.core.names import choose
from vps.engine.budget import Budget, Stopped
from vps.engine.passes import Passes
from vps.errors import InputError
from vps.search import SEARCHES, Search

EFFORTS = {"fast": 0.15, "balanced": 0.20, "high": 0.30}
"""Budgets by name, as shares of the m (m + 1) passes of the paper's greedy search."""

AUTO = "auto"
"""Stands for the one of `path_search` and `top_k` that suits the detector's batch speed-up."""

BUDGETED = (AUTO, "path_search", "sampled_search", "top_k")
"""Searches that can use any number of passes; the others end by themselves."""

HOLDING = ("sampled_search",)
"""Of these, the ones that hold passes back for their end, and so are told their budget."""

_LEAST_PER_REGION = 8  # passes; what the first round and the first two or three orders need
_WORTH_BATCHING = 1.5


def check_search(search: str, effort: str, budget: int | float | None) -> None:
    """Raise InputError for a search, an effort or a budget that does not exist."""
    choose({AUTO: None, **SEARCHES}, search, "search")
    choose(EFFORTS, effort, "effort")
    passes = isinstance(budget, Integral) and not isinstance(budget, bool)
    if budget is not None and not isinstance(budget, Real):
        raise InputError(f"a budget is a number, got {budget!r}")
    if budget is not None and not (budget > 0 if passes else 0 < budget <= 1):
        raise InputError(
            "a budget is a whole number of passes, or a share of greedy's in (0, 1] with a decimal "
            f"point; got {budget}"
        )


def passes_allowed(
    search: str, effort: str, budget: int | float | None, regions: int, targets: int = 1
) -> int | None:
    """The most passes for all targets of an image; None for no limit.

    Args:
        search: only searches that can use any budget are limited by the effort.
        effort: a key of `EFFORTS`, but at least 8 m passes; says nothing where a budget is given.
        budget: passes for all targets together; or, as a float, a share of m (m + 1) for one
            target, and half of that for each further one, which profits from the others' passes.
        regions: m.
        targets: how many there are.
    """
    if isinstance(budget, Integral):
        return int(budget)
    if budget is None and search not in BUDGETED:
        return None
    greedy = regions * (regions + 1)
    if budget is None:
        # With few regions a share of greedy's passes would not even get a search started.
        share = choose(EFFORTS, effort, "effort")
        one = max(share * greedy, min(_LEAST_PER_REGION * regions, greedy))
    else:
        one = budget * greedy
    return round(one * (1 + targets) / 2)


def find_search(
    name: str, source: Passes, limit: int | None = None, budget: Budget | None = None
) -> tuple[str, Search]:
    """The search of a name; for "auto", the one that suits the detector.

    Where a batch takes about as long as its images one by one, `top_k` gets most out of each
    pass; where batches are fast, `path_search` needs few of them. The passes that this is
    measured on are those that both ask for first.

    Raises:
        InputError: for "auto", a limit that is below what both ask for first.
    """
    if name == AUTO:
        least = min(source.regions.count + 2, 2**source.regions.count)
        if limit is not None and limit < least:
            raise InputError(
                f"a budget of {limit} passes is too small: the first round alone needs {least}"
            )
        try:
            fast = _batch_speed_up(source, budget or Budget()) >= _WORTH_BATCHING
        except Stopped:
            # The search that follows is stopped at once, too.
            fast = False
        name = "path_search" if fast else "top_k"
    return name, SEARCHES[name]


def _batch_speed_up(source: Passes, budget: Budget) -> float:
    """Seconds of a pass alone over seconds of a pass in a full batch; 1 if it cannot be told."""
    count = source.regions.count
    hidden = ~np.eye(count, dtype=bool)
    size = min(source.batch_size, count - 3)
    if size < 2:
        return 1.0
    source.show(hidden[:1], budget)  # the first pass may take longer than any other
    alone = min(_seconds(source, hidden[k : k + 1], budget) for k in (1, 2))
    starts = range(3, count - size + 1, size)[:2]
    together = min(_seconds(source, hidden[start : start + size], budget) for start in starts)
    return alone * size / together


def _seconds(source: Passes, keep: np.ndarray, budget: Budget) -> float:
    start = time.perf_counter()
    source.show(keep, budget)
    return time.perf_counter() - start

"""How far a run is: counts, rate, time left, and running means, in constant memory."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from tqdm.auto import tqdm

from vps.report.progress import disabled
from vps.study.replies import Reply


@dataclass
class Means:
    """Running means of insertion and deletion over n cases."""

    n: int = 0
    insertion: float = 0.0
    deletion: float = 0.0

    def add(self, insertion: float, deletion: float) -> None:
        """Take one more case into account."""
        self.n += 1
        self.insertion += (insertion - self.insertion) / self.n
        self.deletion += (deletion - self.deletion) / self.n


@dataclass
class StudyProgress:
    """How far a run is; a case counts once, when all of its methods have been tried.

    Attributes:
        planned: cases of the run, or of its shard.
        done: cases with all results.
        failed: cases of which at least one method failed.
        skipped: cases whose image cannot be read.
        computed: cases that this start has worked on, the failed ones included.
        results: results that this start has added, one a case and method.
        start: when it began, `time.perf_counter()`.
        means: by method.
    """

    planned: int
    done: int = 0
    failed: int = 0
    skipped: int = 0
    computed: int = 0
    results: int = 0
    start: float = field(default_factory=time.perf_counter)
    means: dict[str, Means] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.perf_counter() - self.start

    @property
    def rate(self) -> float:
        """Cases a second, without those that were there before; 0 before the first."""
        return self.computed / max(self.seconds, 1e-9)

    @property
    def seen(self) -> int:
        """Cases that are finished in one way or another."""
        return self.done + self.failed + self.skipped

    @property
    def left(self) -> float | None:
        """Seconds until the end at this rate; None before the first case."""
        return (self.planned - self.seen) / self.rate if self.computed else None

    def add_done(self, aucs: Mapping[str, tuple[float, float]]) -> None:
        """A case whose results were all there before."""
        self.done += 1
        self._add_aucs(aucs)

    def add(self, reply: Reply) -> None:
        """A case that was worked on."""
        self.computed += 1
        statuses = list(reply.statuses.values())
        self.results += statuses.count("done")
        if "failed" in statuses:
            self.failed += 1
        elif "skipped" in statuses:
            self.skipped += 1
        else:
            self.done += 1
        self._add_aucs(reply.aucs)

    def summary(self) -> StudySummary:
        """What the run came to, when it has ended."""
        return StudySummary(
            self.planned,
            self.done,
            self.failed,
            self.skipped,
            self.computed,
            self.results,
            self.seconds,
        )

    def _add_aucs(self, aucs: Mapping[str, tuple[float, float]]) -> None:
        for method, (insertion, deletion) in aucs.items():
            self.means.setdefault(method, Means()).add(insertion, deletion)


@dataclass(frozen=True)
class StudySummary:
    """What a run came to; cases as in `StudyProgress`.

    Attributes:
        planned, done, failed, skipped, computed, results: see `StudyProgress`.
        seconds: of this start.
    """

    planned: int
    done: int
    failed: int
    skipped: int
    computed: int
    results: int
    seconds: float

    @property
    def exit_code(self) -> int:
        """0, or 1 where a case failed."""
        return 1 if self.failed else 0


@contextlib.contextmanager
def case_bar(name: str, *, quiet: bool = False) -> Iterator[Callable[[StudyProgress], None]]:
    """A bar on stderr with cases, rate, time left, failures, and means of each method.

    Args:
        name: stands before the bar.
        quiet: no bar at all; there is none either where nobody looks, i.e. without a terminal.

    Yields:
        What `vps.study.run` takes as `show`.
    """
    with tqdm(desc=name, unit=" cases", disable=disabled(quiet)) as bar:

        def show(progress: StudyProgress) -> None:
            bar.total = progress.planned
            # Cases that were there before would make the rate look better than it is.
            bar.initial = progress.seen - progress.computed
            notes = [
                f"{method} {means.insertion:.3f}/{means.deletion:.3f}"
                for method, means in progress.means.items()
            ]
            lost = {"failed": progress.failed, "skipped": progress.skipped}
            notes += [f"{count} {what}" for what, count in lost.items() if count]
            bar.set_postfix_str(", ".join(notes), refresh=False)
            bar.update(progress.seen - bar.n)

        yield show

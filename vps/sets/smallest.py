"""The smallest set of regions that attains a goal, shown alone or hidden."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, combinations, islice
from typing import Generic, Protocol, TypeVar

import numpy as np

from vps.engine.budget import Budget, Stopped, StopReason
from vps.engine.curves import prefixes
from vps.errors import DetectorError

_BEAM, _EXTENSIONS, _DEPTH = 4, 16, 8
_PATIENCE = 2  # depths of the beam that come no nearer
_STRIDE = 4  # every which prefix of an order is tried first
_MOST = 4096
"""Passes where no number is given: all subsets of 12 regions."""


Said = TypeVar("Said")
SaidOut = TypeVar("SaidOut", covariant=True)


class SubsetSource(Protocol[SaidOut]):
    """What the search asks; `vps.engine.passes.SubsetPasses` is one."""

    count: int
    batch_size: int

    @property
    def passes(self) -> int:
        """Made so far."""
        ...

    @property
    def subsets(self) -> np.ndarray:
        """(k, count) bool, all that has been seen."""
        ...

    @property
    def seen(self) -> SaidOut:
        """What was said of them."""
        ...

    def new(self, keep: np.ndarray) -> np.ndarray:
        """(K,) bool: which subsets still need a pass."""
        ...

    def show(self, keep: np.ndarray, budget: Budget) -> None:
        """Make the passes that subsets need, as long as the budget lets a batch begin."""
        ...

    def evaluate(self, keep: np.ndarray) -> SaidOut:
        """What is said of (K, count) subsets."""
        ...


@dataclass(frozen=True, eq=False)
class SmallestSet:
    """What the search for a smallest set came to.

    Attributes:
        regions: (k,) int64, ascending; None where no set was found that attains the goal.
        exact: every set of fewer regions was tried and fails (for None: every set), so that this
            is the smallest one, whatever the score is like.
        passes: that the search added.
        stopped: why it ended; BUDGET leaves the set irreducible, but where the budget's `left`
            came to its end; after that, and after what is `early`, a region may be in it that is
            not needed.
        error: what the detector failed with.
    """

    regions: np.ndarray | None
    exact: bool
    passes: int
    stopped: StopReason = StopReason.FINISHED
    error: DetectorError | None = None


def smallest_set(
    source: SubsetSource[Said],
    goal: Callable[[Said], tuple[np.ndarray, np.ndarray]],
    orders: Sequence[np.ndarray] = (),
    *,
    hide: bool,
    budget: Budget | None = None,
) -> SmallestSet:
    """A set of regions that attains a goal, as small as the passes allow.

    It starts from a short prefix of each order that attains the goal, from the smallest set
    that the source has seen attain it, and from sets that grow region by region towards it (a
    beam); then it leaves out what is not needed, each time verified by passes, until no single
    region can be left out; then it looks for a set of one region less among the most promising
    regions. Guaranteed are

    - irreducibility: without any one of its regions, the set fails;
    - where `SmallestSet.exact`, the fewest regions of all. With 12 regions at most and no limit of
      passes, that is always so; with more, mostly for sets of one region (as many as can be tried
      in full).

    Args:
        source: shows subsets; what it has seen costs no pass.
        goal: what is to be attained, see `vps.sets.goals`, by what the source says.
        orders: (m,) each, all regions, those that are likely in the set first.
        hide: whether the set is hidden and the rest shown, or it is shown alone.
        budget: its passes are about the most to add; without, 4096. What a set that was found
            needs to be made irreducible is not cut short: k passes or two a round, and seldom more
            than 3 rounds.

    Returns:
        The best set so far also after Ctrl-C, which ends the search and not the program, and when
        the detector fails.
    """
    return _SetSearch(source, goal, hide, (budget or Budget()).started()).run(orders)


class _SetSearch(Generic[Said]):
    """Members are (K, m) bool, one set a row, whether they are shown or hidden.

    The arguments are those of `smallest_set`.
    """

    def __init__(
        self,
        source: SubsetSource[Said],
        goal: Callable[[Said], tuple[np.ndarray, np.ndarray]],
        hide: bool,
        budget: Budget,
    ) -> None:
        self._source, self._goal, self._hide, self._budget = source, goal, hide, budget
        self._count = source.count
        self._start = source.passes
        self._limit = _MOST if budget.passes is None else budget.passes
        self._best: np.ndarray | None = None
        self._rough: np.ndarray | None = None  # attains the goal, but may not need all it has
        self._tried = -1  # all sets of up to so many regions fail
        self._nearness = np.zeros(self._count)  # of the sets of one region

    def run(self, orders: Sequence[np.ndarray]) -> SmallestSet:
        try:
            return self._answer(self._look_within_limit(orders))
        except Stopped as stop:
            return self._answer(stop.reason)
        except KeyboardInterrupt:
            return self._answer(StopReason.INTERRUPTED)
        except DetectorError as error:
            return self._answer(StopReason.FAILED, error)

    def _look_within_limit(self, orders: Sequence[np.ndarray]) -> StopReason:
        try:
            self._look(orders)
        except Stopped as stop:
            if stop.reason is not StopReason.BUDGET:
                raise
            if self._best is None and self._rough is not None:
                self._prune(self._rough, bounded=False)
            return stop.reason
        return StopReason.FINISHED

    def _look(self, orders: Sequence[np.ndarray]) -> None:
        starts = self._known()
        empty = np.zeros((1, self._count), bool)
        if self._judge(empty)[0][0]:
            self._best = empty[0]
            return
        self._tried = 0
        starts += self._prefixes(orders)
        self._try_all(1)
        if self._best is not None:
            return
        singles = [np.argsort(-self._nearness, kind="stable")]
        starts = sorted([*starts, *self._prefixes(singles)], key=lambda start: start.sum())
        # The first, at least, is seen through to its end; a longer one may still shrink further.
        for number, start in enumerate(starts):
            self._prune(start, bounded=number > 0)
        self._grow(singles[0])
        self._exchange()
        size = 2
        while self._fewer_than(size) and self._left() >= self._to_try(size):
            self._try_all(size)
            size += 1

    def _answer(self, stopped: StopReason, error: DetectorError | None = None) -> SmallestSet:
        passes = self._source.passes - self._start
        if self._rough is not None and (stopped.early or self._best is None):
            self._keep(self._rough)
        if self._best is None:
            return SmallestSet(None, self._tried == self._count, passes, stopped, error)
        exact = self._tried == int(self._best.sum()) - 1
        return SmallestSet(np.flatnonzero(self._best), exact, passes, stopped, error)

    def _judge(self, members: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        shown = self._shown(members)
        self._source.show(shown, self._budget)
        return self._goal(self._source.evaluate(shown))

    def _ask(self, members: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The same where it can be afforded; otherwise the end."""
        if self._source.new(self._shown(members)).sum() > self._left():
            raise Stopped(StopReason.BUDGET)
        return self._judge(members)

    def _shown(self, members: np.ndarray) -> np.ndarray:
        return ~members if self._hide else members

    def _left(self) -> int:
        return self._limit - (self._source.passes - self._start)

    def _fewer_than(self, size: int) -> bool:
        """Whether a set of that size would be news."""
        return size <= self._count and (self._best is None or size < self._best.sum())

    def _keep(self, members: np.ndarray) -> None:
        if self._fewer_than(int(members.sum())):
            self._best = members

    def _known(self) -> list[np.ndarray]:
        """The smallest set that was seen to attain the goal before this search began, if any."""
        subsets = self._source.subsets[self._goal(self._source.seen)[0]]
        members = ~subsets if self._hide else subsets
        return [self._as_start(members[np.argmin(members.sum(axis=1))])] if len(members) else []

    def _as_start(self, members: np.ndarray) -> np.ndarray:
        if self._rough is None or members.sum() < self._rough.sum():
            self._rough = members
        return members

    def _prefixes(self, orders: Sequence[np.ndarray]) -> list[np.ndarray]:
        """A prefix of each order that attains the goal, the shortest as a rule.

        Every fourth is tried, and then the three before the first that attains it; all others
        where none does, for a longer prefix need not do what a shorter one does.
        """
        starts = []
        for order in orders:
            members = prefixes(order)
            ok, _ = self._ask(members[::_STRIDE])
            if ok.any():
                first = _STRIDE * int(np.argmax(ok))
                self._as_start(members[first])  # The passes may not do for shorter ones.
                members = members[max(first - _STRIDE + 1, 0) : first + 1]
            ok, _ = self._ask(members)
            if ok.any():
                starts.append(self._as_start(members[np.argmax(ok)]))
        return starts

    def _prune(self, members: np.ndarray, *, bounded: bool) -> None:
        """Leave out regions until each that is left is needed."""
        judge = self._ask if bounded else self._judge
        self._rough = members = members.copy()
        while True:
            inside = np.flatnonzero(members)
            fewer = np.repeat(members[None], len(inside), axis=0)
            fewer[np.arange(len(inside)), inside] = False
            ok, nearness = judge(fewer)
            if not ok.any():
                break
            # Several at a time, those first that are missed least: halves, quarters, ..., one.
            free = inside[ok][np.argsort(-nearness[ok], kind="stable")]
            counts = sorted({max(len(free) >> n, 1) for n in range(len(free).bit_length())})
            without = np.repeat(members[None], len(counts), axis=0)
            for row, count in zip(without, counts, strict=True):
                row[free[:count]] = False
            done, _ = judge(without)
            self._rough = members = without[np.flatnonzero(done)[-1]]
        self._keep(members)

    def _grow(self, singles: np.ndarray) -> None:
        """Sets that grow from the most promising single regions, a few at a time."""
        pool = singles[:_EXTENSIONS]
        beam = np.eye(self._count, dtype=bool)[singles[:_BEAM]]
        nearest, stale = self._nearness.max(), 0
        for size in range(2, _DEPTH + 1):
            if not self._fewer_than(size) or stale == _PATIENCE:
                return
            grown = np.repeat(beam, len(pool), axis=0)
            grown[np.arange(len(grown)), np.tile(pool, len(beam))] = True
            grown = np.unique(grown[grown.sum(axis=1) == size], axis=0)
            if not len(grown):
                return
            ok, nearness = self._ask(grown)
            if ok.any():
                # Smaller than any known; without a region, it may still do.
                best = np.argmax(np.where(ok, nearness, -np.inf))
                self._prune(grown[best], bounded=False)
                return
            order = np.argsort(-nearness, kind="stable")
            beam = grown[order[:_BEAM]]
            stale = stale + 1 if nearness[order[0]] <= nearest else 0
            nearest = max(nearest, nearness[order[0]])

    def _exchange(self) -> None:
        """Sets of one region less, of the regions in the best set and the most promising ones."""
        while self._best is not None and self._best.sum() > 2:
            size = int(self._best.sum()) - 1
            likely = self._nearness + np.where(self._best, np.ptp(self._nearness) + 1, 0)
            ranked = np.argsort(-likely, kind="stable")
            room = min(self._left() // 2, 8 * self._count)
            fits = [n for n in range(size + 1, self._count + 1) if math.comb(n, size) <= room]
            if not fits or not self._try(combinations(ranked[: fits[-1]], size)):
                return

    def _to_try(self, size: int) -> int:
        """How many sets of a size have not been seen yet."""
        sizes = self._source.subsets.sum(axis=1)
        shown = self._count - size if self._hide else size
        return math.comb(self._count, size) - int((sizes == shown).sum())

    def _try_all(self, size: int) -> None:
        found = self._try(combinations(range(self._count), size))
        if not found:
            self._tried = size

    def _try(self, sets: Iterator[tuple[int, ...]]) -> bool:
        """Whether one of these sets attains the goal; the nearest of a chunk is kept."""
        while chunk := list(islice(sets, 256)):
            members = np.zeros((len(chunk), self._count), bool)
            rows = np.repeat(np.arange(len(chunk)), len(chunk[0]))
            members[rows, list(chain.from_iterable(chunk))] = True
            ok, nearness = self._ask(members)
            if len(chunk[0]) == 1:
                self._nearness[np.argmax(members, axis=1)] = nearness
            if ok.any():
                self._prune(members[np.argmax(np.where(ok, nearness, -np.inf))], bounded=False)
                return True
        return False

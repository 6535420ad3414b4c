"""Phases that measure all regions, then only a window of the promising ones (PhaseWin)."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from vps.core.numbers import check_range, check_whole
from vps.core.schema import check_fields
from vps.engine.objective import Objective
from vps.search.greedy import added
from vps.search.orders import with_complements
from vps.search.protocol import Round, Rounds, measure_round

_MOST_IN_WINDOW = 100_000
_LEAST_SELECT = 0.01  # with none at all, a phase would go on where nothing gains

Measuring = Generator[Round, bool, bool]
"""Yields rounds, and returns whether all that they asked for is known."""


@dataclass(frozen=True)
class Phases:
    """How phases choose; gains are F(S + a) - F(S) of regions a not in S yet.

    Attributes:
        window: the most regions measured again before one is taken, at least 1.
        prune: regions below this share of the best gain, in [0, 1], are left to the end.
        select: regions reach the window from this share of the best gain on, in [0.01, 1]; a
            phase ends when none in the window does any more.
        accept: of the window, all are taken from this share of its best gain on, in [0, 1].
        falling: a phase ends, too, when gains fall faster than before by more than this:
            g_(t-1) / g_t - g_(t-2) / g_(t-1), at least 0.
        hold: the region that shows it is taken where g_t reaches this share of g_(t-1), at least 0;
            from above 1 on, never.
        temperature: how readily a region near `select` is put off when the window is filled up, in
            units of F; it may be put off once a phase. 0 puts none off.
        cooling: the next phase's temperature in terms of this one's, in [0, 1].

    Raises:
        InputError: a value out of range.
    """

    window: int = 16
    prune: float = 0.05
    select: float = 0.6
    accept: float = 0.99
    falling: float = 0.02
    hold: float = 0.98
    temperature: float = 0.5
    cooling: float = 0.85

    def __post_init__(self) -> None:
        check_fields(self)
        check_whole("window", self.window, 1, _MOST_IN_WINDOW)
        check_range("select", self.select, _LEAST_SELECT, 1)
        for name in ("prune", "accept", "cooling"):
            check_range(name, getattr(self, name), 0, 1)
        for name in ("falling", "hold", "temperature"):
            check_range(name, getattr(self, name))


PUBLISHED = Phases()


def phase_window(objective: Objective, seed: int = 0, /, settings: Phases = PUBLISHED) -> Rounds:
    """Greedy in phases: the best of all regions, then the best of a window of promising ones.

    PhaseWin (Gu, Chen et al., "PhaseWin Search Framework Enable Efficient Object-Level
    Interpretation", CVPR 2026). A phase

    1. measures all regions and takes the best, its anchor;
    2. measures the others again; those with little gain are left to the end (pruning), those with
       much stand in a queue by their gain;
    3. fills a window from the queue, measures the window only, takes its best, and again, until no
       gain in the window is large enough, or gains fall too fast (supervision). A region from the
       queue may be put off with the probability sigmoid((least - gain) / T), where T cools from
       phase to phase (annealing).

    Where no region gains, all that are left follow by their gain. With F submodular, the window
    wide enough for the queue, `prune` 0 and one region taken at a time, the order is greedy's: what
    is outside the window gained too little before, and gains only shrink. Never more passes than
    greedy takes.

    The settings are those of the authors' code for Grounding DINO, and the paper's window of 16.
    Different here: their code puts regions off with the probability 1/2, whatever they gain; here
    it depends on it. Regions taken together are taken by their gain. In the end, theirs measures
    the pruned regions after all others have been taken; here both are ordered by their gain at the
    same S.

    Stopped early, the remaining regions follow by their gain as last measured.
    """
    count = objective.regions.count
    growing, pool = _Growing(objective), np.arange(count)
    rng, temperature = np.random.default_rng(seed), settings.temperature
    while len(pool):
        if not (yield from growing.measure(pool)):
            return growing.order
        pool = growing.ranked(pool)
        if growing.gains[pool[0]] <= 0:
            break
        growing.take(pool[0])
        pool = np.sort(pool[1:])
        if not (yield from growing.measure(pool)):
            return growing.order
        best = growing.gains[pool].max(initial=0)
        if best > 0:
            pool = pool[growing.gains[pool] >= settings.prune * best]
            queue = growing.ranked(pool[growing.gains[pool] >= settings.select * best])
            phase = _Phase(growing, queue, settings.select * best, settings, rng, temperature)
            if not (yield from phase.run()):
                return growing.order
            pool = np.setdiff1d(pool, growing.chosen)
        temperature *= settings.cooling
    if not (yield from growing.measure(np.setdiff1d(np.arange(count), growing.chosen))):
        return growing.order
    yield measure_round(growing.order)
    return growing.order


class _Growing:
    """The set S that grows, and what each region adds to F, as last measured."""

    def __init__(self, objective: Objective) -> None:
        self._objective = objective
        self.chosen = np.empty(0, np.int64)
        self.gains = np.zeros(objective.regions.count)

    @property
    def order(self) -> np.ndarray:
        """(m,) the regions in S, then the others by their gain."""
        left = np.setdiff1d(np.arange(len(self.gains)), self.chosen)
        return np.concatenate([self.chosen, self.ranked(left)])

    def ranked(self, regions: np.ndarray) -> np.ndarray:
        """By gain; of equals, the lower index first."""
        regions = np.sort(regions)
        return regions[np.argsort(-self.gains[regions], kind="stable")]

    def take(self, region: int) -> None:
        """Add a region to S; no gain is measured anew."""
        self.chosen = np.append(self.chosen, region)

    def measure(self, regions: np.ndarray) -> Measuring:
        """Let F(S + a) - F(S) of some regions be known."""
        count = len(self.gains)
        same = np.isin(np.arange(count), self.chosen)[None]
        keep = np.concatenate([same, added(self.chosen, regions, count)])
        if not (yield Round(self.order, with_complements(keep))):
            return False
        values = self._objective.value(keep)
        self.gains[regions] = values[1:] - values[0]
        return True


class _Phase:
    """What happens in the window of a phase, after its anchor has been taken."""

    def __init__(
        self,
        growing: _Growing,
        queue: np.ndarray,
        least: float,
        settings: Phases,
        rng: np.random.Generator,
        temperature: float,
    ) -> None:
        self._growing, self._settings, self._least = growing, settings, least
        self._rng, self._temperature = rng, temperature
        self._screened = growing.gains.copy()
        self._window: list[int] = list(queue[: settings.window])
        self._queue = deque(queue[settings.window :])
        self._put_off: set[int] = set()
        self._taken = [float(growing.gains[growing.chosen[-1]])]

    def run(self) -> Measuring:
        """Take regions until the phase is over; False where a measurement was not completed."""
        growing, settings = self._growing, self._settings
        while self._window:
            if not (yield from growing.measure(np.array(self._window))):
                return False
            ranked = growing.ranked(np.array(self._window))
            gains = growing.gains[ranked]
            for region, gain in zip(ranked, gains, strict=True):
                if gain < max(self._least, settings.accept * gains[0]):
                    break
                fast = self._falls_fast(gain)
                if fast and gain < settings.hold * self._taken[-1]:
                    return True
                growing.take(region)
                if fast:
                    return True
                self._taken.append(float(gain))
                self._window.remove(region)
            if gains[0] < self._least:
                return True
            self._fill_up()
        return True

    def _falls_fast(self, gain: float) -> bool:
        if len(self._taken) < 2:
            return False
        before, last = self._taken[-2:]
        return last / gain - before / last > self._settings.falling

    def _fill_up(self) -> None:
        while self._queue and len(self._window) < self._settings.window:
            region = self._queue.popleft()
            if region not in self._put_off and self._rng.random() < self._late(region):
                self._put_off.add(region)
                self._queue.append(region)
            else:
                self._window.append(region)

    def _late(self, region: int) -> float:
        """How probably a region is put off: never above 1/2, for the queue holds none below."""
        if not self._temperature:
            return 0.0
        return float(expit((self._least - self._screened[region]) / self._temperature))

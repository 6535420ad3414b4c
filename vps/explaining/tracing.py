"""From what a method says of a problem to orders of the regions with their curves."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from vps.core.regions import PIXEL_STEPS
from vps.engine.budget import Budget, Stopped, StopReason
from vps.engine.curves import Curves, prefixes, replay
from vps.engine.passes import Passes
from vps.engine.pixel_steps import in_pixel_steps
from vps.engine.problem import Problem
from vps.errors import CancelledError, DetectorError, InputError
from vps.methods import Attribution, Method


class Replay(NamedTuple):
    """The order by which one target is judged, and what sees it.

    Attributes:
        problem: whose regions and fill the curves are of: what was asked, or the steps of a map's
            pixels (`vps.engine.pixel_steps.in_pixel_steps`).
        number: which of its targets.
        source: what sees the subsets.
        order: (m,), the most important region first.
    """

    problem: Problem
    number: int
    source: Passes
    order: np.ndarray

    def subsets(self) -> np.ndarray:
        """(2 (m + 1), m) bool, the prefixes of the order and what they leave."""
        steps = prefixes(self.order)
        return np.concatenate([steps, ~steps])

    def ends(self) -> np.ndarray:
        """(2, m) bool, nothing and the whole image."""
        return np.repeat([[False], [True]], len(self.order), axis=1)

    def curves(self) -> Curves:
        """Along the order, as far as it has been seen."""
        objective = self.problem.objectives(self.source)[self.number]
        return replay(objective, self.order, measure=False)


@dataclass(frozen=True, eq=False)
class Traced:
    """Orders of regions for the T targets of a problem, measured.

    Attributes:
        method: what gave them.
        found: what it said.
        replays: T, their orders and what has seen the subsets of their curves.
        curves: T, along the orders.
        source: what has seen the subsets of the problem's own regions.
        passes: what the method took, for all targets together. Passes that measured the curves
            count where the method is a search, which measures them itself as far as it gets.
        seconds: likewise, wall clock.
        stopped: why it ended.
        error: what the detector failed with.
        looks: passes that showed the whole image once more, 1 or 0.
    """

    method: Method
    found: Attribution
    replays: list[Replay]
    curves: list[Curves]
    source: Passes
    passes: int
    seconds: float
    stopped: StopReason
    error: DetectorError | None
    looks: int

    @property
    def all_passes(self) -> int:
        """What the method took together with all that `source` has seen since, and the second look
        at the whole image."""
        own = self.found.passes if self.found.source is None else 0
        return self.source.passes + own + self.looks


def trace(
    problem: Problem, method: Method, budget: Budget, seed: int, *, most: int | None = None
) -> Traced:
    """Let a method order the regions, and measure the curves along its orders.

    All methods are judged by the same replay: up to 2 m passes a target, less what a search has
    seen already; unless the problem wants methods that give a map judged by steps of its pixels
    (`vps.engine.problem.MAP_REPLAYS`). Then one pass shows the whole image once more, unless the
    problem's passes have shown it twice: that tells whether the detector is deterministic. It is no
    part of what the method or the curves cost, and so not in `passes`; of a search that was broken
    off, or where `most` leaves none, it is not made.

    Args:
        problem: what is asked.
        method: with its settings.
        budget: of the method, with its clock running.
        seed: of its draws.
        most: passes for all together, those of the curves among them; None for no limit.

    Raises:
        InputError, DetectorError, CancelledError: as for `vps.explaining.explain.explain`.
        KeyboardInterrupt: Ctrl-C before anything was known.
    """
    start = time.perf_counter()
    try:
        found = method.attribute(problem, budget, seed)
    except Stopped as stop:
        raise _nothing_known(stop.reason) from None
    seconds = time.perf_counter() - start
    _check(problem, method, found)
    source = problem.passes() if found.source is None else found.source
    replays = _replays(problem, source, found)
    searched = found.searched
    rest = budget.untimed()
    if most is not None:
        own = found.passes if found.source is None else 0
        rest = dataclasses.replace(rest, left=lambda: most - own - source.passes)
    curves, stopped, error = _measured(replays, found, rest)
    looks = 0
    if not stopped.early:
        # What fails here costs only the answer to this.
        with contextlib.suppress(Stopped, DetectorError):
            rest.check(1)
            looks = problem.look_again()
    return Traced(
        method,
        found,
        replays,
        curves,
        source,
        source.passes if searched else found.passes,
        time.perf_counter() - start if searched else seconds,
        stopped,
        error,
        looks,
    )


def _check(problem: Problem, method: Method, found: Attribution) -> None:
    """Raise InputError for an attribution that breaks the contract of methods."""
    count, grid = len(problem.targets), tuple(problem.pixels.shape[1:])
    if (found.maps is None) == (found.orders is None):
        raise InputError(f"the method {method.name} must give either maps or orders")
    if found.orders is not None and len(found.orders) != count:
        raise InputError(
            f"the method {method.name} gave {len(found.orders)} orders for {count} targets"
        )
    if found.maps is not None:
        shape = found.maps.shape
        if shape != (count, *grid) or not np.isfinite(found.maps).all():
            raise InputError(
                f"the method {method.name} must give finite maps of shape {(count, *grid)}, one a "
                f"target on the detector's grid; got {shape}"
            )


def _replays(problem: Problem, source: Passes, found: Attribution) -> list[Replay]:
    """By what each target is judged."""
    if found.maps is not None and problem.map_replay == PIXEL_STEPS:
        stepped = [in_pixel_steps(problem, *each) for each in enumerate(found.maps)]
        return [Replay(one, 0, one.passes(), np.arange(one.regions.count)) for one in stepped]
    orders = found.orders_of(problem.regions)
    return [Replay(problem, number, source, order) for number, order in enumerate(orders)]


def _measured(
    replays: list[Replay], found: Attribution, budget: Budget
) -> tuple[list[Curves], StopReason, DetectorError | None]:
    """The curves of the orders; what is missing is measured, unless all was to end."""
    stopped, error = found.stopped, found.error
    try:
        if not stopped.at_once:
            # The ends first: without them, none of the targets has a curve.
            for subsets in (Replay.ends, Replay.subsets):
                for one in replays:
                    one.source.show(subsets(one), budget)
        elif found.maps is not None:
            # Two passes more, or else the map would be lost with its curves.
            for one in replays:
                one.source.evaluate(one.ends())
    except Stopped as stop:
        stopped = stop.reason
    except KeyboardInterrupt:
        stopped = StopReason.INTERRUPTED
    except DetectorError as failure:
        stopped, error = StopReason.FAILED, failure
    if not all(one.source.known(one.ends()).all() for one in replays):
        # Nothing is worth keeping.
        raise error if error is not None else _nothing_known(stopped)
    return [one.curves() for one in replays], stopped, error


def _nothing_known(stopped: StopReason) -> BaseException:
    """What to raise where the end came before the whole image and nothing had been seen."""
    if stopped is StopReason.INTERRUPTED:
        return KeyboardInterrupt()
    return CancelledError(f"there is nothing to keep: {stopped} before the first scores were known")

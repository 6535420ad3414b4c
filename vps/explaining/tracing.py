"""From what a method says of a problem to orders of the regions with their curves."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from dataclasses import dataclass

import numpy as np

from vps.engine.budget import Budget, Stopped, StopReason
from vps.engine.curves import Curves, prefixes, replay
from vps.engine.passes import Passes
from vps.engine.problem import Problem
from vps.errors import CancelledError, DetectorError, InputError
from vps.methods import Attribution, Method


@dataclass(frozen=True, eq=False)
class Traced:
    """Orders of regions for the T targets of a problem, measured.

    Attributes:
        method: what gave them.
        found: what it said.
        orders: T of (m,), the most important region first.
        curves: T, along the orders.
        source: what has seen the subsets of the curves.
        passes: what the method took, for all targets together. Passes that measured the curves
            count where the method is a search, which measures them itself as far as it gets.
        seconds: likewise, wall clock.
        stopped: why it ended.
        error: what the detector failed with.
        looks: passes that showed the whole image once more, 1 or 0.
    """

    method: Method
    found: Attribution
    orders: list[np.ndarray]
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
    seen already. Then one pass shows the whole image once more, unless the problem's passes have
    shown it twice: that tells whether the detector is deterministic. It is no part of what the
    method or the curves cost, and so not in `passes`; of a search that was broken off, or where
    `most` leaves none, it is not made.

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
    orders = found.orders_of(problem.regions)
    searched = found.searched
    rest = budget.untimed()
    if most is not None:
        own = found.passes if found.source is None else 0
        rest = dataclasses.replace(rest, left=lambda: most - own - source.passes)
    curves, stopped, error = _measured(problem, source, orders, found, rest)
    looks = 0
    if not stopped.early:
        # What fails here costs only the answer to this.
        with contextlib.suppress(Stopped, DetectorError):
            rest.check(1)
            looks = problem.look_again()
    return Traced(
        method,
        found,
        orders,
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


def _measured(
    problem: Problem,
    source: Passes,
    orders: list[np.ndarray],
    found: Attribution,
    budget: Budget,
) -> tuple[list[Curves], StopReason, DetectorError | None]:
    """The curves of the orders; what is missing is measured, unless all was to end."""
    stopped, error = found.stopped, found.error
    pairs = list(zip(problem.objectives(source), orders, strict=True))
    ends = np.array([np.ones(source.count), np.zeros(source.count)], bool)
    try:
        if not stopped.at_once:
            for order in orders:
                steps = prefixes(order)
                source.show(np.concatenate([steps, ~steps]), budget)
        elif found.maps is not None and not source.known(ends).all():
            # Two passes more, or else the map would be lost with its curves.
            source.evaluate(ends)
    except Stopped as stop:
        stopped = stop.reason
    except KeyboardInterrupt:
        stopped = StopReason.INTERRUPTED
    except DetectorError as failure:
        stopped, error = StopReason.FAILED, failure
    if not source.known(ends).all():
        # Nothing is worth keeping.
        raise error if error is not None else _nothing_known(stopped)
    return [replay(objective, order, measure=False) for objective, order in pairs], stopped, error


def _nothing_known(stopped: StopReason) -> BaseException:
    """What to raise where the end came before the whole image and nothing had been seen."""
    if stopped is StopReason.INTERRUPTED:
        return KeyboardInterrupt()
    return CancelledError(f"there is nothing to keep: {stopped} before the first scores were known")

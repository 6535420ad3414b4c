"""From what a method says of a problem to orders of the regions with their curves."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from vps.engine.budget import Budget, StopReason
from vps.engine.curves import Curves, replay
from vps.engine.objective import Objective
from vps.engine.passes import Passes
from vps.engine.problem import Problem
from vps.errors import DetectorError, InputError
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


def trace(problem: Problem, method: Method, budget: Budget, seed: int) -> Traced:
    """Let a method order the regions, and measure the curves along its orders.

    All methods are judged by the same replay: up to 2 m passes a target, less what a search has
    seen already.

    Args:
        problem: what is asked.
        method: with its settings.
        budget: of the method, with its clock running.
        seed: of its draws.

    Raises:
        InputError, DetectorError, KeyboardInterrupt: as for `vps.explaining.explain.explain`.
    """
    start = time.perf_counter()
    found = method.attribute(problem, budget, seed)
    seconds = time.perf_counter() - start
    source = problem.passes() if found.source is None else found.source
    orders = found.orders_of(problem.regions)
    curves, stopped, error = _measured(problem.objectives(source), orders, found)
    searched = found.source is not None
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
    )


def _measured(
    objectives: list[Objective], orders: list[np.ndarray], found: Attribution
) -> tuple[list[Curves], StopReason, DetectorError | None]:
    """The curves of the orders; what is missing is measured, unless all was to end."""
    stopped, error = found.stopped, found.error
    pairs = list(zip(objectives, orders, strict=True))
    if not stopped.at_once:
        try:
            return [replay(objective, order) for objective, order in pairs], stopped, error
        except KeyboardInterrupt:
            stopped = StopReason.INTERRUPTED
        except DetectorError as failure:
            stopped, error = StopReason.FAILED, failure
    try:
        curves = [replay(objective, order, measure=False) for objective, order in pairs]
    except InputError:
        # Not even the whole image has been seen: nothing is worth keeping.
        if error is not None:
            raise error  # noqa: B904  # its own cause is what matters
        raise KeyboardInterrupt from None
    return curves, stopped, error

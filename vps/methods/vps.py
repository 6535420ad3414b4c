"""From a problem to an order of its regions: by the search, or by a compared method's map."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from vps.engine.attribution import region_means
from vps.engine.budget import StopReason
from vps.engine.curves import Curves, replay
from vps.engine.objective import Objective
from vps.engine.passes import Passes
from vps.engine.problem import Problem
from vps.errors import DetectorError, InputError
from vps.methods import METHODS, check_options
from vps.search.driver import Outcome, SearchProgress, run_searches
from vps.search.settings import find_search, passes_allowed

VPS = "vps"
"""The method at the heart of this project, beside those of `vps.methods.METHODS`."""


@dataclass(frozen=True, eq=False)
class Ordering:
    """Orders of regions for the T targets of a problem, measured.

    Attributes:
        orders: T of (m,), the most important region first.
        curves: T, along the orders.
        highest: (T,) the largest s of any subset that was seen.
        passes: what finding the orders took, for all targets together.
        seconds: likewise, wall clock.
        search: the search used; "" for a compared method.
        budget: the most passes that it was allowed, or None.
        rounds, stopped, error: see `vps.search.driver.Outcome`.
        saliency: (T, h, w) float32, the maps of a compared method; None for a search.
    """

    orders: list[np.ndarray]
    curves: list[Curves]
    highest: np.ndarray
    passes: int
    seconds: float
    search: str = ""
    budget: int | None = None
    rounds: int = 0
    stopped: StopReason = StopReason.FINISHED
    error: DetectorError | None = None
    saliency: np.ndarray | None = None


def by_search(
    problem: Problem,
    search: str,
    effort: str,
    budget: int | float | None,
    seconds: float | None,
    seed: int,
    progress: Callable[[SearchProgress], None] | None,
    source: Passes | None = None,
) -> Ordering:
    """Search the orders; the curves are part of what the search has seen.

    Args:
        problem: what is asked.
        search, effort, budget, seed, progress: as for `vps.explaining.explain.explain`.
        seconds: after which no further batch begins.
        source: of the problem, where what is seen is wanted for more than the orders.

    Raises:
        InputError, DetectorError: as for `vps.explaining.explain.explain`.
    """
    start = time.perf_counter()
    source = problem.passes() if source is None else source
    objectives = problem.objectives(source)
    limit = passes_allowed(search, effort, budget, problem.regions.count, len(objectives))
    used, find = find_search(search, source, limit)
    left = None if seconds is None else seconds - (time.perf_counter() - start)
    outcome = run_searches(
        find, objectives, seed=seed, budget=limit, seconds=left, on_progress=progress
    )
    curves = _curves(objectives, outcome)
    return Ordering(
        outcome.orders,
        curves,
        source.rows[:, :, 0].max(axis=0, initial=0),
        source.passes,
        time.perf_counter() - start,
        used,
        limit,
        outcome.rounds,
        outcome.stopped,
        outcome.error,
    )


def by_map(problem: Problem, method: str, options: Mapping[str, Any], seed: int) -> Ordering:
    """Order the regions by the mean of a map, highest first, ties by region index, and replay.

    Passes and seconds are those of the method; measuring the curves takes up to 2 m passes more.

    Args:
        problem: what is asked.
        method: a key of `vps.methods.METHODS`.
        options: its settings.
        seed: of its draws.

    Raises:
        InputError: an unknown method or option.
        DetectorError: the detector fails or breaks its contract.
    """
    check_options(method, options)
    # What no pass can be made of is refused now, not after thousands of the method's own.
    source = problem.passes()
    objectives = problem.objectives(source)
    start = time.perf_counter()
    maps = METHODS[method](problem, seed=seed, **options)
    seconds = time.perf_counter() - start
    labels = problem.regions.label_map
    orders = [np.argsort(-region_means(values, labels), kind="stable") for values in maps.values]
    curves = [replay(one, order) for one, order in zip(objectives, orders, strict=True)]
    highest = source.rows[:, :, 0].max(axis=0)
    return Ordering(orders, curves, highest, maps.passes, seconds, saliency=maps.values)


def _curves(objectives: list[Objective], outcome: Outcome) -> list[Curves]:
    """The curves of the orders found; what is missing is measured, unless all was to end."""
    pairs = list(zip(objectives, outcome.orders, strict=True))
    if not outcome.stopped.at_once:
        try:
            return [replay(objective, order) for objective, order in pairs]
        except KeyboardInterrupt:
            outcome.stopped = StopReason.INTERRUPTED
        except DetectorError as error:
            outcome.stopped, outcome.error = StopReason.FAILED, error
    try:
        return [replay(objective, order, measure=False) for objective, order in pairs]
    except InputError:
        # Not even the whole image has been seen: nothing is worth keeping.
        if outcome.error is not None:
            raise outcome.error  # noqa: B904  # its own cause is what matters
        raise KeyboardInterrupt from None

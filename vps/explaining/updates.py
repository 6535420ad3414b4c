"""What a search would answer if it were stopped now, told while it runs."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from vps.engine.budget import Budget, StopReason
from vps.engine.objective import Objective
from vps.engine.problem import Problem
from vps.explaining.tracing import Replay, Traced
from vps.methods import Attribution, Method
from vps.results.explanation import Explanation

OnUpdate = Callable[[Any], None]
"""Takes what `vps.explaining.explain.explain` would return if it were cancelled now."""

Make = Callable[[Problem, Traced], list[Explanation]]


def updating(
    budget: Budget, problem: Problem, method: Method, make: Make, tell: OnUpdate | None
) -> Budget:
    """The same budget, which tells what is known after each round of a search; no pass is made.

    Args:
        budget: of the method.
        problem: what is asked; a search may cut it anew.
        method: with its settings.
        make: explanations out of orders.
        tell: takes a list of one explanation a target; None for nobody.
    """
    if tell is None:
        return budget
    start = time.perf_counter()

    def improved(
        objectives: Sequence[Objective], orders: Sequence[np.ndarray], rounds: int
    ) -> None:
        source = objectives[0].source
        cut = dataclasses.replace(problem, regions=source.regions)
        replays = [Replay(cut, number, source, order.copy()) for number, order in enumerate(orders)]
        found = Attribution(
            source.passes,
            orders=[one.order for one in replays],
            stopped=StopReason.CANCELLED,
            source=source,
            limit=budget.passes,
            rounds=rounds,
        )
        seconds = time.perf_counter() - start
        curves = [one.curves() for one in replays]
        traced = Traced(
            method, found, replays, curves, source, source.passes, seconds, found.stopped, None, 0
        )
        tell(make(cut, traced))

    return dataclasses.replace(budget, improved=improved)

"""What an explanation will cost, told before it is spent."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from vps.core.detect import Detection
from vps.core.detector import Detector
from vps.core.images import AnyImage
from vps.core.regions import PIXEL_STEPS
from vps.core.targets import Target
from vps.engine.budget import Budget, as_budget
from vps.engine.pixel_steps import STEPS
from vps.engine.problem import Problem
from vps.explaining.settings import as_problem, sort_settings
from vps.methods import Method
from vps.methods.search.vps import VPS
from vps.search.settings import BUDGETED, EFFORTS


@dataclass(frozen=True)
class Cost:
    """The passes of an explanation, and how long they take here.

    >>> print(Cost(832, 0.04, {"fast": 624}))
    at most 832 passes, about 33 s (effort fast: 624 passes, about 25 s)

    Attributes:
        passes: the most.
        pass_seconds: what one takes in a full batch, measured.
        efforts: the most passes of efforts that cost less, where the method has efforts.
    """

    passes: int
    pass_seconds: float
    efforts: dict[str, int] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """What all passes take; the search itself adds little."""
        return self.passes * self.pass_seconds

    def __str__(self) -> str:
        text = f"at most {self.passes:,} passes, {_about(self.seconds)}"
        others = [
            f"effort {name}: {passes:,} passes, {_about(passes * self.pass_seconds)}"
            for name, passes in self.efforts.items()
        ]
        return f"{text} ({'; '.join(others)})" if others else text


def explanation_cost(
    detector: Detector | Problem,
    image: AnyImage | None = None,
    target: Target | Detection | None = None,
    *,
    targets: Sequence[Target | Detection] | None = None,
    method: str | Method = VPS.name,
    budget: Budget | int | None = None,
    **settings: Any,
) -> Cost:
    """What `explain` with the same arguments will cost; also `explain.cost`.

    Two batches are shown to the detector, the first to warm up and the second to be timed.

    Args:
        detector, image, target, targets, method, budget, settings: as for
            `vps.explaining.explain.explain`.

    Raises:
        InputError: an image, target or setting that cannot be used.
        DetectorError: the detector fails or breaks its contract.
    """
    chosen, of_problem = sort_settings(method, settings)
    asked = targets if target is None else [target]
    problem = as_problem(detector, image, asked, of_problem)
    planned = partial(planned_passes, problem, budget=as_budget(budget))
    return cost_of(chosen, planned, _pass_seconds(problem))


def planned_passes(problem: Problem, method: Method, budget: Budget) -> int:
    """The most passes that `explain` makes: the method's, and those of curves along a map."""
    planned = method.planned_passes(problem)
    if budget.passes is not None:
        planned = min(planned, budget.passes)
    # A search measures its curves itself.
    steps = problem.regions.count
    if problem.map_replay == PIXEL_STEPS:
        steps = max(steps, STEPS)  # which of both it will be, what the method gives decides
    curves = 0 if isinstance(method, VPS) else 2 * steps * len(problem.targets)
    return planned + curves


def cost_of(method: Method, planned: Callable[[Method], int], pass_seconds: float) -> Cost:
    """The cost of a method and, where it has efforts, of those that take fewer passes.

    Args:
        method: with its settings.
        planned: the most passes that a method makes.
        pass_seconds: what one takes.
    """
    passes, efforts = planned(method), {}
    if isinstance(method, VPS) and method.budget is None and method.search in BUDGETED:
        others = {effort: dataclasses.replace(method, effort=effort) for effort in EFFORTS}
        efforts = {effort: planned(other) for effort, other in others.items()}
    less = {effort: fewer for effort, fewer in efforts.items() if fewer < passes}
    return Cost(passes, pass_seconds, less)


def _pass_seconds(problem: Problem) -> float:
    """Seconds of a pass in a full batch."""
    source = problem.passes()
    shown = np.random.default_rng(0).random((2, problem.batch_size, source.count)) < 0.5
    source.evaluate(shown[0])
    before, start = source.passes, time.perf_counter()
    source.evaluate(shown[1])
    return (time.perf_counter() - start) / max(source.passes - before, 1)


def _about(seconds: float) -> str:
    if seconds < 90:
        return f"about {seconds:.0f} s" if seconds >= 1 else "less than 1 s"
    return f"about {seconds / 60:.0f} min"

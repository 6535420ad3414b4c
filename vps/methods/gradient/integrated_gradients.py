"""Integrated gradients: the gradient along the straight way from the fill to the image."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from vps.core.numbers import check_whole
from vps.core.schema import check_fields
from vps.engine.budget import Budget
from vps.engine.gradients import GradientPasses
from vps.engine.problem import Problem
from vps.errors import InputError
from vps.methods.gradient.attributed import asking, difference, planned
from vps.methods.gradient.sampled import mean_gradients
from vps.methods.protocol import GRADIENTS, Attribution, Complete, MethodFamily

_MOST_STEPS = 1_000  # the places of the sum are the eigenvalues of a matrix of as many rows


@dataclass(frozen=True)
class IntegratedGradients:
    """Sundararajan et al., "Axiomatic Attribution for Deep Networks", ICML 2017, equation 1.

        map = sum over channels of (x - x') * integral from 0 to 1 of ds/dx (x' + a (x - x')) da

    with x' the problem's fill. The integral is a Gauss-Legendre sum. Completeness: the map sums to
    s(x) - s(x'), as exactly as the sum comes near the integral; where another candidate takes over
    the maximum on the way, s has a kink, and more steps are needed.

    Attributes:
        steps: of the sum, 1 to 1,000.
        budget: instead, the most passes: as many steps as they pay for, and one look at the whole
            image, which tells what a backward pass costs.

    Raises:
        InputError: a number out of range.
    """

    name: ClassVar[str] = "integrated-gradients"
    family: ClassVar[MethodFamily] = MethodFamily.GRADIENT
    needs: ClassVar[str] = GRADIENTS
    complete: ClassVar[Complete] = Complete.PIXELS

    steps: int = 50
    budget: int | None = None

    def __post_init__(self) -> None:
        check_fields(self)
        check_whole("steps", self.steps, 1, _MOST_STEPS)
        if self.budget is not None:
            check_whole("budget", self.budget, 1, 10**9)

    def planned_passes(self, problem: Problem) -> int:
        """One forward a step, and one backward a step and target."""
        return planned(problem, self.steps) if self.budget is None else self.budget

    def with_passes(self, passes: int) -> IntegratedGradients:
        """They are its budget."""
        return dataclasses.replace(self, budget=passes)

    def attribute(
        self, problem: Problem, budget: Budget | None = None, seed: int = 0
    ) -> Attribution:
        """The maps; see `vps.methods.protocol.Method`."""
        source, steps = self._begin(problem, budget)
        places, weights = np.polynomial.legendre.leggauss(steps)
        # In random order, what has been seen when it ends early stands for the whole way.
        order = np.random.default_rng(seed).permutation(steps)
        places, weights = (places[order] + 1) / 2, weights[order]
        way = difference(problem)
        start = problem.pixels - way

        def images(numbers: np.ndarray) -> Tensor:
            parts = torch.from_numpy(places[numbers]).to(way)
            return start + parts[:, None, None, None] * way

        return mean_gradients(
            source, problem, images, weights, lambda mean: (mean * way).sum(dim=1)
        )

    def _begin(self, problem: Problem, budget: Budget | None) -> tuple[GradientPasses, int]:
        """What counts the passes, and how many steps they are enough for."""
        limits = [] if budget is None or budget.passes is None else [budget.passes]
        if self.budget is None and all(planned(problem, self.steps) <= limit for limit in limits):
            return asking(problem, self.name, budget), self.steps
        least, what = planned(problem, 2), "two images and their gradients"
        source = asking(problem, self.name, budget, most=self.budget, least=least, what=what)
        source.pixels(problem.pixels[None])
        left = source.affordable()
        assert left is not None
        if left < 1:
            raise InputError(
                f"a budget of {source.limit} passes is too small for {self.name}: a backward pass "
                f"costs {source.cost:.1f} forward ones here"
            )
        return source, min(left, _MOST_STEPS if self.budget is not None else self.steps)

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
from vps.engine.problem import Problem
from vps.methods.gradient.attributed import asking, difference, images_for, planned
from vps.methods.gradient.sampled import mean_gradients
from vps.methods.protocol import GRADIENTS, Attribution, Family


@dataclass(frozen=True)
class IntegratedGradients:
    """Sundararajan et al., "Axiomatic Attribution for Deep Networks", ICML 2017, equation 1.

        map = sum over channels of (x - x') * integral from 0 to 1 of ds/dx (x' + a (x - x')) da

    with x' the problem's fill. The integral is a Gauss-Legendre sum. Completeness: the map sums to
    s(x) - s(x'), as exactly as the sum comes near the integral; where another candidate takes over
    the maximum on the way, s has a kink, and more steps are needed.

    Attributes:
        steps: of the sum, at least 1.

    Raises:
        InputError: a number out of range.
    """

    name: ClassVar[str] = "integrated-gradients"
    family: ClassVar[Family] = Family.GRADIENT
    needs: ClassVar[str] = GRADIENTS

    steps: int = 50

    def __post_init__(self) -> None:
        check_fields(self)
        check_whole("steps", self.steps, 1, 10**6)

    def planned_passes(self, problem: Problem) -> int:
        """One forward a step, and one backward a step and target."""
        return planned(problem, self.steps)

    def with_passes(self, passes: int) -> IntegratedGradients:
        """As many steps as they may be enough for, with one target."""
        return dataclasses.replace(self, steps=max(1, passes // 2))

    def attribute(
        self, problem: Problem, budget: Budget | None = None, seed: int = 0
    ) -> Attribution:
        """The maps; see `vps.methods.protocol.Method`."""
        source = asking(problem, self.name, budget)
        steps = self.steps
        if source.limit is not None:
            steps = min(steps, images_for(problem, source.limit))
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

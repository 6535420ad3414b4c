"""Gradient x input: how much the score changes with each pixel, times what is shown there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from vps.engine.budget import Budget
from vps.engine.problem import Problem
from vps.methods.gradient.attributed import asking, attributed, difference, planned
from vps.methods.protocol import GRADIENTS, Attribution, MethodFamily


@dataclass(frozen=True)
class GradientXInput:
    """Shrikumar et al., "Not Just a Black Box", 2016, against the fill instead of black.

        map = sum over channels of (x - fill) * ds/dx

    The first term of a Taylor series of s(x) - s(fill): of a linear score the pixels of a region
    sum to what hiding it costs. One forward pass, and one backward pass a target.
    """

    name: ClassVar[str] = "gradient-x-input"
    family: ClassVar[MethodFamily] = MethodFamily.GRADIENT
    needs: ClassVar[str] = GRADIENTS

    def planned_passes(self, problem: Problem) -> int:
        """One forward, and one backward a target."""
        return planned(problem, 1)

    def with_passes(self, passes: int) -> GradientXInput:
        """It makes no use of more."""
        return self

    def attribute(
        self, problem: Problem, budget: Budget | None = None, seed: int = 0
    ) -> Attribution:
        """The maps; see `vps.methods.protocol.Method`."""
        source = asking(problem, self.name, budget)
        _, gradients = source.pixels(problem.pixels[None])
        return attributed(source, (gradients[:, 0] * difference(problem)).sum(dim=1))

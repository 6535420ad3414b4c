"""SmoothGrad: the gradient averaged over noisy copies of the image."""

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
from vps.errors import InputError
from vps.methods.gradient.attributed import asking, planned
from vps.methods.gradient.sampled import mean_gradients
from vps.methods.protocol import GRADIENTS, Attribution, MethodFamily


@dataclass(frozen=True)
class SmoothGrad:
    """Smilkov et al., "SmoothGrad: removing noise by adding noise", 2017.

        map = sum over channels of | 1/n sum_k ds/dx (x + e_k) |,   e_k ~ N(0, (noise * range)^2)

    with the range of the image's own pixels. The sign is dropped, as in the paper's pictures of
    photographs: it tells whether brighter pixels would help, not whether the place does.

    Attributes:
        samples: n, at least 1.
        noise: the standard deviation as a part of the range of pixels, above 0.
        budget: instead of n, the most passes: as many samples as they pay for.

    Raises:
        InputError: a number out of range.
    """

    name: ClassVar[str] = "smooth-grad"
    family: ClassVar[MethodFamily] = MethodFamily.GRADIENT
    needs: ClassVar[str] = GRADIENTS

    samples: int = 50
    noise: float = 0.15
    budget: int | None = None

    def __post_init__(self) -> None:
        check_fields(self)
        check_whole("samples", self.samples, 1, 10**6)
        if self.budget is not None:
            check_whole("budget", self.budget, 1, 10**9)
        if not 0 < self.noise <= 10:
            raise InputError(f"noise must be above 0 and at most 10, got {self.noise}")

    def planned_passes(self, problem: Problem) -> int:
        """One forward a sample, and one backward a sample and target."""
        return planned(problem, self.samples) if self.budget is None else self.budget

    def with_passes(self, passes: int) -> SmoothGrad:
        """They are its budget."""
        return dataclasses.replace(self, budget=passes)

    def attribute(
        self, problem: Problem, budget: Budget | None = None, seed: int = 0
    ) -> Attribution:
        """The maps; see `vps.methods.protocol.Method`."""
        source = asking(problem, self.name, budget, most=self.budget)
        samples = self.samples if self.budget is None else min(self.budget, 10**6)
        pixels = problem.pixels
        scale = self.noise * float(pixels.max() - pixels.min())

        def images(numbers: np.ndarray) -> Tensor:
            drawn = [
                np.random.default_rng((seed, number)).standard_normal(pixels.shape, np.float32)
                for number in numbers
            ]
            return pixels + scale * torch.from_numpy(np.stack(drawn)).to(pixels)

        return mean_gradients(
            source,
            problem,
            images,
            np.ones(samples),
            lambda mean: mean.abs().sum(dim=1),
        )

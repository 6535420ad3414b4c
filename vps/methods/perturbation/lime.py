"""LIME: a linear model of which regions are shown, fitted near the whole image."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from vps.core.numbers import check_range, check_whole
from vps.core.schema import check_fields
from vps.engine.budget import Budget
from vps.engine.problem import Problem
from vps.methods.perturbation.least_squares import weighted_ridge
from vps.methods.perturbation.subsets import ShownSubsets
from vps.methods.protocol import Attribution, MethodFamily


@dataclass(frozen=True)
class LIME:
    """Ribeiro et al., '"Why Should I Trust You?": Explaining the Predictions of Any Classifier',
    KDD 2016, equation 2, with the settings of the authors' code for images.

        min over a, b of sum_k pi(z_k) (s(z_k) - a - b.z_k)^2 + ridge |b|^2,
        pi(z) = exp(-D(z)^2 / (2 width^2)),   D(z) = 1 - cos(z, 1)

    with z_k in {0, 1}^m the regions that are shown, each by a coin, the first of them all. The map
    is b. The authors' kernel is the root of the one in the paper, which has no 2.

    The cost is one pass a subset that differs, for all targets together.

    Attributes:
        samples: subsets, at least 2.
        width: of the kernel, positive.
        ridge: how strongly slopes are drawn to 0, not negative.

    Raises:
        InputError: a number out of range.
    """

    name: ClassVar[str] = "lime"
    family: ClassVar[MethodFamily] = MethodFamily.PERTURBATION
    needs: ClassVar[str] = ""

    samples: int = 1000
    width: float = 0.25
    ridge: float = 1.0

    def __post_init__(self) -> None:
        check_fields(self)
        check_whole("samples", self.samples, 2, 10**6)
        check_range("width", self.width, 1e-3, 1e3)
        check_range("ridge", self.ridge)

    def planned_passes(self, problem: Problem) -> int:
        """One a subset, and never more than there are."""
        return min(self.samples, 2**problem.regions.count)

    def with_passes(self, passes: int) -> LIME:
        """As many subsets."""
        return dataclasses.replace(self, samples=max(passes, 2))

    def attribute(
        self, problem: Problem, budget: Budget | None = None, seed: int = 0
    ) -> Attribution:
        """The maps; see `vps.methods.protocol.Method`."""
        count, planned = problem.regions.count, self.planned_passes(problem)
        shown = ShownSubsets(
            problem,
            self.name,
            budget,
            wanted=planned,
            least=min(count + 1, 2**count),
            why=f"more than there are features, {count} regions: set more samples, or cut the "
            "image into fewer",
        )
        keep = np.random.default_rng(seed).random((self.samples, count)) < 0.5
        keep[0] = True
        keep = keep[: shown.show(keep, least=2)]
        # The cosine with (1, ..., 1) of a vector of zeros and ones; of nothing, it is 0.
        distance = 1 - np.sqrt(keep.mean(axis=1))
        weights = np.exp(-(distance**2) / (2 * self.width**2))
        slopes = weighted_ridge(keep.astype(float), shown.scores(keep), weights, self.ridge)
        return shown.attribution(slopes)

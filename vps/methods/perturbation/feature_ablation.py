"""Feature ablation: each region hidden alone, and how far the score falls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from vps.engine.budget import Budget
from vps.engine.problem import Problem
from vps.methods.perturbation.subsets import ShownSubsets
from vps.methods.protocol import Attribution, MethodFamily


@dataclass(frozen=True)
class FeatureAblation:
    """Li et al., "Understanding Neural Networks through Representation Erasure", 2016: the drop of
    the score where one region is hidden.

        a_r = s(V) - s(V - {r})

    What two regions can each do alone is missed: hiding one of them changes nothing.

    The cost is m + 1 passes, for all targets together.
    """

    name: ClassVar[str] = "feature-ablation"
    family: ClassVar[MethodFamily] = MethodFamily.PERTURBATION
    needs: ClassVar[str] = ""

    def planned_passes(self, problem: Problem) -> int:
        """The whole image, and one a region."""
        return problem.regions.count + 1

    def with_passes(self, passes: int) -> FeatureAblation:
        """It makes use of no other number than one a region."""
        return self

    def attribute(
        self, problem: Problem, budget: Budget | None = None, seed: int = 0
    ) -> Attribution:
        """The maps; see `vps.methods.protocol.Method`."""
        count = problem.regions.count
        shown = ShownSubsets(
            problem,
            self.name,
            budget,
            wanted=count + 1,
            least=count + 1,
            why=f"the whole image and one for each of {count} regions: cut the image into fewer",
        )
        # In random order, what has been seen when it ends early is not the image's upper part.
        order = np.random.default_rng(seed).permutation(count)
        keep = np.concatenate([np.ones((1, count), bool), ~np.eye(count, dtype=bool)[order]])
        known = shown.show(keep, least=2)
        scores = shown.scores(keep[:known])
        values = np.full((len(problem.targets), count), np.nan)
        values[:, order[: known - 1]] = (scores[0] - scores[1:]).T
        return shown.attribution(values)

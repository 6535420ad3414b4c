"""Shapley values of the regions, from what each adds along random permutations."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from vps.core.numbers import check_whole
from vps.core.schema import check_fields
from vps.engine.budget import Budget, StopReason
from vps.engine.curves import prefixes
from vps.engine.problem import Problem
from vps.methods.perturbation.subsets import ShownSubsets
from vps.methods.protocol import Attribution, Complete, MethodFamily


@dataclass(frozen=True)
class ShapleySampling:
    """Castro et al., "Polynomial calculation of the Shapley value based on sampling", Computers &
    Operations Research, 2009.

        b_r = mean over permutations P of s(before r in P, and r) - s(before r in P)

    Over all permutations, b are the Shapley values; over any number of whole ones they add to
    s(V) - s(nothing).

    The cost is m - 1 passes a permutation, less where subsets repeat, and two for nothing and all;
    all targets share them.

    Attributes:
        permutations: at least 1.
        budget: instead, the most passes: permutations are drawn as long as they last.

    Raises:
        InputError: a number out of range.
    """

    name: ClassVar[str] = "shapley-sampling"
    family: ClassVar[MethodFamily] = MethodFamily.PERTURBATION
    needs: ClassVar[str] = ""
    complete: ClassVar[Complete] = Complete.REGIONS

    permutations: int = 25
    budget: int | None = None

    def __post_init__(self) -> None:
        check_fields(self)
        check_whole("permutations", self.permutations, 1, 10**6)
        if self.budget is not None:
            check_whole("budget", self.budget, 2, 10**6)

    def planned_passes(self, problem: Problem) -> int:
        """Those of the permutations, or of the budget, and never more than there are subsets."""
        count = problem.regions.count
        most = self.permutations * (count - 1) + 2 if self.budget is None else self.budget
        return min(most, 2**count)

    def with_passes(self, passes: int) -> ShapleySampling:
        """They are the budget of the permutations."""
        return dataclasses.replace(self, budget=min(max(passes, 2), 10**6))

    def attribute(
        self, problem: Problem, budget: Budget | None = None, seed: int = 0
    ) -> Attribution:
        """The maps; see `vps.methods.protocol.Method`."""
        count = problem.regions.count
        shown = ShownSubsets(
            problem,
            self.name,
            budget,
            wanted=self.planned_passes(problem),
            least=count + 1,
            why=f"one permutation of {count} features: cut the image into fewer regions",
        )
        # Late permutations may need no pass at all, so it is not the passes alone that end it.
        rounds = self.permutations if self.budget is None else self.budget
        total, times = np.zeros((len(problem.targets), count)), np.zeros(count)
        rng = np.random.default_rng(seed)
        for number in range(rounds):
            order = rng.permutation(count)
            keep = prefixes(order)
            known = shown.show(keep, least=0 if number else 2)
            steps = order[: max(known - 1, 0)]
            total[:, steps] += np.diff(shown.scores(keep[:known]), axis=0).T
            times[steps] += 1
            if shown.stopped is not StopReason.FINISHED:
                break
        return shown.attribution(
            np.divide(total, times, out=np.full(total.shape, np.nan), where=times > 0)
        )

"""Visual Precision Search at several numbers of regions, averaged: a steadier map, or not."""

from __future__ import annotations

import dataclasses
import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from vps.core.regions import REGION_METHODS, make_regions, numbered_by_distance
from vps.engine.attribution import scaled
from vps.engine.budget import Budget, Stopped, StopReason
from vps.engine.problem import Problem
from vps.errors import InputError
from vps.methods.protocol import Attribution, MethodFamily
from vps.methods.search.vps import VPS
from vps.methods.values import region_values
from vps.search.settings import AUTO, passes_allowed


@dataclass(frozen=True)
class MultiScaleVPS:
    """The mean of the maps of `vps.methods.search.vps.VPS` at several numbers of regions.

    The image is cut anew for each number, by the method that cut the problem's regions (slico,
    where they were given), and each search gets an equal part of the passes: all together what VPS
    alone may take at the middle number. Each map is scaled to [0, 1] before.

    Attributes:
        numbers: of regions to aim for, at least two of them, each at least 2.
        search: as for VPS.
        effort: as for VPS; says how many passes there are.
        budget: instead, the most passes of all searches and targets together.

    Raises:
        InputError: fewer than two numbers, one below 2, or a search or effort that does not exist.
    """

    name: ClassVar[str] = "vps-multi-scale"
    family: ClassVar[MethodFamily] = MethodFamily.SEARCH
    needs: ClassVar[str] = ""

    numbers: tuple[int, ...] = (36, 64, 100)
    search: str = AUTO
    effort: str = "balanced"
    budget: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "numbers", tuple(self.numbers))
        if len(self.numbers) < 2 or min(self.numbers) < 2:
            raise InputError(f"numbers holds two or more, each 2 at least, got {self.numbers}")
        VPS(self.search, budget=self.budget or 1)
        VPS(effort=self.effort)

    def planned_passes(self, problem: Problem) -> int:
        """What the effort or the budget allows."""
        if self.budget is not None:
            return self.budget
        regions, targets = sorted(self.numbers)[len(self.numbers) // 2], len(problem.targets)
        return passes_allowed(AUTO, self.effort, None, regions, targets) or 0

    def with_passes(self, passes: int) -> MultiScaleVPS:
        """They are the budget of all searches together."""
        return dataclasses.replace(self, budget=passes)

    def attribute(
        self, problem: Problem, budget: Budget | None = None, seed: int = 0
    ) -> Attribution:
        """The maps; see `vps.methods.protocol.Method`."""
        budget = (budget or Budget()).started()
        limit = self.planned_passes(problem)
        limit = limit if budget.passes is None else min(limit, budget.passes)
        total = np.zeros((len(problem.targets), *problem.pixels.shape[1:]))
        stopped, error, spent, done = StopReason.FINISHED, None, 0, 0
        for number, count in enumerate(self.numbers):
            part = (limit - spent) // (len(self.numbers) - number)
            again = _cut_anew(problem, count)
            found = VPS(self.search, budget=part).attribute(again, budget.within(part), seed)
            spent += found.passes
            stopped, error = found.stopped, found.error
            try:
                total += _maps(again, found)
            except InputError:
                # Not even the whole image and nothing were seen: the maps until then are kept.
                if not done:
                    stopped.raise_again(error)
                    raise Stopped(stopped) from None
            else:
                done += 1
            if stopped.early:
                break
        maps = (total / done).astype(np.float32)
        return Attribution(spent, maps, stopped=stopped, error=error, limit=limit)


def _cut_anew(problem: Problem, count: int) -> Problem:
    """The same problem with another number of regions."""
    method = problem.regions.method
    method = method if method in REGION_METHODS else "slico"
    regions = make_regions(problem.pixels, count, method)
    if problem.regions.numbering == "distance":
        regions = numbered_by_distance(regions, problem.targets[0].box, problem.size)
    return dataclasses.replace(problem, regions=regions)


def _maps(problem: Problem, found: Attribution) -> np.ndarray:
    """(T, h, w) in [0, 1], of orders that a search found.

    Raises:
        InputError: neither the whole image nor nothing has been seen.
    """
    with warnings.catch_warnings():
        # A constant map adds nothing.
        warnings.simplefilter("ignore", UserWarning)
        return np.stack(
            [scaled(values)[problem.regions.label_map] for values in region_values(problem, found)]
        )

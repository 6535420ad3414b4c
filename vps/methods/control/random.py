"""A random value for each region: what any method has to beat."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from vps.engine.budget import Budget
from vps.engine.curves import prefixes
from vps.engine.passes import Passes
from vps.engine.problem import Problem
from vps.methods.protocol import Attribution, MethodFamily
from vps.sets.goals import Goal
from vps.sets.hiding import least_hidden


@dataclass(frozen=True)
class RandomOrder:
    """A random number in [0, 1) for each region, and with it a random order; no passes."""

    name: ClassVar[str] = "random"
    family: ClassVar[MethodFamily] = MethodFamily.CONTROL
    needs: ClassVar[str] = ""

    def planned_passes(self, problem: Problem) -> int:
        """None."""
        return 0

    def with_passes(self, passes: int) -> RandomOrder:
        """It makes no use of any."""
        return self

    def attribute(
        self, problem: Problem, budget: Budget | None = None, seed: int = 0
    ) -> Attribution:
        """The maps; see `vps.methods.protocol.Method`.

        The draws depend on each target's box and label, too. Superpixels are numbered from top to
        bottom: were the seed alone to decide, all cases of a study would get about the same order
        of places.
        """
        maps = []
        for target in problem.targets:
            key = zlib.crc32(repr((target.box, target.label)).encode())
            values = np.random.default_rng((seed, key)).random(problem.regions.count)
            maps.append(values[problem.regions.label_map])
        return Attribution(passes=0, maps=np.stack(maps).astype(np.float32))

    def look_for_repair(
        self, problem: Problem, source: Passes, goal: Goal, budget: Budget, seed: int
    ) -> int | None:
        """Hide the prefixes of random orders, as far as they are smaller than the best so far."""
        assert budget.passes is not None  # else there would be no end of orders
        areas, rng = source.regions.areas, np.random.default_rng(seed)
        least = np.inf
        # Late orders may need no pass at all, so it is not the passes alone that end it.
        for _ in range(budget.passes):
            members = prefixes(rng.permutation(len(areas)))
            members = members[members @ areas < least]
            if source.new(~members).sum() > budget.passes - source.passes:
                break
            source.evaluate(~members)
            best = least_hidden(source, goal)
            least = np.inf if best is None else best @ areas
        return None

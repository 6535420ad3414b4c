"""The target's box as a map: a control that knows where, but nothing of the detector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from vps.engine.budget import Budget
from vps.engine.problem import Problem
from vps.methods.protocol import Attribution, MethodFamily


@dataclass(frozen=True)
class BoxPrior:
    """The share of each pixel that the target's box covers: 1 inside, 0 outside; no passes."""

    name: ClassVar[str] = "box"
    family: ClassVar[MethodFamily] = MethodFamily.CONTROL
    needs: ClassVar[str] = ""

    def planned_passes(self, problem: Problem) -> int:
        """None."""
        return 0

    def with_passes(self, passes: int) -> BoxPrior:
        """It makes no use of any."""
        return self

    def attribute(
        self, problem: Problem, budget: Budget | None = None, seed: int = 0
    ) -> Attribution:
        """The maps; see `vps.methods.protocol.Method`."""
        grid = (problem.pixels.shape[1], problem.pixels.shape[2])
        scale_y, scale_x = grid[0] / problem.size[0], grid[1] / problem.size[1]
        maps = []
        for target in problem.targets:
            x1, y1, x2, y2 = target.box
            rows = _covered(y1 * scale_y, y2 * scale_y, grid[0])
            columns = _covered(x1 * scale_x, x2 * scale_x, grid[1])
            maps.append(np.outer(rows, columns))
        return Attribution(passes=0, maps=np.stack(maps).astype(np.float32))


def _covered(start: float, end: float, count: int) -> np.ndarray:
    """(count,) the share of each pixel i, which reaches from i to i + 1, within [start, end]."""
    left = np.arange(count)
    return np.clip(np.minimum(left + 1, end) - np.maximum(left, start), 0, 1)

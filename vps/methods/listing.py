"""What there is to choose from, in a line each."""

from __future__ import annotations

import math
import sys
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vps.core.candidates import Candidates
from vps.core.regions import Regions
from vps.core.targets import Target
from vps.engine.problem import Problem, make_problem
from vps.methods import METHODS, make_method

LISTED_REGIONS = 64
"""Of the question by which the passes of methods are told."""


class ListedMethod(NamedTuple):
    """A method as `vps methods` tells of it.

    Attributes:
        name: in settings.
        family: "search", "perturbation", "gradient" or "control".
        passes: the most at its defaults, for one target and `LISTED_REGIONS` regions.
        needs: what the detector must have; "" for nothing.
        title: what it does.
    """

    name: str
    family: str
    passes: int
    needs: str
    title: str


def listed_methods() -> list[ListedMethod]:
    """All methods, in the order of the registry.

    >>> [one.passes for one in listed_methods() if one.name == "drise"]
    [5001]
    """
    problem = example_problem(LISTED_REGIONS)
    return [
        ListedMethod(
            name,
            kind.family.value,
            make_method(name).planned_passes(problem),
            kind.needs,
            (sys.modules[kind.__module__].__doc__ or "").partition("\n")[0],
        )
        for name, kind in METHODS.items()
    ]


class _Nothing:
    """Finds nothing; it is never asked."""

    name = "nothing"
    labels: tuple[str, ...] = ("thing",)
    device = torch.device("cpu")

    def prepare(self, image: np.ndarray) -> Tensor:
        return torch.from_numpy(image.astype(np.float32) / 255).permute(2, 0, 1)

    def detect(self, pixels: Tensor, size: tuple[int, int]) -> Candidates:
        count = len(pixels)
        return Candidates(torch.zeros(count, 0, 4), torch.zeros(count, 0, 1), self.labels)


def example_problem(regions: int) -> Problem:
    """One target in an image of so many regions, about which methods say what they would cost."""
    side = 8 * math.ceil(math.sqrt(regions))
    image = np.zeros((side, side, 3), np.uint8)
    target = Target((side / 4, side / 4, 3 * side / 4, 3 * side / 4), "thing")
    # As many as asked for, whatever an image would make of it.
    bands = np.arange(side * side).reshape(side, side) * regions // (side * side)
    return make_problem(_Nothing(), image, [target], regions=Regions(bands, "bands"))

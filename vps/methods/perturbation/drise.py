"""D-RISE: random masks, weighted by how well the detector still finds the target through them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from vps.core.numbers import check_whole
from vps.core.schema import check_fields
from vps.engine.budget import Budget
from vps.engine.problem import Problem
from vps.errors import InputError
from vps.methods.perturbation.masked import MaskedPasses
from vps.methods.perturbation.masks import random_masks
from vps.methods.protocol import Attribution, MethodFamily


@dataclass(frozen=True)
class DRISE:
    """Petsiuk et al., "Black-box Explanation of Object Detectors via Saliency Maps", CVPR 2021.

        map = 1 / (N p) sum_k s(M_k) M_k

    with s of the image seen through mask M_k, see `vps.methods.perturbation.similarity.Similarity`.
    A pixel's value is the estimate, by Monte Carlo, of the mean similarity where that pixel is
    shown, which is in [0, 1] up to chance; the factor 1 / (N p) is RISE's and changes no order.

    Two things differ from the paper, so that methods can be compared and for what our detectors
    return. Where a mask is 0, pixels take the problem's fill, not black. And candidates come
    before score threshold and NMS: with IoU and cosine alone, as the paper has it for detectors
    without objectness, hundreds of candidates that nobody would see could vote, and of a detector
    asked for one label every cosine is 1, so that a mask would count by its boxes only. There the
    highest score of a candidate stands in for its objectness.

    The cost is `masks` passes, and one for the whole image if a target is the detector's own; all
    targets share them. With fewer passes, or when the time is over, there are fewer masks. Memory
    does not grow with them.

    Attributes:
        masks: N, at least 1.
        grid: cells a side of a mask before it is enlarged, at least 2.
        p: the probability that a cell is shown, in (0, 1).
        objectness: "auto" takes the detector's objectness, or a candidate's highest score where
            there is none; "none" leaves the factor out.

    Raises:
        InputError: a setting out of range.
    """

    name: ClassVar[str] = "drise"
    family: ClassVar[MethodFamily] = MethodFamily.PERTURBATION
    needs: ClassVar[str] = ""

    masks: int = 5000
    grid: int = 16
    p: float = 0.5
    objectness: Literal["auto", "none"] = "auto"

    def __post_init__(self) -> None:
        check_fields(self)
        check_whole("masks", self.masks, 1, 10**9)
        check_whole("grid", self.grid, 2, 1_000)
        if not 0 < self.p < 1:
            raise InputError(f"p must be between 0 and 1, both excluded, got {self.p}")

    def planned_passes(self, problem: Problem) -> int:
        """The masks, and a look at the whole image."""
        return self.masks + 1

    def with_passes(self, passes: int) -> DRISE:
        """As many masks as they leave beside the look at the whole image."""
        return dataclasses.replace(self, masks=max(passes - 1, 1))

    def attribute(
        self, problem: Problem, budget: Budget | None = None, seed: int = 0
    ) -> Attribution:
        """The maps; see `vps.methods.protocol.Method`."""
        asked = MaskedPasses(problem, "D-RISE", budget, self.masks, objectness=self.objectness)
        pixels = problem.pixels
        size = (pixels.shape[1], pixels.shape[2])
        total = torch.zeros(len(problem.targets), size[0] * size[1], dtype=torch.float64)

        def masks(numbers: range) -> Tensor:
            return random_masks(
                numbers, size, grid=self.grid, p=self.p, seed=seed, device=pixels.device
            )

        for seen in asked.see(masks):
            # Sums of many are kept in double precision, those of a batch need not be.
            total += (seen.weights.T @ seen.masks.flatten(1)).to(total)
        return asked.attribution((total / (asked.done * self.p)).reshape(-1, *size))

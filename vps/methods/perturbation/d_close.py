"""D-CLOSE: masks of superpixels at several scales, whose maps are fused."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from vps.core.numbers import check_whole
from vps.core.regions import make_regions
from vps.core.schema import check_fields
from vps.engine.budget import Budget
from vps.engine.problem import Problem
from vps.errors import InputError
from vps.methods.perturbation.masked import MaskedPasses
from vps.methods.protocol import Attribution, MethodFamily

_ENLARGED = 2.2  # by how much a mask is larger than the image that is cut out of it


@dataclass(frozen=True)
class DCLOSE:
    """Truong et al., "Towards Better Explanations for Object Detection", 2023, on the similarity of
    D-RISE (`vps.methods.perturbation.similarity.Similarity`).

        A_l = sum_k s(M_k) M_k / sum_k M_k over the masks of level l, scaled to [0, 1],
        H_L = A_L,   H_l = (H_(l+1) + A_l) A_l,   map = H_1

    Level l has twice as many superpixels as the one before. A mask shows each of them by a coin,
    enlarged bilinearly by 1 + 2.2, and cut out at a random place; the sum of the masks, their
    density, evens out how often a pixel was shown. The finest level comes first, and each that
    follows is a weight.

    From the authors' code, two things differ: each mask has coins of its own (theirs has the same
    for a batch of 32), and a level whose map is constant is left out (theirs makes all of it 0).
    Hidden superpixels take the problem's fill.

    The cost is `masks` passes, and one for the whole image if a target is the detector's own; all
    targets share them. Levels take turns, so that with fewer passes, or when the time is over, all
    of them have fewer masks.

    Attributes:
        masks: of all levels together, at least one each.
        segments: superpixels to aim for at the coarsest level, at least 2.
        levels: at least 1.
        p: the probability that a superpixel is shown, in (0, 1).
        objectness: see `vps.methods.perturbation.drise.DRISE`.

    Raises:
        InputError: a setting out of range.
    """

    name: ClassVar[str] = "d-close"
    family: ClassVar[MethodFamily] = MethodFamily.PERTURBATION
    needs: ClassVar[str] = ""

    masks: int = 4000
    segments: int = 150
    levels: int = 5
    p: float = 0.5
    objectness: Literal["auto", "none"] = "auto"

    def __post_init__(self) -> None:
        check_fields(self)
        check_whole("segments", self.segments, 2, 10_000)
        check_whole("levels", self.levels, 1, 10)
        check_whole("masks", self.masks, self.levels, 10**9)
        if not 0 < self.p < 1:
            raise InputError(f"p must be between 0 and 1, both excluded, got {self.p}")

    def planned_passes(self, problem: Problem) -> int:
        """The masks, and a look at the whole image."""
        return self.masks + 1

    def with_passes(self, passes: int) -> DCLOSE:
        """As many masks as they leave beside the look at the whole image."""
        return dataclasses.replace(self, masks=max(passes - 1, self.levels))

    def attribute(
        self, problem: Problem, budget: Budget | None = None, seed: int = 0
    ) -> Attribution:
        """The maps; see `vps.methods.protocol.Method`."""
        asked = MaskedPasses(
            problem,
            "D-CLOSE",
            budget,
            self.masks,
            least=self.levels,
            why=f"one mask for each of {self.levels} levels",
            objectness=self.objectness,
        )
        pixels = problem.pixels
        size = (pixels.shape[1], pixels.shape[2])
        levels = [
            make_regions(pixels, min(self.segments * 2**level, size[0] * size[1]), "slic").label_map
            for level in range(self.levels)
        ]
        total = torch.zeros(self.levels, len(problem.targets), *size, dtype=torch.float64)
        density = torch.zeros(self.levels, *size, dtype=torch.float64)

        def masks(numbers: range) -> Tensor:
            return torch.stack(
                [
                    _mask(levels[number % self.levels], self.p, (seed, number), pixels.device)
                    for number in numbers
                ]
            )

        for seen in asked.see(masks):
            for number, mask, weights in zip(*seen, strict=True):
                level = number % self.levels
                mask = mask.to(density)
                density[level] += mask
                total[level] += weights.to(mask)[:, None, None] * mask
        # A pixel that no mask showed has a sum of 0, too.
        return asked.attribution(fused(total / density.clamp(min=1e-9)[:, None]))


def fused(maps: Tensor) -> Tensor:
    """The maps of all levels in one, see `DCLOSE`.

    Args:
        maps: (L, T, h, w), the coarsest level first.

    Returns:
        (T, h, w), not negative; 0 where a target's maps are all constant.
    """
    low, high = maps.amin(dim=(2, 3), keepdim=True), maps.amax(dim=(2, 3), keepdim=True)
    told = high > low
    scaled = (maps - low) / torch.where(told, high - low, 1.0)
    fused = torch.zeros_like(maps[0])
    begun = torch.zeros_like(told[0])
    for level in reversed(range(len(maps))):
        weighted = torch.where(begun, (fused + scaled[level]) * scaled[level], scaled[level])
        fused = torch.where(told[level], weighted, fused)
        begun = begun | told[level]
    return fused


def _mask(label_map: np.ndarray, p: float, seed: tuple[int, int], device: torch.device) -> Tensor:
    """(h, w) float32 in [0, 1], a random part of superpixels that are shown or not, enlarged."""
    rng = np.random.default_rng(seed)
    shown = (rng.random(label_map.max() + 1) < p).astype(np.float32)
    whole = torch.from_numpy(shown[label_map]).to(device)
    # Where the pixels of the part lie in the mask, in the units of `grid_sample`, -1 to 1.
    places = []
    for length in label_map.shape:
        offset = int(rng.integers(0, int(_ENLARGED * length), endpoint=True))
        within = (torch.arange(length, device=device) + offset + 0.5) / (
            length + int(_ENLARGED * length)
        )
        places.append(2 * within - 1)
    rows, columns = torch.meshgrid(*places, indexing="ij")
    where = torch.stack([columns, rows], dim=-1)
    part = grid_sample(whole[None, None], where[None], padding_mode="border", align_corners=False)
    return part[0, 0].clamp_(0, 1)

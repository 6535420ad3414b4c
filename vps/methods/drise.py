"""D-RISE: random masks, weighted by how well the detector still finds the target through them."""

from __future__ import annotations

from typing import Annotated, Literal

import torch

from vps.core.masking import make_fill
from vps.engine.problem import Problem
from vps.methods.masks import random_masks
from vps.methods.options import AT_LEAST_ONE, AT_LEAST_TWO, BETWEEN_0_AND_1
from vps.methods.protocol import Maps
from vps.methods.similarity import Similarity


def drise_map(
    problem: Problem,
    *,
    seed: int,
    masks: Annotated[int, AT_LEAST_ONE] = 5000,
    grid: Annotated[int, AT_LEAST_TWO] = 16,
    p: Annotated[float, BETWEEN_0_AND_1] = 0.5,
    objectness: Literal["auto", "none"] = "auto",
) -> Maps:
    """Petsiuk et al., "Black-box Explanation of Object Detectors via Saliency Maps", CVPR 2021.

        map = 1 / (N p) sum_k s(M_k) M_k

    with s of the image seen through mask M_k, see `vps.methods.similarity.Similarity`. A pixel's
    value is the estimate, by Monte Carlo, of the mean similarity where that pixel is shown, which
    is in [0, 1] up to chance; the factor 1 / (N p) is RISE's and changes no order.

    Two things differ from the paper, so that methods can be compared and for what our detectors
    return. Where a mask is 0, pixels take the problem's fill, not black. And candidates come
    before score threshold and NMS: with IoU and cosine alone, as the paper has it for detectors
    without objectness, hundreds of candidates that nobody would see could vote, and of a detector
    asked for one label every cosine is 1, so that a mask would count by its boxes only. There the
    highest score of a candidate stands in for its objectness.

    The cost is `masks` passes, and one for the whole image if a target is the detector's own; all
    targets share them. Memory does not grow with `masks`.

    Args:
        problem: what is asked; its mode says nothing here.
        seed: of the masks.
        masks: N.
        grid: cells a side of a mask before it is enlarged.
        p: the probability that a cell is shown.
        objectness: "auto" takes the detector's objectness, or a candidate's highest score where
            there is none; "none" leaves the factor out.

    Raises:
        DetectorError: the detector fails or breaks its contract.
    """
    pixels = problem.pixels.contiguous()
    size = (pixels.shape[1], pixels.shape[2])
    fill = make_fill(problem.fill, pixels)
    similarity = Similarity(problem, objectness)
    total = torch.zeros(len(problem.targets), size[0] * size[1], dtype=torch.float64)
    for start in range(0, masks, problem.batch_size):
        numbers = range(start, min(start + problem.batch_size, masks))
        shown = random_masks(numbers, size, grid=grid, p=p, seed=seed, device=pixels.device)
        images = torch.lerp(fill, pixels, shown[:, None])
        weights = similarity(images, f"masks {numbers.start} to {numbers.stop - 1} of D-RISE")
        # Sums of many are kept in double precision, those of a batch need not be.
        total += (weights.T @ shown.flatten(1)).to(total)
    values = (total / (masks * p)).reshape(-1, *size).float()
    return Maps(values.numpy(), similarity.passes)

"""How well the candidates of a detector match a target: s(x) and the box that attains it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from vps.core import boxes
from vps.core.candidates import Candidates, TargetScores

CLASS_MODE_IOU = 0.5
"""The IoU that a candidate must exceed to count in mode "class", and as a find of the target."""


def _object(ious: Tensor, class_scores: Tensor, _scores: Tensor) -> Tensor:
    return ious * class_scores


def _class(ious: Tensor, class_scores: Tensor, _scores: Tensor) -> Tensor:
    return torch.where(ious > CLASS_MODE_IOU, class_scores, 0.0)


def _box(ious: Tensor, class_scores: Tensor, scores: Tensor) -> Tensor:
    called = (class_scores > 0) & (class_scores >= scores.amax(dim=-1).float())
    return torch.where(called, ious, 0.0)


MODES: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "object": _object,
    "class": _class,
    "box": _box,
}
"""The value of each candidate from its IoU with the target (B, N), its score of the target's
label (B, N) and its scores of all labels (B, N, L):

    object  IoU * p_c
    class   p_c of a candidate with IoU > 0.5, else 0
    box     IoU of a candidate whose highest score is p_c > 0, else 0
"""


def best_candidates(
    detections: Candidates, target: Tensor, column: int, mode: str, apart: Tensor | None = None
) -> Tensor:
    """The best candidate of each image under a mode.

        s = max_i value(IoU(b_i, b*), p_i)

    Args:
        detections: all candidates of B images.
        target: (4,) xyxy, the box b*, pixels of the original image.
        column: the column of the target's label c.
        mode: a key of `MODES`.
        apart: (4,) xyxy, another box; a candidate that fits it better than b* is not the target's.

    Returns:
        (B, 8) float32 on the detections' device: s, p_c, IoU and box xyxy of the candidate that
        attains s, all zeros for an image with s = 0, no candidates included: then no box does. Last
        comes the highest p_c of any candidate with IoU > `CLASS_MODE_IOU`, 0 without one, whatever
        the mode: whether the detector finds the target at a threshold.
    """
    candidates = detections.boxes.float()
    if candidates.shape[1] == 0:
        return candidates.new_zeros(len(candidates), 8)
    ious = boxes.iou(candidates, target.to(candidates)[None])[..., 0]
    if apart is not None:
        others = boxes.iou(candidates, apart.to(candidates)[None])[..., 0]
        ious = torch.where(others > ious, 0.0, ious)
    class_scores = detections.scores[..., column].float()
    value, best = MODES[mode](ious, class_scores, detections.scores).max(dim=1, keepdim=True)
    rows = [value, class_scores.gather(1, best), ious.gather(1, best)]
    box = candidates.gather(1, best[..., None].expand(-1, -1, 4))[:, 0]
    found = _class(ious, class_scores, detections.scores).amax(dim=1, keepdim=True)
    return torch.cat([torch.cat([*rows, box], dim=1) * (value > 0), found], dim=1)


def target_rows(found: TargetScores, mode: str) -> Tensor:
    """What `best_candidates` tells of a target, from a detector that scores targets itself.

    Returns:
        (B, T, 8) float32, as of `best_candidates`.
    """
    class_scores, ious = found.class_scores.float(), found.ious.float()
    value = MODES[mode](ious, class_scores, class_scores[..., None])
    rows = torch.stack([value, class_scores, ious], dim=-1)
    attained = torch.cat([rows, found.boxes.float()], dim=-1) * (value > 0)[..., None]
    seen = _class(ious, class_scores, class_scores[..., None])
    return torch.cat([attained, seen[..., None]], dim=-1)

"""How well the candidates of a detector match a target: s(x) and the box that attains it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
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


_Table = TypeVar("_Table", np.ndarray, Tensor)


@dataclass(frozen=True, eq=False)
class BestCandidates(Generic[_Table]):
    """The best candidate under a mode, one an image or one an image and target.

    All zeros, but for `found_score`, where s is 0: then no candidate attains it. Arrays are views
    of one table, so that a batch leaves the device at once.

    Attributes:
        table: (..., 8) what the others are read from.

    >>> best = BestCandidates(np.array([[0.4, 0.5, 0.8, 1, 2, 3, 4, 0.6]]))
    >>> best.score, best.box, best[0].found_score
    (array([0.4]), array([[1., 2., 3., 4.]]), 0.6)
    """

    table: _Table

    def __getitem__(self, index: Any) -> BestCandidates[_Table]:
        """Those of some images, or of some images and targets."""
        return BestCandidates(self.table[index])

    def __len__(self) -> int:
        return len(self.table)

    @property
    def score(self) -> _Table:
        """(...) s in [0, 1]."""
        return self.table[..., 0]

    @property
    def class_score(self) -> _Table:
        """(...) the score of the target's label of the candidate that attains s."""
        return self.table[..., 1]

    @property
    def iou(self) -> _Table:
        """(...) the IoU of that candidate with the target."""
        return self.table[..., 2]

    @property
    def box(self) -> _Table:
        """(..., 4) that candidate, xyxy, pixels of the original image."""
        return self.table[..., 3:7]

    @property
    def found_score(self) -> _Table:
        """(...) the highest score of the target's label of any candidate with an IoU above
        `CLASS_MODE_IOU`, 0 without one, whatever the mode: whether the target is found."""
        return self.table[..., 7]


COLUMNS = 8
"""Of the table of `BestCandidates`."""


def best_candidates(
    detections: Candidates, target: Tensor, column: int, mode: str, apart: Tensor | None = None
) -> BestCandidates[Tensor]:
    """The best candidate of each image under a mode.

        s = max_i value(IoU(b_i, b*), p_i)

    Args:
        detections: all candidates of B images.
        target: (4,) xyxy, the box b*, pixels of the original image.
        column: the column of the target's label c.
        mode: a key of `MODES`.
        apart: (4,) xyxy, another box; a candidate that fits it better than b* is not the target's.

    Returns:
        One an image (B,), float32 on the detections' device.
    """
    candidates = detections.boxes.float()
    if candidates.shape[1] == 0:
        return BestCandidates(candidates.new_zeros(len(candidates), COLUMNS))
    ious = boxes.iou(candidates, target.to(candidates)[None])[..., 0]
    if apart is not None:
        others = boxes.iou(candidates, apart.to(candidates)[None])[..., 0]
        ious = torch.where(others > ious, 0.0, ious)
    class_scores = detections.scores[..., column].float()
    value, best = MODES[mode](ious, class_scores, detections.scores).max(dim=1, keepdim=True)
    rows = [value, class_scores.gather(1, best), ious.gather(1, best)]
    box = candidates.gather(1, best[..., None].expand(-1, -1, 4))[:, 0]
    found = _class(ious, class_scores, detections.scores).amax(dim=1, keepdim=True)
    attained = torch.cat([*rows, box], dim=1) * (value > 0)
    return BestCandidates(torch.cat([attained, found], dim=1))


def attained_by(found: TargetScores, mode: str) -> BestCandidates[Tensor]:
    """What `best_candidates` tells of targets, from a detector that scores them itself: (B, T)."""
    class_scores, ious = found.class_scores.float(), found.ious.float()
    value = MODES[mode](ious, class_scores, class_scores[..., None])
    rows = torch.stack([value, class_scores, ious], dim=-1)
    attained = torch.cat([rows, found.boxes.float()], dim=-1) * (value > 0)[..., None]
    seen = _class(ious, class_scores, class_scores[..., None])
    return BestCandidates(torch.cat([attained, seen[..., None]], dim=-1))

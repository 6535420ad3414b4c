"""How well the candidates of a detector match a target: s(x) and the box that attains it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from torch import Tensor

from vps.core import boxes
from vps.core.candidates import Candidates, SeenCandidates, TargetScores, as_seen
from vps.core.targets import Target

CLASS_MODE_IOU = 0.5
"""The IoU that a candidate must exceed to count in mode "class", and as a find of the target."""

THRESHOLD_MODE_SCORE = 0.35
"""The class score that a candidate must exceed to count in mode "threshold": Grounding DINO's usual
threshold of boxes."""


def _object(ious: Tensor, class_scores: Tensor, _scores: Tensor) -> Tensor:
    return ious * class_scores


def _class(ious: Tensor, class_scores: Tensor, _scores: Tensor) -> Tensor:
    return torch.where(ious > CLASS_MODE_IOU, class_scores, 0.0)


def _threshold(ious: Tensor, class_scores: Tensor, _scores: Tensor) -> Tensor:
    return torch.where(class_scores > THRESHOLD_MODE_SCORE, ious * class_scores, 0.0)


def _box(ious: Tensor, class_scores: Tensor, scores: Tensor) -> Tensor:
    called = (class_scores > 0) & (class_scores >= scores.amax(dim=-1).float())
    return torch.where(called, ious, 0.0)


MODES: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "object": _object,
    "class": _class,
    "box": _box,
    "threshold": _threshold,
}
"""The value of each candidate from its IoU with the target (B, N), its score of the target's
label (B, N) and its scores of all labels (B, N, L):

    object      IoU * p_c
    class       p_c of a candidate with IoU > 0.5, else 0
    box         IoU of a candidate whose highest score is p_c > 0, else 0
    threshold   IoU * p_c of a candidate with p_c > 0.35, else 0

The last is the ablation of that name in the authors' code of Chen et al., CVPR 2025. Known of it
is that it leaves out boxes below a threshold of scores before it takes IoU * score. Assumed is that
the score is that of the target's label and the threshold 0.35; asked for one label, a box has no
other score.
"""


_Table = TypeVar("_Table", np.ndarray, Tensor)


@dataclass(frozen=True, eq=False)
class BestCandidates(Generic[_Table]):
    """The best candidate under a mode, one an image or one an image and target.

    The first four are zeros where s is 0: then no candidate attains it. What is *found* is the
    highest-scoring detection of the target's label with an IoU above `CLASS_MODE_IOU`, whatever the
    mode, as a user sees it: a candidate whose best label it is, and that NMS leaves
    (`vps.core.candidates.as_seen`). Arrays are views of one table, so that a batch leaves the
    device at once.

    Attributes:
        table: (..., 15) what the others are read from.

    >>> best = BestCandidates(np.array([[0.4, 0.5, 0.8, 1, 2, 3, 4, 0.6, 0.7, 1, 2, 3, 5, 0, -1]]))
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
        """(...) the score of the detection that is found; 0 without one."""
        return self.table[..., 7]

    @property
    def found_iou(self) -> _Table:
        """(...) its IoU with the target."""
        return self.table[..., 8]

    @property
    def found_box(self) -> _Table:
        """(..., 4) its box, xyxy, pixels of the original image."""
        return self.table[..., 9:13]

    @property
    def other_score(self) -> _Table:
        """(...) the highest score of a detection of another label with an IoU above
        `CLASS_MODE_IOU` with the target; 0 without one."""
        return self.table[..., 13]

    @property
    def other_label(self) -> _Table:
        """(...) the column of that label; -1 without one."""
        return self.table[..., 14]


COLUMNS = 15
"""Of the table of `BestCandidates`."""


def best_candidates(
    detections: Candidates,
    target: Tensor,
    column: int,
    mode: str,
    apart: Tensor | None = None,
    seen: SeenCandidates | None = None,
) -> BestCandidates[Tensor]:
    """The best candidate of each image under a mode.

        s = max_i value(IoU(b_i, b*), p_i)

    Args:
        detections: all candidates of B images.
        target: (4,) xyxy, the box b*, pixels of the original image.
        column: the column of the target's label c.
        mode: a key of `MODES`.
        apart: (4,) xyxy, another box; a candidate that fits it better than b* is not the target's.
        seen: as `vps.core.candidates.as_seen` gives it, where several targets share it.

    Returns:
        One an image (B,), float32 on the detections' device.
    """
    candidates = detections.boxes.float()
    if candidates.shape[1] == 0:
        return BestCandidates(candidates.new_zeros(len(candidates), COLUMNS))
    ious = _fitting(candidates, target.to(candidates), apart)
    class_scores = detections.scores[..., column].float()
    value, best = MODES[mode](ious, class_scores, detections.scores).max(dim=1, keepdim=True)
    attained = [
        value,
        class_scores.gather(1, best),
        ious.gather(1, best),
        _box_at(candidates, best),
    ]
    seen = as_seen(detections) if seen is None else seen
    there = torch.where(seen.kept & (ious > CLASS_MODE_IOU), seen.score, 0.0)
    own = seen.label == column
    found, which = torch.where(own, there, 0.0).max(dim=1, keepdim=True)
    told = [found, ious.gather(1, which), _box_at(candidates, which)]
    other, second = torch.where(own, 0.0, there).max(dim=1, keepdim=True)
    label = torch.where(other > 0, seen.label.gather(1, second), -1)
    return BestCandidates(
        torch.cat(
            [
                torch.cat(attained, dim=1) * (value > 0),
                torch.cat(told, dim=1) * (found > 0),
                other,
                label.to(other),
            ],
            dim=1,
        )
    )


def target_scores(
    detections: Candidates, targets: Sequence[Target], mode: str = "object"
) -> Tensor:
    """s of T targets in B images, as `best_candidates` has it, with the graph of the candidates.

    Returns:
        (B, T) float32 in [0, 1].

    Raises:
        InputError: a label that the detector does not know.
    """
    where, scores = detections.boxes.float(), detections.scores
    if where.shape[1] == 0:
        return where.new_zeros(len(where), len(targets))
    found = []
    for target in targets:
        class_scores = scores[..., detections.column(target.label)].float()
        apart = None if target.apart_from is None else where.new_tensor(target.apart_from)
        ious = _fitting(where, where.new_tensor(target.box), apart)
        found.append(MODES[mode](ious, class_scores, scores).amax(dim=1))
    return torch.stack(found, dim=1)


def _fitting(candidates: Tensor, target: Tensor, apart: Tensor | None) -> Tensor:
    """(B, N) IoUs of boxes with a target (4,); 0 of those that fit `apart` (4,) better."""
    ious = boxes.iou(candidates, target[None])[..., 0]
    if apart is None:
        return ious
    others = boxes.iou(candidates, apart.to(candidates)[None])[..., 0]
    return torch.where(others > ious, 0.0, ious)


def _box_at(candidates: Tensor, index: Tensor) -> Tensor:
    """(B, 4) of (B, N, 4) boxes those at (B, 1) places."""
    return candidates.gather(1, index[..., None].expand(-1, -1, 4))[:, 0]


def attained_by(scores: TargetScores, mode: str) -> BestCandidates[Tensor]:
    """What `best_candidates` tells of targets, from a detector that scores them itself: (B, T).

    It has one candidate a target, which counts as a detection, and no other label beside it.
    """
    class_scores, ious = scores.class_scores.float(), scores.ious.float()
    value = MODES[mode](ious, class_scores, class_scores[..., None])[..., None]
    where = torch.cat([ious[..., None], scores.boxes.float()], dim=-1)
    attained = torch.cat([value, class_scores[..., None], where], dim=-1) * (value > 0)
    found = _class(ious, class_scores, class_scores[..., None])[..., None]
    told = torch.cat([found, where * (found > 0)], dim=-1)
    other = torch.stack([torch.zeros_like(ious), torch.full_like(ious, -1)], dim=-1)
    return BestCandidates(torch.cat([attained, told, other], dim=-1))

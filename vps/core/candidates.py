"""The values that pass between detectors, data and engine; frozen, validated when made."""

from __future__ import annotations

import copy
import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from vps.core.boxes import area, clipped, iou
from vps.errors import DetectorError, InputError, quoted


@dataclass(frozen=True, eq=False)
class Candidates:
    """All candidates of a batch of images, before score threshold and NMS.

    Attributes:
        boxes: (B, N, 4) float, xyxy, pixels of the original image.
        scores: (B, N, L) float in [0, 1], one column a label; a padded candidate scores 0.
        labels: the L names, in the order of the columns.
        objectness: (B, N) float in [0, 1], how sure the detector is that there is an object at all;
            None if it does not say. Scores hold it already.

    Raises:
        DetectorError: shapes that do not fit together, or values that are not finite or, for
            scores and objectness, outside [0, 1].
    """

    boxes: Tensor
    scores: Tensor
    labels: tuple[str, ...]
    objectness: Tensor | None = None

    def __post_init__(self) -> None:
        for name in ("boxes", "scores", "objectness"):
            value = getattr(self, name)
            if not isinstance(value, Tensor) and (name != "objectness" or value is not None):
                raise DetectorError(f"{name} must be a tensor, got {quoted(value)}")
        if not isinstance(self.labels, (tuple, list)):
            raise DetectorError(f"labels must be a tuple of names, got {quoted(self.labels)}")
        boxes, scores = tuple(self.boxes.shape), tuple(self.scores.shape)
        if len(boxes) != 3 or boxes[-1] != 4:
            raise DetectorError(f"boxes must have shape (B, N, 4), got {boxes}")
        if len(scores) != 3 or scores[:2] != boxes[:2] or scores[2] != len(self.labels):
            raise DetectorError(
                f"scores must have shape {(*boxes[:2], len(self.labels))}: one row for each of the "
                f"boxes {boxes} and one column for each of the {len(self.labels)} labels; "
                f"got {scores}"
            )
        rates = {"scores": self.scores}
        if self.objectness is not None:
            rates["objectness"] = self.objectness
            given = tuple(self.objectness.shape)
            if given != boxes[:2]:
                raise DetectorError(
                    f"objectness must have shape {boxes[:2]}, a number a box; got {given}"
                )
        _check_numbers(self.boxes, rates)

    def __len__(self) -> int:
        """The number of images, B."""
        return self.boxes.shape[0]

    def within(self, size: tuple[int, int]) -> Candidates:
        """The same, boxes cut off at the borders of an image of size (H, W).

        What was checked is not checked again: that looks at every score, in every pass.
        """
        other = copy.copy(self)
        object.__setattr__(other, "boxes", clipped(self.boxes, size))
        return other

    def column(self, label: str) -> int:
        """The column of `label` in `scores`.

        Raises:
            InputError: the detector does not know the label.
        """
        return label_column(label, self.labels)


def _check_numbers(boxes: Tensor, rates: Mapping[str, Tensor]) -> None:
    """Raise DetectorError unless boxes are finite, and rates finite and in [0, 1]."""
    # All in one number: on a GPU every look at one is a synchronisation. NaN fails comparisons.
    inside = [((rate >= 0) & (rate <= 1)).all() for rate in rates.values()]
    if bool(torch.stack([torch.isfinite(boxes).all(), *inside]).all()):
        return
    if not all(bool(torch.isfinite(values).all()) for values in (boxes, *rates.values())):
        raise DetectorError(f"the detector returned NaN or infinite boxes or {' or '.join(rates)}")
    for name, rate in rates.items():
        low, high = float(rate.min()), float(rate.max())
        if low < 0 or high > 1:
            raise DetectorError(f"{name} must lie in [0, 1], got {low:.4g} to {high:.4g}")


LEAST_DETECTION = 0.01
"""A candidate whose highest score is below is no detection, whatever the threshold."""


class SeenCandidates(NamedTuple):
    """Candidates as a user sees them: each with its best label, or not at all.

    Attributes:
        kept: (B, N) bool, which are detections.
        score: (B, N) float32, the highest score of each.
        label: (B, N) int64, its column.
    """

    kept: Tensor
    score: Tensor
    label: Tensor


def as_seen(
    candidates: Candidates,
    *,
    threshold: float = LEAST_DETECTION,
    nms_iou: float = 0.7,
    near: Tensor | None = None,
) -> SeenCandidates:
    """Which candidates a user sees as detections, if the threshold is theirs.

    Each candidate counts with its highest label, if that scores at least the threshold; of those
    with one label that overlap by more than `nms_iou`, the highest stays. What scores less never
    removes what scores more, so at a higher threshold the detections are those of these that reach
    it.

    Args:
        candidates: of B images.
        threshold: the lowest score, in [0, 1].
        nms_iou: the IoU above which two boxes of a label are one, in [0, 1].
        near: (T, 4) xyxy, boxes; only candidates about them are looked at, which is much faster:
            those that overlap one of them, or the hull of what fits one (IoU above 0.5). Of what
            fits, all is there that could remove it, and all that could remove that (of three sets,
            the outer ones overlap where each has an IoU above 0.5 with the one between).
    """
    from torchvision.ops import batched_nms

    boxes = candidates.boxes.float()
    kept = torch.zeros(boxes.shape[:2], dtype=torch.bool, device=boxes.device)
    if candidates.scores.numel() == 0:
        return SeenCandidates(kept, kept.float(), kept.long())
    best, labels = candidates.scores.float().max(dim=-1)
    # A padded candidate scores 0 and is none, whatever the threshold; nor is a box without area.
    shown = (best >= threshold) & (best > 0) & (area(boxes) > 0)
    if near is not None:
        shown &= _about(boxes, near.to(boxes), shown)
    # One image after the other: with hundreds of groups, torchvision loops over them.
    for number, rows in enumerate(shown):
        index = torch.nonzero(rows)[:, 0]
        if len(index):
            some = boxes[number, index], best[number, index], labels[number, index]
            kept[number, index[batched_nms(*some, nms_iou)]] = True
    return SeenCandidates(kept, best, labels)


def _about(boxes: Tensor, near: Tensor, shown: Tensor) -> Tensor:
    """(B, N) bool: which boxes overlap one of `near`, or the hull of those that fit it.

    Args:
        boxes: (B, N, 4).
        near: (T, 4).
        shown: (B, N) bool, those that are there at all.
    """
    fits = (iou(boxes, near[None]) > 0.5) & shown[..., None]
    low = torch.where(fits[..., None], boxes[:, :, None, :2], torch.inf).amin(dim=1)
    high = torch.where(fits[..., None], boxes[:, :, None, 2:], -torch.inf).amax(dim=1)
    low, high = low.minimum(near[:, :2]), high.maximum(near[:, 2:])
    apart = (boxes[:, :, None, :2] >= high[:, None]) | (boxes[:, :, None, 2:] <= low[:, None])
    return (~apart.any(dim=-1)).any(dim=-1)


@dataclass(frozen=True, eq=False)
class TargetScores:
    """What a detector says of T given targets in each of B images.

    Attributes:
        class_scores: (B, T) float in [0, 1], of each target's label.
        ious: (B, T) float in [0, 1], of the detector's box with the target's, or its expectation.
        boxes: (B, T, 4) float, the detector's box, xyxy, pixels of the original image.

    Raises:
        DetectorError: shapes that do not fit together, or values that are not finite or, for
            scores and IoUs, outside [0, 1].
    """

    class_scores: Tensor
    ious: Tensor
    boxes: Tensor

    def __post_init__(self) -> None:
        shapes = [tuple(value.shape) for value in (self.class_scores, self.ious, self.boxes)]
        if len(shapes[0]) != 2 or shapes != [shapes[0], shapes[0], (*shapes[0], 4)]:
            raise DetectorError(
                f"class scores, IoUs and boxes must have shapes (B, T), (B, T), (B, T, 4); got "
                f"{shapes}"
            )
        _check_numbers(self.boxes, {"scores": self.class_scores, "IoUs": self.ious})


def label_column(label: str, labels: tuple[str, ...]) -> int:
    """The place of `label` among a detector's labels.

    Raises:
        InputError: it is not there; the message gives the nearest known names.
    """
    if label in labels:
        return labels.index(label)
    near = difflib.get_close_matches(str(label), labels, n=3, cutoff=0.5) or list(labels[:8])
    more = f", ... ({len(labels)} in all)" if len(labels) > len(near) else ""
    raise InputError(f"unknown label {quoted(label)}; the detector knows: {', '.join(near)}{more}")

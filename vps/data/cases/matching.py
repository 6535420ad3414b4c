"""Which detection finds which object, by COCO's rules and, where a data set needs them, LVIS's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from vps.core import boxes
from vps.core.detect import Detection
from vps.data.sample import Sample


@dataclass(frozen=True, eq=False)
class Matches:
    """D detections of an image against its K annotations.

    Attributes:
        annotation: (D,) int, the index of the annotation that a detection matches; -1 for none.
        ignored: (D,) bool, the detection is neither right nor wrong: it lies on a crowd, or the
            data set does not say whether it is right, or it is beyond `max_detections`.
        ious: (D, K) float64, see `overlaps`.
    """

    annotation: np.ndarray
    ignored: np.ndarray
    ious: np.ndarray

    @property
    def true_positives(self) -> np.ndarray:
        """(D,) bool: the detection matches an object."""
        return (self.annotation >= 0) & ~self.ignored

    @property
    def found(self) -> np.ndarray:
        """(K,) bool: the annotation is an object that a detection matches."""
        found = np.zeros(self.ious.shape[1], dtype=bool)
        found[self.annotation[self.true_positives]] = True
        return found


def overlaps(found: Sequence[Detection], sample: Sample) -> np.ndarray:
    """How much each of D detections overlaps each of K annotations, in [0, 1].

    Returns:
        (D, K) float64: IoU; with an ignored annotation (a crowd), the share of the detection's
        area that lies in it, as in COCO. A box without area overlaps nothing.
    """
    ours = torch.tensor([item.box for item in found], dtype=torch.float64).reshape(-1, 4)
    theirs = torch.as_tensor(sample.boxes, dtype=torch.float64)
    areas = boxes.area(ours)[:, None]
    common = torch.cat(
        [
            torch.maximum(ours[:, None, :2], theirs[None, :, :2]),
            torch.minimum(ours[:, None, 2:], theirs[None, :, 2:]),
        ],
        dim=-1,
    )
    share = torch.where(areas > 0, boxes.area(common) / areas.clamp(min=1e-12), 0.0)
    return torch.where(torch.as_tensor(sample.ignored), share, boxes.iou(ours, theirs)).numpy()


def match(
    found: Sequence[Detection],
    sample: Sample,
    *,
    iou_threshold: float = 0.5,
    max_detections: int = 100,
) -> Matches:
    """Match the detections of an image to its annotations, as `pycocotools.COCOeval` does.

    In the order of falling score, each detection takes, of the annotations with its label that
    overlap it by at least the threshold, the one that does so most: of the objects that are not
    taken yet, or else of the ignored annotations, which any number of detections may match and
    which make them ignored. Of equal overlaps, the later annotation counts.

    As in LVIS, detections of labels whose presence was not checked in the image are ignored, and so
    are those without a match where not every object of the label is annotated.

    Args:
        found: D detections; of equal scores, the earlier goes first.
        sample: the image with K annotations.
        iou_threshold: in (0, 1].
        max_detections: how many of a label count, those with the highest scores; the rest is
            ignored.
    """
    matches = Matches(
        np.full(len(found), -1), np.zeros(len(found), dtype=bool), overlaps(found, sample)
    )
    order = np.argsort([-item.score for item in found], kind="stable")
    labels = np.array([item.label for item in found], dtype=object)
    theirs = np.array(sample.labels, dtype=object)
    for label in dict.fromkeys(item.label for item in found):
        rows, columns = order[labels[order] == label], np.flatnonzero(theirs == label)
        _match_label(matches, rows[:max_detections], columns, sample.ignored, iou_threshold)
        unmatched = rows[matches.annotation[rows] < 0]
        if sample.verified is not None and label not in sample.verified:
            matches.ignored[rows] = True
        elif label in sample.partial:
            matches.ignored[unmatched] = True
        matches.ignored[rows[max_detections:]] = True
    return matches


def _match_label(
    matches: Matches, rows: np.ndarray, columns: np.ndarray, crowds: np.ndarray, threshold: float
) -> None:
    """Fill in what the detections `rows`, by falling score, match of the annotations `columns`."""
    # A threshold of 1 must not fail for rounding; the same number as in COCOeval.
    threshold = min(threshold, 1 - 1e-10)
    free, crowds = columns[~crowds[columns]], columns[crowds[columns]]
    for row in rows:
        chosen = _largest(matches.ious[row], free, threshold)
        if chosen is not None:
            free = free[free != chosen]
        else:
            chosen = _largest(matches.ious[row], crowds, threshold)
            matches.ignored[row] = chosen is not None
        matches.annotation[row] = -1 if chosen is None else chosen


def _largest(ious: np.ndarray, columns: np.ndarray, threshold: float) -> int | None:
    """Of `columns`, the one with the largest IoU, the last of equals; None below the threshold."""
    if not len(columns):
        return None
    last = len(columns) - 1 - int(np.argmax(ious[columns][::-1]))
    return int(columns[last]) if ious[columns[last]] >= threshold else None

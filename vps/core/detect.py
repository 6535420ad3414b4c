"""What a user sees as the detections: candidates after score threshold and NMS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral

import torch

from vps.core import boxes
from vps.core.asking import candidates, check_detector, failures_of, prepared
from vps.core.candidates import Candidates, as_seen
from vps.core.detector import Detector
from vps.core.images import AnyImage
from vps.core.needed import open_for
from vps.core.numbers import check_range
from vps.core.targets import Box, Kind, Target
from vps.errors import InputError, quoted


@dataclass(frozen=True)
class Detection:
    """One detection.

    Attributes:
        box: xyxy, pixels of the original image.
        label: the label with the highest score.
        score: that score, in [0, 1].
    """

    box: Box
    label: str
    score: float


def visible(
    detections: Candidates, index: int = 0, threshold: float = 0.3, nms_iou: float = 0.7
) -> list[Detection]:
    """The detections of one image of a batch.

    Each candidate counts with its highest label, if that scores at least the threshold; of
    candidates with one label that overlap by more than `nms_iou`, the highest stays.

    Args:
        detections: all candidates of B images.
        index: which of the B images.
        threshold: the lowest score that is shown, in [0, 1].
        nms_iou: the IoU above which two boxes of a label are one, in [0, 1].

    Returns:
        The detections, highest score first.

    Raises:
        InputError: an index or a number out of range.
    """
    if not isinstance(index, Integral) or not 0 <= index < len(detections):
        raise InputError(f"there is no image {quoted(index)} in a batch of {len(detections)}")
    check_range("threshold", threshold, high=1)
    check_range("nms_iou", nms_iou, high=1)
    one = slice(index, index + 1)
    alone = Candidates(detections.boxes[one], detections.scores[one], detections.labels)
    seen = as_seen(alone, threshold=threshold, nms_iou=nms_iou)
    scores, order = seen.score[seen.kept].sort(descending=True, stable=True)
    xyxy, labels = alone.boxes[seen.kept][order].float(), seen.label[seen.kept][order]
    rows = zip(xyxy.tolist(), labels.tolist(), scores.tolist(), strict=True)
    return [
        Detection((x1, y1, x2, y2), detections.labels[label], score)
        for (x1, y1, x2, y2), label, score in rows
    ]


def detect(
    detector: Detector,
    image: AnyImage,
    threshold: float = 0.3,
    nms_iou: float = 0.7,
) -> list[Detection]:
    """Run a detector on one image; see `visible` for what is returned.

    Args:
        detector: the detector.
        image: (H, W, 3) uint8 RGB, a PIL image, or the path of an image file.
        threshold: the lowest score that is shown, in [0, 1].
        nms_iou: the IoU above which two boxes of a label are one, in [0, 1].

    Raises:
        InputError: a detector that is none, an image that cannot be used, or a number out of range.
        DetectorError: the detector fails or breaks its contract.
    """
    check_detector(detector)
    opened = open_for(detector, image)
    pixels = prepared(detector, opened.pixels)
    with failures_of(detector, "detecting"), torch.no_grad():
        found = candidates(detector, pixels[None], opened.size)
    return visible(found, 0, threshold, nms_iou)


def as_target(given: Target | Detection) -> Target:
    """A target as it is; a detection as a correct one, for nothing else is known of it.

    Raises:
        InputError: it is neither.
    """
    if isinstance(given, Detection):
        return Target(given.box, given.label)
    if not isinstance(given, Target):
        raise InputError(f"a target is a vps.Target or a vps.Detection, got {quoted(given)}")
    return given


def target_of_box(
    box: Box, label: str | None, labels: Sequence[str], found: Sequence[Detection]
) -> Target:
    """A box that a user gives as a target: missed, unless a detection matches it.

    Args:
        box: xyxy, pixels of the original image.
        label: its label; may be left out where there is only one.
        labels: those of the detector.
        found: what it detects in the image; at IoU 0.5 with the same label, it is the same object.

    Raises:
        InputError: no label, but several to choose from; or a box that is none.
    """
    if label is None:
        if len(labels) > 1:
            raise InputError(f"a box needs a label (--label), one of: {', '.join(labels[:8])}")
        label = labels[0]
    target = Target(box, label)
    rivals = torch.tensor([item.box for item in found if item.label == label]).reshape(-1, 4)
    seen = bool((boxes.iou(rivals, torch.tensor([target.box])) >= 0.5).any())
    return target if seen else Target(target.box, label, Kind.MISSED)

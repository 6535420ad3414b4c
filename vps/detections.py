"""What a user sees as the detections: candidates after score threshold and NMS."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike

import numpy as np
import torch
from PIL.Image import Image

from vps.detector import Detector
from vps.errors import InputError
from vps.images import as_rgb, read_image
from vps.targets import Box
from vps.types import Detections


@dataclass(frozen=True)
class Found:
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
    detections: Detections, index: int = 0, threshold: float = 0.3, nms_iou: float = 0.7
) -> list[Found]:
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
    if not 0 <= index < len(detections):
        raise InputError(f"there is no image {index} in a batch of {len(detections)}")
    if not (0 <= threshold <= 1 and 0 <= nms_iou <= 1):
        raise InputError(f"threshold and NMS IoU must lie in [0, 1], got {threshold} and {nms_iou}")
    if detections.scores[index].numel() == 0:
        return []
    from torchvision.ops import batched_nms

    boxes = detections.boxes[index].float()
    scores, labels = detections.scores[index].float().max(dim=1)
    # A padded candidate scores 0 and is none, whatever the threshold.
    shown = (scores >= threshold) & (scores > 0)
    boxes, scores, labels = boxes[shown], scores[shown], labels[shown]
    kept = batched_nms(boxes, scores, labels, nms_iou)
    rows = zip(boxes[kept].tolist(), labels[kept].tolist(), scores[kept].tolist(), strict=True)
    return [
        Found((x1, y1, x2, y2), detections.labels[label], score)
        for (x1, y1, x2, y2), label, score in rows
    ]


def detect(
    detector: Detector,
    image: np.ndarray | Image | str | PathLike[str],
    threshold: float = 0.3,
    nms_iou: float = 0.7,
) -> list[Found]:
    """Run a detector on one image; see `visible` for what is returned.

    Args:
        detector: the detector.
        image: (H, W, 3) uint8 RGB, a PIL image, or the path of an image file.
        threshold: the lowest score that is shown, in [0, 1].
        nms_iou: the IoU above which two boxes of a label are one, in [0, 1].

    Raises:
        InputError: an image that cannot be used, or a number out of range.
        DetectorError: the detector breaks its contract.
    """
    rgb = read_image(image) if isinstance(image, (str, PathLike)) else as_rgb(image)
    with torch.no_grad():
        detections = detector.detect(detector.prepare(rgb)[None], (rgb.shape[0], rgb.shape[1]))
    return visible(detections, 0, threshold, nms_iou)

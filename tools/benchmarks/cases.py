"""Cases to measure on: objects that a detector finds with the right label."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np
import torch

from vps.boxes import iou
from vps.data.coco import read_coco
from vps.data.scenes import make_scene
from vps.detections import detect
from vps.detector import Detector
from vps.errors import InputError
from vps.targets import Target

RIGHT_IOU = 0.5


@dataclass(frozen=True, eq=False)
class Case:
    """A detection to explain.

    Attributes:
        image_key: names the image in its data set.
        key: names the object in its data set; file names are made of it.
        image: (H, W, 3) uint8 RGB.
        target: what the detector says of the object.
    """

    image_key: str
    key: str
    image: np.ndarray
    target: Target


def coco_cases(
    detector: Detector, folder: Path, split: str, *, threshold: float = 0.3, per_image: int = 2
) -> Iterator[Case]:
    """Objects of a COCO folder that are found right, in the order of its images.

    Args:
        detector: asked for the labels of the data set.
        folder: with annotations/instances_SPLIT.json and SPLIT/.
        split: e.g. "val2017".
        threshold: the lowest score of a detection.
        per_image: the most cases of an image, so that one crowded image does not make up the whole.
    """
    samples = read_coco(folder / "annotations" / f"instances_{split}.json", folder / split)
    for sample in samples:
        pairs = found_right(detector, sample.image, sample.boxes, sample.labels, threshold)
        for row, target in pairs[:per_image]:
            object_id = sample.object_ids[row]
            yield Case(str(sample.image_id), f"{sample.image_id}_{object_id}", sample.image, target)


def scene_cases(
    detector: Detector, seed: int, *, threshold: float = 0.3, per_image: int = 2
) -> Iterator[Case]:
    """Objects of synthetic scenes that are found right; there is no end of scenes."""
    for index in count():
        scene = make_scene(seed, index)
        boxes = np.array([item.box for item in scene.objects]).reshape(-1, 4)
        labels = [item.category for item in scene.objects]
        pairs = found_right(detector, scene.image, boxes, labels, threshold)
        for row, target in pairs[:per_image]:
            yield Case(f"{seed}-{index}", f"{seed}-{index}_{row}", scene.image, target)


def found_right(
    detector: Detector,
    image: np.ndarray,
    boxes: np.ndarray,
    labels: Sequence[str],
    threshold: float,
) -> list[tuple[int, Target]]:
    """The objects that a detection matches in label, and in box at IoU 0.5 or more.

    Args:
        detector: finds them.
        image: (H, W, 3) uint8 RGB.
        boxes: (G, 4) xyxy, the truth.
        labels: their G labels.
        threshold: the lowest score of a detection.

    Returns:
        Index of the object and what the detector says of it, the best detection first; an object
        counts once.
    """
    found = detect(detector, image, threshold)
    if not found or not len(boxes):
        return []
    overlap = iou(
        torch.tensor([item.box for item in found], dtype=torch.float64),
        torch.from_numpy(np.asarray(boxes, np.float64)),
    )
    pairs: dict[int, Target] = {}
    for item, row in zip(found, overlap, strict=True):
        best = int(row.argmax())
        if row[best] >= RIGHT_IOU and labels[best] == item.label and best not in pairs:
            pairs[best] = Target(item.box, item.label)
    return list(pairs.items())


def first(cases: Iterator[Case], wanted: int) -> list[Case]:
    """The first cases of a data set, in all `wanted` or as many as there are.

    Raises:
        InputError: there is none, or none is wanted.
    """
    if wanted < 1:
        raise InputError(f"at least one object is needed, got {wanted}")
    found = [case for case, _ in zip(cases, range(wanted), strict=False)]
    if not found:
        raise InputError("the detector finds none of the objects with the right label")
    return found

"""Cases to measure on: objects that a detector finds with the right label."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np
import torch

from vps.core.boxes import iou
from vps.core.detect import detect
from vps.core.detector import Detector
from vps.core.targets import Target
from vps.data.readers.coco import read_coco
from vps.data.sample import Id, Sample
from vps.data.scenes.layouts import CATEGORIES
from vps.data.scenes.scenes import make_scene
from vps.errors import InputError

RIGHT_IOU = 0.5
SCENES = "scenes:"


@dataclass(frozen=True, eq=False)
class Case:
    """A detection to explain.

    Attributes:
        image_id: the data set's own.
        object_id: likewise.
        image: (H, W, 3) uint8 RGB.
        target: what the detector says of the object.
    """

    image_id: Id
    object_id: Id
    image: np.ndarray
    target: Target

    @property
    def key(self) -> str:
        """Names the case in files."""
        return f"{self.image_id}_{self.object_id}"


def open_data(data: str, split: str) -> tuple[Iterable[Sample], tuple[str, ...]]:
    """A data set and its labels.

    Args:
        data: a COCO folder, with annotations/instances_SPLIT.json and the images in SPLIT/; or
            "scenes:SEED", synthetic scenes without end.
        split: of a COCO folder.

    Raises:
        InputError: a folder that cannot be read, or a seed that is no number.
    """
    if not data.startswith(SCENES):
        folder = Path(data)
        samples = read_coco(folder / "annotations" / f"instances_{split}.json", folder / split)
        return samples, samples.labels
    seed = data.removeprefix(SCENES)
    if not seed.isdigit():
        raise InputError(f"scenes are named by their seed, e.g. {SCENES}960; got {data}")
    return scene_samples(int(seed)), CATEGORIES


def scene_samples(seed: int) -> Iterator[Sample]:
    """Synthetic scenes by their index, with the objects' places in the scene as ids."""
    for index in count():
        scene = make_scene(seed, index)
        yield Sample(
            scene.image,
            index,
            np.array([item.box for item in scene.objects], np.float64).reshape(-1, 4),
            tuple(item.category for item in scene.objects),
            tuple(range(len(scene.objects))),
        )


def cases_found(
    detector: Detector, samples: Iterable[Sample], *, threshold: float = 0.3, per_image: int = 2
) -> Iterator[Case]:
    """Objects that a detection matches in label, and in box at IoU 0.5 or more.

    Args:
        detector: asked for the labels of the data set.
        samples: the data set; its order is that of the cases.
        threshold: the lowest score of a detection.
        per_image: the most cases of an image, best detections first, so that one crowded image
            does not make up the whole.
    """
    for sample in samples:
        found = detect(detector, sample.image, threshold)
        if not found or not len(sample.boxes):
            continue
        overlap = iou(
            torch.tensor([item.box for item in found], dtype=torch.float64),
            torch.from_numpy(sample.boxes),
        )
        overlap[:, torch.from_numpy(sample.ignored)] = 0
        taken: set[int] = set()
        for item, row in zip(found, overlap, strict=True):
            best = int(row.argmax())
            right = row[best] >= RIGHT_IOU and sample.labels[best] == item.label
            if right and best not in taken and len(taken) < per_image:
                taken.add(best)
                target = Target(item.box, item.label)
                yield Case(sample.image_id, sample.object_ids[best], sample.image, target)

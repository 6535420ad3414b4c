"""Annotated images and detections, made in one line."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vps.core.detect import Detection
from vps.data.sample import Sample

Boxed = tuple[str, tuple[float, float, float, float]]
"""A label and an xyxy box."""


def annotated(
    objects: Sequence[Boxed],
    *,
    crowds: Sequence[int] = (),
    image_id: int = 1,
    size: tuple[int, int] = (100, 100),
    **fields,
) -> Sample:
    """A black image; annotation k has the id 10 + k, and `crowds` are indices of ignored ones."""
    boxes = np.array([box for _, box in objects], dtype=np.float64).reshape(-1, 4)
    return Sample(
        image=np.zeros((*size, 3), np.uint8),
        image_id=image_id,
        boxes=boxes,
        labels=tuple(label for label, _ in objects),
        object_ids=tuple(10 + index for index in range(len(objects))),
        ignored=np.isin(np.arange(len(objects)), crowds),
        areas=(boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]),
        **fields,
    )


def seen(*items: tuple[str, tuple[float, float, float, float], float]) -> list[Detection]:
    """Detections from labels, boxes and scores."""
    return [Detection(box, label, score) for label, box, score in items]

"""A module as a user writes it: functions that build detectors, by name."""

from __future__ import annotations

from typing import Any

import numpy as np

from detectors import wrap
from detectors.function import FunctionDetector

LABELS = ("cat", "dog")


def brightest(image: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """A dog in the upper left of an image, as bright as it is."""
    box = np.array([[2.0, 2.0, 12.0, 12.0]])
    return box, np.array([image[2:12, 2:12].mean() / 255]), ["dog"]


def build(scale: float = 1.0, device: str = "cpu") -> Any:
    """A detector, with an option."""

    def scaled(image: np.ndarray) -> Any:
        boxes, scores, labels = brightest(image)
        return boxes, scores * scale, labels

    return wrap(scaled, labels=LABELS, boxes="xyxy", channels="rgb", name="mine", device=device)


def raw_model(labels: Any = None) -> Any:
    """A model of torchvision, as it is, with its classes' names if they are given."""
    from tests.models.tiny_torchvision import tiny_fcos

    model = tiny_fcos(4).eval()
    return model if labels is None else wrap(model, labels=labels)


def asked(labels: Any) -> FunctionDetector:
    """A detector that is told what to look for."""
    half = np.full((1, 1, len(labels)), 0.5, np.float32)
    return FunctionDetector(
        lambda pixels: (
            np.tile(np.float32([[2, 2, 12, 12]]), (len(pixels), 1, 1)),
            np.tile(half, (len(pixels), 1, 1)),
        ),
        labels,
        name="asked",
    )


def failing() -> None:
    raise OSError("no such weights")


def nothing() -> None:
    pass


ready = build()
"""A detector that the module holds."""

"""A function as a detector: no library, no file."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from detectors.function import FunctionDetector
from tests.models.zoo import Case


def brightness(pixels: Tensor) -> tuple[Tensor, Tensor]:
    """One box, the left half of the grid; scored by how bright it is, and how dark."""
    count, _, height, width = pixels.shape
    score = pixels[..., : width // 2].mean((1, 2, 3))
    boxes = pixels.new_tensor([0, 0, width / 2, height]).expand(count, 1, 4)
    return boxes, torch.stack([score, 1 - score], -1)[:, None]


def load_function(_: Path, device: str) -> FunctionDetector:
    return FunctionDetector(brightness, ("bright", "dark"), device=device)


def load_spoilt(_: Path, value: float) -> FunctionDetector:
    def spoilt(pixels: Tensor) -> tuple[Tensor, Tensor]:
        boxes, scores = brightness(pixels)
        return boxes, scores * value

    return FunctionDetector(spoilt, ("bright", "dark"))


CASES = [Case("function", save=lambda _: None, load=load_function, spoilt=load_spoilt)]

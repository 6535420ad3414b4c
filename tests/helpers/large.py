"""A large photo, and a detector that sees little of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from detectors.function import FunctionDetector
from vps.core import images, needed

LAMP = (600, 120, 900, 240)
"""The box of the bright part of the photo."""


class OnItsGrid(FunctionDetector):
    """Finds the bright part of an image, which it sees 40 pixels wide."""

    def __init__(self) -> None:
        super().__init__(find_lamp, ["lamp"])

    def prepare(self, image):
        height, width = image.shape[:2]
        grid = torch.nn.functional.interpolate(
            torch.from_numpy(image.copy()).permute(2, 0, 1)[None].float(),
            (max(round(40 * height / width), 1), 40),
            mode="area",
        )
        return grid[0] / 255


def find_lamp(pixels):
    boxes = np.zeros((len(pixels), 1, 4))
    scores = np.zeros((len(pixels), 1, 1))
    for row, plane in enumerate(np.asarray(pixels).mean(1)):
        y, x = np.nonzero(plane > 0.5)
        if len(x):
            boxes[row, 0] = x.min(), y.min(), x.max() + 1, y.max() + 1
            scores[row] = 0.9
    return boxes, scores


def large_photo(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A photo of 1200 x 600 pixels, large here, which is stored turned by a quarter."""
    monkeypatch.setattr(images, "LARGE", 100_000)
    monkeypatch.setattr(needed, "_PROBES", (160, 240))
    x1, y1, x2, y2 = LAMP
    pixels = np.zeros((600, 1200, 3), np.uint8)
    pixels[y1:y2, x1:x2] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = Image.fromarray(pixels).transpose(Image.Transpose.ROTATE_90)
    stored.save(folder / "large.jpg", exif=exif, quality=90)
    return folder / "large.jpg"


def note_sizes(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """A list that gets the (h, w) of each image that a detector on its grid is given."""
    seen: list[tuple[int, int]] = []
    prepare = OnItsGrid.prepare

    def noted(self, image):
        seen.append(image.shape[:2])
        return prepare(self, image)

    monkeypatch.setattr(OnItsGrid, "prepare", noted)
    return seen

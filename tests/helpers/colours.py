"""A detector for the page: as quick, as slow or as broken as a test wants it."""

from __future__ import annotations

import threading
import time

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from vps.core.candidates import Candidates

GRID = (48, 64)
PLACES = {"red": (0.125, 0.25, 0.375, 0.75), "green": (0.625, 0.25, 0.875, 0.75)}
"""Where it looks for a colour, as shares of width and height."""

_CHANNELS = {"red": 0, "green": 1}


class Colours:
    """Finds what is called red on the left and green on the right, as colourful as it is.

    Class attributes change what all of them do: `delay`, seconds that each call takes; `fails`,
    whether it raises; `busy`, how many calls there are at this moment; `most`, the most there were.
    """

    device = torch.device("cpu")
    name = "colours"
    delay = 0.0
    fails = False
    busy = most = calls = 0
    _lock = threading.Lock()

    def __init__(self, labels: tuple[str, ...] = ("red", "green")) -> None:
        self.labels = labels

    def with_labels(self, labels: tuple[str, ...]) -> Colours:
        return type(self)(labels)

    def prepare(self, image: np.ndarray) -> Tensor:
        pixels = torch.from_numpy(image.copy()).permute(2, 0, 1)[None].float() / 255
        return interpolate(pixels, GRID, mode="area")[0]

    def detect(self, pixels: Tensor, size: tuple[int, int]) -> Candidates:
        with self._lock:
            type(self).busy += 1
            type(self).calls += 1
            type(self).most = max(self.most, self.busy)
        try:
            time.sleep(self.delay)
            if self.fails:
                raise RuntimeError("out of colours")
            return self._found(pixels, size)
        finally:
            with self._lock:
                type(self).busy -= 1

    def _found(self, pixels: Tensor, size: tuple[int, int]) -> Candidates:
        height, width = GRID
        full = torch.tensor([size[1], size[0], size[1], size[0]])
        boxes = torch.tensor(list(PLACES.values())) * full
        scores = torch.zeros(len(pixels), len(PLACES), len(self.labels))
        for row, (x1, y1, x2, y2) in enumerate(PLACES.values()):
            part = pixels[
                :, :, int(y1 * height) : int(y2 * height), int(x1 * width) : int(x2 * width)
            ].mean(dim=(2, 3))
            for column, label in enumerate(self.labels):
                channel = _CHANNELS.get(label.split()[-1])
                if channel is not None:
                    others = part.sum(dim=1) - part[:, channel]
                    scores[:, row, column] = (part[:, channel] - others / 2).clamp(0, 1)
        return Candidates(boxes.expand(len(pixels), -1, -1), scores, self.labels)


def build(labels: tuple[str, ...] = ("red", "green")) -> Colours:
    """What the page loads by `tests.helpers.colours:build`."""
    return Colours(tuple(labels))


def scene(height: int = 96, width: int = 128) -> np.ndarray:
    """(H, W, 3) uint8: grey noise with a red block on the left and a green one on the right."""
    image = np.random.default_rng(0).integers(90, 130, (height, width, 3), dtype=np.uint8)
    for channel, (x1, y1, x2, y2) in enumerate(PLACES.values()):
        block = image[int(y1 * height) : int(y2 * height), int(x1 * width) : int(x2 * width)]
        block[:] = (20, 20, 20)
        block[..., channel] = 240
    return image

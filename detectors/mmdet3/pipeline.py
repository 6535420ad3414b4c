"""The test pipeline of an mmdet config, taken apart into what resizes and what pads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vps.core.extras import require
from vps.core.images import as_rgb
from vps.errors import InputError

DetDataSample: Any = require("mmdet.structures", extra="mmdet").DetDataSample


@dataclass(frozen=True)
class Frame:
    """Where a resized image stands in what the model gets of it: top left.

    Attributes:
        size: (h, w) of the whole.
        padding: (3,) the colour of the rest, BGR in [0, 255].
        meta: the meta information of the image, as the pipeline packs it. It calls the resized
            image the original one, so that boxes are in pixels of that.
    """

    size: tuple[int, int]
    padding: Tensor
    meta: dict[str, Any]

    def place(self, pixels: Tensor) -> Tensor:
        """Pixels (B, 3, h, w), RGB in [0, 1], padded, BGR in [0, 255]."""
        colour = self.padding.to(pixels)[:, None, None]
        batch = colour.repeat(len(pixels), 1, *self.size)
        batch[..., : pixels.shape[2], : pixels.shape[3]] = pixels.flip(1) * 255
        return batch

    def samples(self, count: int) -> list[Any]:
        """As many `DetDataSample`s of images that stand in the frame."""
        return [DetDataSample(metainfo=self.meta) for _ in range(count)]


class Pipeline:
    """The transforms of a test pipeline, without those that load images and annotations.

    What stands before the first transform that pads or packs makes the picture that the model
    sees. The rest only puts it into a frame, which is found out by sending a black and a white
    image through it.

    Args:
        transforms: as mmdet builds them.

    Raises:
        InputError: a pipeline that does more than load, resize, pad and pack.
    """

    def __init__(self, transforms: Sequence[Any]) -> None:
        named = [(type(transform).__name__, transform) for transform in transforms]
        self._float = any(getattr(transform, "to_float32", False) for _, transform in named)
        kept = [pair for pair in named if not pair[0].startswith("Load")]
        ends = [i for i, (name, _) in enumerate(kept) if "Pad" in name or name.startswith("Pack")]
        self._names = [name for name, _ in kept]
        if not ends:
            raise self._error("it has no step that packs the image")
        self._resizing = [transform for _, transform in kept[: ends[0]]]
        self._finishing = [transform for _, transform in kept[ends[0] :]]
        self._frames: dict[tuple[int, int], Frame] = {}
        for value in (0, 255):
            resized = self.resize(np.full((32, 48, 3), value, np.uint8))
            if not (resized == value / 255).all():
                raise self._error("it changes colours")
            self.frame((resized.shape[1], resized.shape[2]))

    def resize(self, image: np.ndarray) -> Tensor:
        """An image (H, W, 3), uint8 RGB, as the model sees it: (3, h, w), RGB in [0, 1]."""
        bgr = as_rgb(image)[..., ::-1]
        results: Any = self._start(np.ascontiguousarray(bgr, np.float32 if self._float else None))
        for transform in self._resizing:
            results = transform(results)
        resized = results.get("img") if isinstance(results, dict) else None
        if not isinstance(resized, np.ndarray) or resized.ndim != 3 or resized.shape[2] != 3:
            raise self._error("it does not make one image (h, w, 3) of one")
        planes = np.ascontiguousarray(resized[..., ::-1].transpose(2, 0, 1))
        # A cubic filter steps over the ends of the range.
        return torch.from_numpy(planes).to(torch.float32).div_(255).clamp_(0, 1)

    def frame(self, grid: tuple[int, int]) -> Frame:
        """The frame of resized images of (h, w)."""
        if grid not in self._frames:
            self._frames[grid] = self._find_frame(grid)
        return self._frames[grid]

    def _find_frame(self, grid: tuple[int, int]) -> Frame:
        (black, sample), (white, _) = (self._finish(grid, value) for value in (0, 255))
        height, width = grid
        inside = torch.zeros(black.shape[1:], dtype=torch.bool)
        inside[:height, :width] = True
        rest = black[:, ~inside]
        padding = rest[:, 0] if rest.numel() else torch.zeros(3)
        if not (
            (black[:, inside] == 0).all()
            and (white[:, inside] == 255).all()
            and (rest == padding[:, None]).all()
            and torch.equal(rest, white[:, ~inside])
        ):
            raise self._error(
                "it does more than pad at the bottom and on the right with one colour"
            )
        return Frame((black.shape[1], black.shape[2]), padding, dict(sample.metainfo))

    def _finish(self, grid: tuple[int, int], value: int) -> tuple[Tensor, Any]:
        results: Any = self._start(np.full((*grid, 3), value, np.uint8))
        for transform in self._finishing:
            results = transform(results)
        try:
            return results["inputs"].float(), results["data_samples"]
        except (KeyError, TypeError, AttributeError):
            raise self._error("its last step does not pack one image") from None

    @staticmethod
    def _start(image: np.ndarray) -> dict[str, Any]:
        """What loading an image gives, and what resizing would say of it."""
        size = image.shape[:2]
        return {
            "img": image,
            "img_id": 0,
            "img_path": "",
            "img_shape": size,
            "ori_shape": size,
            "scale_factor": (1.0, 1.0),
            "flip": False,
            "flip_direction": None,
        }

    def _error(self, reason: str) -> InputError:
        return InputError(
            f"the test pipeline ({', '.join(self._names)}) cannot be explained: {reason}; give a "
            "config whose test pipeline loads, resizes, pads and packs"
        )

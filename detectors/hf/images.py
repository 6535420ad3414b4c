"""A checkpoint's own image processor in two steps: resize first, normalise and pad later."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from detectors.hf.checkpoint import transformers
from detectors.shared.features import Placement
from detectors.shared.pixels import scale_boxes
from vps.core.images import as_rgb
from vps.errors import InputError

# Every processor of transformers has its own rules of size, rounding and filter, so that it resizes
# itself. The one that works with Pillow has been called differently.
PILLOW = (
    {"backend": "pil"} if int(transformers.__version__.split(".")[0]) >= 5 else {"use_fast": False}
)


@dataclass(frozen=True)
class ImageProcessor:
    """How a checkpoint wants its images.

    Attributes:
        resizer: the image processor of transformers, set to leave out what comes after resizing.
        white: what it makes of 255.
        mean: subtracted from pixels in [0, 1].
        std: by which the difference is divided.
        canvas: (h, w) to which all images are padded at the right and below; None for no padding.
        frame: the brightness of the padding where that belongs to the picture, as in OWLv2, and
            boxes are relative to the whole canvas. Otherwise None: padding is 0 after
            normalisation, masked, and boxes are relative to the image.
    """

    resizer: Any
    white: float
    mean: tuple[float, ...]
    std: tuple[float, ...]
    canvas: tuple[int, int] | None
    frame: float | None

    def prepare(self, image: np.ndarray, device: torch.device) -> Tensor:
        """An image (H, W, 3) uint8 RGB, resized: (3, h, w) float32 RGB in [0, 1].

        Raises:
            InputError: no image, or one so narrow that nothing is left of it.
        """
        image = as_rgb(image)
        try:
            made = self.resizer(
                Image.fromarray(image), input_data_format="channels_last", return_tensors="pt"
            )
        except ValueError as error:
            raise InputError(
                f"this model's image processor cannot resize an image of {image.shape[0]} x "
                f"{image.shape[1]} pixels (height x width); crop it to a less narrow one"
            ) from error
        pixels = made["pixel_values"][0].to(torch.float32) / self.white
        if self.canvas and self.frame is not None:
            # The library pads before it resizes.
            height, width = extent(image.shape[:2], self.canvas)
            pixels = pixels[:, :height, :width]
        return pixels.clamp(0, 1).contiguous().to(device)

    def inputs(self, pixels: Tensor) -> tuple[Tensor, Tensor | None]:
        """What the model is given.

        Args:
            pixels: (B, 3, h, w) float in [0, 1].

        Returns:
            (B, 3, h', w'), normalised and padded, and a mask (B, h', w') that is 1 on the image,
            or None where nothing is masked.

        Raises:
            InputError: the images are larger than the canvas.
        """
        mean, std = (pixels.new_tensor(values)[:, None, None] for values in (self.mean, self.std))
        if self.canvas is None:
            return (pixels - mean) / std, None
        height, width = pixels.shape[2:]
        below, right = self.canvas[0] - height, self.canvas[1] - width
        if min(below, right) < 0:
            raise InputError(
                f"images of {height} x {width} pixels (height x width) are larger than the "
                f"{self.canvas[0]} x {self.canvas[1]} to which this model pads"
            )
        sides = (0, right, 0, below)
        if self.frame is not None:
            return (functional.pad(pixels, sides, value=self.frame) - mean) / std, None
        mask = torch.ones_like(pixels[:, 0], dtype=torch.long)
        return functional.pad((pixels - mean) / std, sides), functional.pad(mask, sides)

    def placement(self, grid: tuple[int, int]) -> Placement:
        """Where pixels of (h, w) stand in `inputs`."""
        return Placement(self.canvas or grid)

    def to_image(self, boxes: Tensor, grid: tuple[int, int], size: tuple[int, int]) -> Tensor:
        """xyxy boxes (..., 4) that a model gives in [0, 1], as pixels of the original image (H, W).

        Args:
            boxes: the boxes.
            grid: (h, w) of the pixels that the boxes were found in.
            size: (H, W).
        """
        if self.canvas is None or self.frame is None:
            return scale_boxes(boxes, (1, 1), size)
        if grid == extent(size, self.canvas):
            # As the library does it: not by the grid, where the picture ends at a whole pixel.
            return boxes * max(size)
        return scale_boxes(boxes * boxes.new_tensor([*self.canvas[::-1]] * 2), grid, size)


def extent(size: tuple[int, int], canvas: tuple[int, int]) -> tuple[int, int]:
    """How much of a canvas (h, w) an image (H, W) fills, padded to a square and then resized."""
    height, width = (
        max(1, round(whole * side / max(size))) for whole, side in zip(canvas, size, strict=True)
    )
    return height, width


def read_processor(folder: str) -> ImageProcessor:
    """The image processor of a checkpoint; call it within `hf_checkpoint.loading`.

    Args:
        folder: what `hf_checkpoint.find_checkpoint` returns.

    Raises:
        InputError: there is none, or it cuts off parts of the image.
    """
    names = ("preprocessor_config.json", "processor_config.json")
    if Path(folder).is_dir() and not any((Path(folder) / name).is_file() for name in names):
        raise InputError(f"{folder} lacks {names[0]}, which says how images are resized; add it")
    resizer = transformers.AutoImageProcessor.from_pretrained(
        folder, trust_remote_code=False, **PILLOW
    )
    if getattr(resizer, "do_center_crop", False):
        raise InputError(
            f"{folder}: the image processor crops images to their centre, so that boxes could not "
            "be mapped back; set do_center_crop to false in preprocessor_config.json"
        )
    white = 255 * (resizer.rescale_factor if resizer.do_rescale else 1.0)
    mean, std = (0.0,) * 3, (1.0,) * 3
    if resizer.do_normalize:
        mean, std = tuple(resizer.image_mean), tuple(resizer.image_std)
    square = type(resizer).__name__.startswith("Owlv2")
    pads = bool(getattr(resizer, "do_pad", False))
    canvas = (resizer.size if square else getattr(resizer, "pad_size", None)) if pads else None
    resizer.do_normalize = False
    resizer.do_pad = pads and square
    return ImageProcessor(
        resizer,
        white,
        tuple(value / white for value in mean),
        tuple(value / white for value in std),
        (int(canvas["height"]), int(canvas["width"])) if canvas else None,
        _frame(resizer) / white if resizer.do_pad else None,
    )


def _frame(resizer: Any) -> float:
    """What OWLv2's processor pads with: grey, until transformers 5 made it black."""
    made = resizer(Image.new("RGB", (16, 8), "white"), return_tensors="pt")
    return float(made["pixel_values"][0, 0, -1, -1])

"""From pixels to the input of an ONNX file: size, place, colours, numbers."""

from __future__ import annotations

import torch
from torch import Tensor

from detectors.onnx_files.config import InputConfig
from vps.errors import InputError


def fitted_content(size: tuple[int, int], config: InputConfig) -> tuple[int, int]:
    """The (h, w) to which an image (H, W) is resized.

    Where the aspect ratio is kept, YOLOX rounds down, and YOLOv5 and later to the nearest.
    """
    if config.placement == "stretch":
        return config.size
    if config.placement == "free":
        ratio = min(min(config.size) / min(size), max(config.size) / max(size))
        return max(1, round(size[0] * ratio)), max(1, round(size[1] * ratio))
    ratio = min(config.size[0] / size[0], config.size[1] / size[1])
    whole = int if config.placement == "corner" else round
    return max(1, whole(size[0] * ratio)), max(1, whole(size[1] * ratio))


def corner(grid: tuple[int, int], config: InputConfig) -> tuple[int, int]:
    """Row and column of the model's input at which pixels of (h, w) start."""
    if config.placement != "centre":
        return 0, 0
    return (config.size[0] - grid[0]) // 2, (config.size[1] - grid[1]) // 2


def whole_size(grid: tuple[int, int], config: InputConfig) -> tuple[int, int]:
    """(height, width) of the model's input for pixels of (h, w), padding and all.

    Raises:
        InputError: the pixels are larger than the model's input.
    """
    if config.placement == "free":
        return grid
    if grid[0] > config.size[0] or grid[1] > config.size[1]:
        raise InputError(
            f"the model takes pixels of at most {config.size} (height, width), got {grid}; "
            "use prepare()"
        )
    return config.size


def arranged(pixels: Tensor, config: InputConfig, dtype: torch.dtype = torch.float32) -> Tensor:
    """Pixels (B, 3, h, w), RGB in [0, 1], as the model takes them: padded and normalised."""
    height, width = pixels.shape[2:]
    top, left = corner((height, width), config)
    batch = pixels.new_full((len(pixels), 3, *whole_size((height, width), config)), config.padding)
    ordered = pixels.flip(1) if config.channels == "bgr" else pixels
    batch[..., top : top + height, left : left + width] = ordered * config.scale
    mean, std = (batch.new_tensor(values)[:, None, None] for values in (config.mean, config.std))
    batch = (batch - mean) / std
    if dtype == torch.uint8:
        batch = batch.round().clamp(0, 255)
    batch = batch.permute(0, 2, 3, 1) if config.layout == "nhwc" else batch
    return batch.to(dtype).contiguous()

"""From an image to the pixels a model sees, and from its boxes back to the image."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from vps.core.images import as_rgb
from vps.core.names import choose
from vps.errors import InputError

DEVICES = "cpu, cuda, cuda:0 or mps"
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def to_pixels(
    image: np.ndarray,
    size: tuple[int, int],
    device: torch.device,
    resample: int = Image.Resampling.BILINEAR,
) -> Tensor:
    """Resize an image as Pillow does, which smooths it when it shrinks.

    Args:
        image: (H, W, 3) uint8 RGB.
        size: (h, w) of the result.
        device: where the result lies.
        resample: one of Pillow's filters.

    Returns:
        (3, h, w) float32 RGB in [0, 1].
    """
    image = as_rgb(image)
    height, width = size
    picture = Image.fromarray(image)
    if image.shape[:2] != size:
        picture = picture.resize((width, height), Image.Resampling(resample))
    planes = torch.from_numpy(np.array(picture)).to(device).permute(2, 0, 1)
    return planes.to(torch.float32).div_(255).contiguous()


def sampled(image: np.ndarray, size: tuple[int, int], device: torch.device) -> Tensor:
    """Resize an image as OpenCV's INTER_LINEAR does, without smoothing it where it shrinks.

    The same as torch's `interpolate(..., mode="bilinear")`, for which the whole image would have to
    be floating point: here only the pixels that count are.

    Args, Returns:
        as for `to_pixels`.
    """
    image = as_rgb(image)
    rows, down = _between(image.shape[0], size[0])
    columns, across = _between(image.shape[1], size[1])
    corners = torch.from_numpy(image[rows.ravel()][:, columns.ravel()]).to(device, torch.float32)
    corners = corners.view(size[0], 2, size[1], 2, 3)
    lines = torch.lerp(corners[:, 0], corners[:, 1], down.to(device).view(-1, 1, 1, 1))
    found = torch.lerp(lines[:, :, 0], lines[:, :, 1], across.to(device).view(1, -1, 1))
    return found.permute(2, 0, 1).div(255).contiguous()


def _between(whole: int, part: int) -> tuple[np.ndarray, Tensor]:
    """Along a side: (part, 2) the pixels that each new one lies between, and (part,) how far."""
    places = np.maximum((np.arange(part) + 0.5) * (whole / part) - 0.5, 0)
    first = places.astype(np.int64)
    pairs = np.stack([first, np.minimum(first + 1, whole - 1)], axis=1)
    return pairs, torch.from_numpy((places - first).astype(np.float32))


def scale_boxes(boxes: Tensor, grid: tuple[int, int], size: tuple[int, int]) -> Tensor:
    """xyxy boxes (..., 4) in pixels of the grid (h, w), as pixels of the image (H, W)."""
    down, across = size[0] / grid[0], size[1] / grid[1]
    return boxes * boxes.new_tensor([across, down, across, down])


def check_batch(pixels: Tensor) -> tuple[int, int]:
    """The (h, w) of a batch of pixels.

    Raises:
        InputError: not a float tensor (B, 3, h, w) with at least one image.
    """
    shape = tuple(pixels.shape)
    if len(shape) != 4 or shape[1] != 3 or 0 in shape or not pixels.is_floating_point():
        raise InputError(
            f"a detector takes float pixels of shape (B, 3, h, w), got {pixels.dtype} {shape}; "
            "stack what prepare() returns"
        )
    return shape[2], shape[3]


def check_given_size(size: tuple[int, int] | None) -> None:
    """Raise InputError unless images can be resized to this (h, w); None is their own size."""
    if size is not None and (len(size) != 2 or min(size) < 1):
        raise InputError(f"size must be (height, width) in pixels, got {size}")


def choose_device(device: str | torch.device) -> torch.device:
    """A device that is there.

    Raises:
        InputError: no device has this name, or this machine has none of the kind.
    """
    try:
        chosen = torch.device(device)
    except RuntimeError:
        raise InputError(f"unknown device {device!r}; use {DEVICES}") from None
    if chosen.type not in ("cpu", "cuda", "mps"):
        raise InputError(f"device {device} is not supported; use {DEVICES}")
    if chosen.type == "cuda" and (chosen.index or 0) >= torch.cuda.device_count():
        count = torch.cuda.device_count()
        raise InputError(
            f"device {device} was asked for, but torch finds {count} CUDA GPUs; use cpu"
        )
    if chosen.type == "mps" and not torch.backends.mps.is_available():
        raise InputError(
            f"device {device} was asked for, which is the GPU of an Apple computer, and torch "
            "finds none; use cpu"
        )
    return chosen


def choose_dtype(name: str) -> torch.dtype:
    """The dtype of a name.

    Raises:
        InputError: not one of `DTYPES`.
    """
    return choose(DTYPES, name, "dtype")


@contextmanager
def enough_places(inputs: Tensor, queries: int) -> Iterator[None]:
    """Within the block, a forward pass that fails on too small an image says so.

    Raises:
        InputError: the images (B, 3, h, w) have fewer places than the model's queries.
    """
    try:
        yield
    except RuntimeError as error:
        # Too small for a kernel of the backbone, or for as many proposals as queries.
        if not any(part in str(error) for part in ("selected index k out of range", "Kernel size")):
            raise
        raise InputError(
            f"images of {inputs.shape[2]} x {inputs.shape[3]} pixels (height x width) give the "
            f"model fewer places than its {queries} queries; crop the image to a less narrow one"
        ) from error

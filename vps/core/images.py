"""Images at the edge: whatever comes in leaves as RGB uint8 (H, W, 3)."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from vps.errors import InputError

AnyImage = np.ndarray | Image.Image | str | PathLike[str]
"""What becomes an image: an array, a PIL image, or the path of a file."""


def read_image(path: str | PathLike[str]) -> np.ndarray:
    """Read an image file as (H, W, 3) uint8 RGB, turned as its EXIF orientation says.

    Raises:
        InputError: the file is missing, truncated or no image.
    """
    path = Path(path)
    try:
        with Image.open(path) as image:
            return as_rgb(image)
    except FileNotFoundError:
        raise InputError(f"image {path} does not exist") from None
    except UnidentifiedImageError:
        raise InputError(f"{path} is not an image that Pillow can read") from None
    except Image.DecompressionBombError as error:
        raise InputError(f"image {path} is too large to be opened safely: {error}") from None
    except (OSError, SyntaxError) as error:
        # Errors of the system have a number; those of a decoder have none.
        reason = getattr(error, "strerror", None) or f"is it truncated? ({error})"
        raise InputError(f"image {path} cannot be read: {reason}") from None


def as_rgb(image: np.ndarray | Image.Image) -> np.ndarray:
    """An image as (H, W, 3) uint8 RGB.

    Args:
        image: a PIL image of any mode, or an array: (H, W) or (H, W, 1) grey, or (H, W, 3) RGB,
            uint8. An array in BGR order must be turned round by the caller: nothing in it tells.

    Raises:
        InputError: another shape or type.
    """
    if isinstance(image, Image.Image):
        return np.array(ImageOps.exif_transpose(image).convert("RGB"))
    array = np.asarray(image)
    if array.ndim == 2:
        array = array[..., None]
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] not in (1, 3):
        raise InputError(
            f"an image must be uint8 RGB of shape (H, W, 3), got {array.dtype} {array.shape}"
        )
    if array.size == 0:
        raise InputError(f"an image needs at least one pixel, got shape {array.shape}")
    return np.ascontiguousarray(np.broadcast_to(array, (*array.shape[:2], 3)))


def open_image(image: AnyImage) -> tuple[np.ndarray, str | None]:
    """(H, W, 3) uint8 RGB, and the file name of a path."""
    if isinstance(image, (str, PathLike)):
        return read_image(image), Path(image).name
    return as_rgb(image), None

"""Images at the edge: whatever comes in leaves as RGB uint8 (H, W, 3)."""

from __future__ import annotations

from functools import cache
from os import PathLike
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from vps.core.files import open_file, shown_path
from vps.errors import InputError, one_line

AnyImage = np.ndarray | Image.Image | str | PathLike[str]
"""What becomes an image: an array, a PIL image, or the path of a file."""

PHOTOGRAPHS = ("JPEG", "PNG", "WEBP", "AVIF", "BMP", "GIF", "TIFF", "PPM")
"""The formats that are read, as Pillow calls them; a phone's MPO opens as JPEG.

Others that Pillow knows run programs (EPS is given to Ghostscript), or are seldom read and so
seldom looked after. What a file holds decides, not what it is called.
"""


def read_image(path: str | PathLike[str]) -> np.ndarray:
    """Read an image file as (H, W, 3) uint8 RGB, turned as its EXIF orientation says.

    Of several frames, the first is read.

    Raises:
        InputError: the file is missing or no regular one, truncated, or no image of a format in
            `PHOTOGRAPHS`.
    """
    path = Path(path)
    with open_file(path, "image") as file:
        return decode_image(file, f"image {shown_path(path)}")


def decode_image(file: BinaryIO, what: str) -> np.ndarray:
    """As `read_image`, out of an open file or a buffer; `what` names it in messages."""
    try:
        with Image.open(file, formats=_formats()) as image:
            return _rgb(image)
    except UnidentifiedImageError:
        raise InputError(
            f"{what} is not an image of a format that is read ({', '.join(_formats())})"
        ) from None
    except Image.DecompressionBombError as error:
        raise InputError(f"{what} is too large to be opened safely: {error}") from None
    except MemoryError:
        raise InputError(f"{what} is too large for the memory of this machine") from None
    except (OSError, SyntaxError) as error:
        # Errors of the system have a number; those of a decoder have none.
        reason = getattr(error, "strerror", None) or f"is it truncated? ({one_line(error)})"
        raise InputError(f"{what} cannot be read: {reason}") from None
    except Exception as error:  # Decoders raise errors of nearly any class.
        raise InputError(f"{what} cannot be read: {one_line(error)}") from None


def stored_size(path: str | PathLike[str]) -> tuple[int, int]:
    """(H, W) of an image file as it is stored, whose pixels are not read.

    Raises:
        InputError: the file is missing, or no image.
    """
    path = Path(path)
    with open_file(path, "image") as file:
        try:
            with Image.open(file, formats=_formats()) as image:
                return image.height, image.width
        except Exception as error:
            raise InputError(
                f"image {shown_path(path)} cannot be read: {one_line(error)}"
            ) from None


def as_rgb(image: np.ndarray | Image.Image) -> np.ndarray:
    """An image as (H, W, 3) uint8 RGB.

    Args:
        image: a PIL image of any mode, or an array: (H, W) or (H, W, 1) grey, or (H, W, 3) RGB,
            uint8. An array in BGR order must be turned round by the caller: nothing in it tells.

    Raises:
        InputError: another shape or type, or a PIL image whose file cannot be read.
    """
    if isinstance(image, Image.Image):
        try:
            return _rgb(image)
        except InputError:
            raise
        except Exception as error:  # Pillow reads the pixels only when they are asked for.
            raise InputError(f"the image cannot be read: {one_line(error)}") from None
    try:
        array = np.asarray(image)
    except ValueError:  # Rows of several lengths.
        array = np.empty(0)
    if array.ndim == 2:
        array = array[..., None]
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] not in (1, 3):
        raise InputError(
            f"an image must be uint8 RGB of shape (H, W, 3), got {array.dtype} {array.shape}"
        )
    return np.ascontiguousarray(np.broadcast_to(_not_empty(array), (*array.shape[:2], 3)))


def open_image(image: AnyImage) -> tuple[np.ndarray, str | None]:
    """(H, W, 3) uint8 RGB, and the file name of a path."""
    if isinstance(image, (str, PathLike)):
        return read_image(image), Path(image).name
    return as_rgb(image), None


@cache
def _formats() -> tuple[str, ...]:
    """Those of `PHOTOGRAPHS` that this Pillow has: it came to AVIF late."""
    Image.init()
    return tuple(name for name in PHOTOGRAPHS if name in Image.OPEN)


def _rgb(image: Image.Image) -> np.ndarray:
    return _not_empty(np.array(ImageOps.exif_transpose(image).convert("RGB")))


def _not_empty(array: np.ndarray) -> np.ndarray:
    if array.size == 0:
        raise InputError(f"an image needs at least one pixel, got shape {array.shape}")
    return array

"""Images in no more pixels than a picture can show."""

from __future__ import annotations

import numpy as np
from PIL import Image

from vps.core.images import AnyImage, OpenedImage, open_image
from vps.errors import InputError

LONGEST = 1500
"""Pixels of the longer side of an image in a panel."""

_KEPT = 1000  # of one that a result keeps, beside arrays that are about as large
_PAPER = 222  # the grey that stands for an image that is not there


def drawable(image: AnyImage, size: tuple[int, int], what: str) -> np.ndarray:
    """The image that was explained, (h, w, 3) uint8, in no more pixels than a picture can show.

    Args:
        image: as the user has it.
        size: (H, W) of the image that was explained.
        what: was, for the message, e.g. "the explanation is of".

    Raises:
        InputError: an image that cannot be read, or of another size.
    """
    opened = open_image(image, lambda full: smaller(full, LONGEST))
    if opened.size != size:
        raise InputError(
            f"{what} an image of {size} pixels (height, width), this one has {opened.size}"
        )
    return shrunk(opened.pixels, LONGEST)


def smaller(size: tuple[int, ...], longest: int) -> tuple[int, int] | None:
    """The size (h, w) of an image (H, W) with no longer side than that; None for its own.

    >>> smaller((3000, 2000), 1500), smaller((30, 20), 1500)
    ((1500, 1000), None)
    """
    ratio = longest / max(size)
    return None if ratio >= 1 else (max(round(size[0] * ratio), 1), max(round(size[1] * ratio), 1))


def shrunk(pixels: np.ndarray, longest: int) -> np.ndarray:
    """(h, w, 3) uint8 of (H, W, 3), with no side longer than that; itself where none is."""
    size = smaller(pixels.shape[:2], longest)
    if size is None:
        return pixels
    picture = Image.fromarray(pixels).resize(size[::-1], Image.Resampling.LANCZOS, reducing_gap=3.0)
    return np.asarray(picture)


def kept(image: OpenedImage) -> OpenedImage:
    """A copy for a result to keep: reduced, and safe from what becomes of the original."""
    pixels = shrunk(image.pixels, _KEPT)
    return OpenedImage(pixels.copy() if pixels is image.pixels else pixels, image.size, image.name)


def paper(size: tuple[int, int]) -> OpenedImage:
    """Grey in place of an image of size (H, W) that is not known."""
    height, width = smaller(size, _KEPT) or size
    return OpenedImage(np.full((height, width, 3), _PAPER, np.uint8), size)

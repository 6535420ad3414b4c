"""Images read at no more than the resolution that a detector sees."""

from __future__ import annotations

import warnings

import numpy as np

from vps.core.detector import Detector
from vps.core.images import AnyImage, ImageReading, OpenedImage, open_image

_FINER = 3
"""How many pixels are read for one of the detector's grid, along each side."""

_PROBES = (1600, 2400)
"""Pixels of the longer side of the empty images by which a detector's grid is found out."""


def open_for(
    detector: Detector, image: AnyImage, reading: ImageReading | None = None
) -> OpenedImage:
    """An image for a detector, whose file is read at the resolution that it needs.

    That is the whole of it, but for files of more than `vps.core.images.LARGE` pixels where the
    detector sees all large images on one grid: those are read at three times the grid's resolution
    or more. What has to be said of how a file was read is a UserWarning, too.

    Raises:
        InputError: as for `vps.core.images.open_image`.
    """
    opened = open_image(image, lambda size: needed_by(detector, size), reading)
    if not isinstance(image, OpenedImage):
        for note in opened.notes:
            warnings.warn(note, stacklevel=3)
    return opened


def needed_by(detector: Detector, size: tuple[int, int]) -> tuple[int, int] | None:
    """The resolution (h, w) that a detector needs of a large image (H, W); None for all of it.

    It needs no more than `_FINER` times its grid where that is the same for smaller images of the
    same shape.
    """
    ratios = [longest / max(size) for longest in _PROBES]
    if max(ratios) >= 1:
        return None
    shapes = [tuple(max(round(side * ratio), 1) for side in size) for ratio in ratios]
    grids = [tuple(detector.prepare(np.zeros((*shape, 3), np.uint8)).shape[1:]) for shape in shapes]
    # By a pixel or two, because small images have rounder shapes.
    if np.abs(np.subtract(grids[0], grids[1])).max() > 2:
        return None
    scale = _FINER * max(grid / side for grid, side in zip(grids[-1], size, strict=True))
    if scale >= 1:
        return None
    return max(round(size[0] * scale), 1), max(round(size[1] * scale), 1)

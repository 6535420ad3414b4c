"""Annotated masks in any of COCO's three forms."""

from __future__ import annotations

import contextlib
from array import array
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vps.core.extras import require

_MOST_POLYGONS = 10_000
"""Of one mask: pycocotools joins them one by one, each time going over the whole."""

_MOST_STEPS = 20_000_000
"""Of the outlines of one mask: pycocotools holds them all in memory."""

_FINER = 5
"""The steps that pycocotools takes along a pixel."""

_LONGEST = 6
"""Characters of a run length, of 5 bits each and a sign: beyond them C's numbers overflow."""


def pack_mask(segmentation: Any) -> Any:
    """The same segmentation with polygons as arrays: half the memory of lists.

    What is none of COCO's forms stays as it is, for `compress` to refuse.
    """
    if isinstance(segmentation, list):
        with contextlib.suppress(TypeError):
            return [array("d", polygon) for polygon in segmentation]
    return segmentation


def compress(segmentation: Any, size: tuple[int, int]) -> Mapping[str, Any] | None:
    """A mask as compressed run lengths.

    All of it is checked first: pycocotools trusts what it is given, and would end the process.

    Args:
        segmentation: as COCO has it: polygons [[x1, y1, x2, y2, ...], ...] in pixels, run lengths
            {"size": [H, W], "counts": [...]}, or the same compressed; None or empty for no mask.
        size: (H, W) of the image.

    Returns:
        {"size": [H, W], "counts": ...} as pycocotools has it; None if there is no mask, or only
        polygons of fewer than three points.

    Raises:
        MissingExtraError: pycocotools is not installed.
        ValueError, TypeError, KeyError: a segmentation in none of the forms, or of another size,
            or polygons that lie further from the image than it is large.
    """
    if not segmentation:
        return None
    coder = require("pycocotools.mask", extra="eval")
    if isinstance(segmentation, list):
        if not all(map(_is_flat, segmentation)):
            raise ValueError("it must be a list of polygons, each a list of x1, y1, x2, y2, ...")
        # pycocotools takes four numbers for a box, and fewer than six make no polygon.
        polygons = [polygon for polygon in segmentation if len(polygon) >= 6]
        _check_polygons(polygons, size)
        return coder.merge(coder.frPyObjects(polygons, *size)) if polygons else None
    if tuple(segmentation["size"]) != size:
        raise ValueError(f"the mask has size {segmentation['size']}, the image {list(size)}")
    counts = segmentation["counts"]
    if isinstance(counts, list):
        _check_runs(counts, size)
        return coder.frPyObjects(segmentation, *size)
    if not isinstance(counts, (str, bytes)):
        raise TypeError(f"run lengths are a list or a text, not {type(counts).__name__}")
    # One a pixel, and an empty one before the first.
    if len(counts) > _LONGEST * (size[0] * size[1] + 1):
        raise ValueError(f"it has {len(counts)} characters of run lengths, more than pixels need")
    _check_runs(_runs(counts), size)
    return {"size": list(size), "counts": counts}


def _is_flat(polygon: Any) -> bool:
    if isinstance(polygon, array):
        return True
    return isinstance(polygon, (list, tuple)) and not any(
        isinstance(value, (dict, list, tuple)) for value in polygon
    )


def _check_polygons(polygons: Sequence[Sequence[float]], size: tuple[int, int]) -> None:
    """Raise ValueError for what pycocotools would crash on, or need ages for."""
    if len(polygons) > _MOST_POLYGONS:
        raise ValueError(f"it has {len(polygons)} polygons, more than {_MOST_POLYGONS}")
    extent = np.array(size[::-1], np.float64)
    steps = 0.0
    for polygon in polygons:
        points = np.asarray(polygon, np.float64)
        if points.ndim != 1:
            raise ValueError("a polygon must be a list of x1, y1, x2, y2, ...")
        # Of an odd number, pycocotools leaves the last out.
        points = points[: len(points) // 2 * 2].reshape(-1, 2)
        # Some annotations leave the image a little; NaN compares with nothing.
        if not ((points >= -extent) & (points <= 2 * extent)).all():
            raise ValueError(
                f"a polygon has a point far outside the image of {size[0]} x {size[1]} pixels "
                "(height x width), or none"
            )
        edges = np.abs(points - np.roll(points, 1, axis=0)).max(axis=1)
        steps += float((_FINER * edges + 1).sum())
    if steps > _MOST_STEPS:
        raise ValueError(f"its outlines are {steps / _FINER:.0f} pixels long in all")


def _check_runs(runs: Sequence[int], size: tuple[int, int]) -> None:
    """Raise ValueError unless run lengths make up the image: pycocotools writes out of bounds."""
    pixels = size[0] * size[1]
    if len(runs) > pixels + 1:
        raise ValueError(f"it has {len(runs)} run lengths, the image {pixels} pixels")
    if not all(type(run) is int for run in runs):
        raise TypeError("run lengths must be whole numbers")
    if not runs or min(runs) < 0 or sum(runs) != pixels:
        raise ValueError(f"its run lengths do not make up the {size[0]} x {size[1]} pixels")


def _runs(counts: str | bytes) -> list[int]:
    """The run lengths in a compressed text: five bits a character, lowest first.

    A character's sixth bit says that its number goes on, the fifth of a number's last one that it
    is negative; from the fourth number on, each is the difference to the last but one.
    """
    runs: list[int] = []
    value = shift = 0
    for character in counts.encode() if isinstance(counts, str) else counts:
        code = character - 48
        if not 0 <= code < 64:
            raise ValueError("its run lengths hold a character that does not belong there")
        if shift == 5 * _LONGEST:
            raise ValueError("its run lengths hold a number that is too long")
        value |= (code & 31) << shift
        shift += 5
        if not code & 32:
            if code & 16:
                value -= 1 << shift
            runs.append(value + (runs[-2] if len(runs) > 2 else 0))
            value = shift = 0
    if shift or not runs:
        raise ValueError("its run lengths are truncated")
    return runs

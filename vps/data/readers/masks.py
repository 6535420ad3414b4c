"""Annotated masks in any of COCO's three forms."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from typing import Any

from vps.core.extras import require


def pack_mask(segmentation: Any) -> Any:
    """The same segmentation with polygons as arrays: half the memory of lists."""
    if isinstance(segmentation, list):
        return [array("d", polygon) for polygon in segmentation]
    return segmentation


def compress(segmentation: Any, size: tuple[int, int]) -> Mapping[str, Any] | None:
    """A mask as compressed run lengths.

    Args:
        segmentation: as COCO has it: polygons [[x1, y1, x2, y2, ...], ...] in pixels, run lengths
            {"size": [H, W], "counts": [...]}, or the same compressed; None or empty for no mask.
        size: (H, W) of the image.

    Returns:
        {"size": [H, W], "counts": ...} as pycocotools has it; None if there is no mask, or only
        polygons of fewer than three points.

    Raises:
        MissingExtraError: pycocotools is not installed.
        ValueError, TypeError, KeyError: a segmentation in none of the forms, or of another size.
    """
    if not segmentation:
        return None
    coder = require("pycocotools.mask", extra="eval")
    if isinstance(segmentation, list):
        # pycocotools takes four numbers for a box, and fewer than six make no polygon.
        polygons = [polygon for polygon in segmentation if len(polygon) >= 6]
        return coder.merge(coder.frPyObjects(polygons, *size)) if polygons else None
    if tuple(segmentation["size"]) != size:
        raise ValueError(f"the mask has size {segmentation['size']}, the image {list(size)}")
    counts = segmentation["counts"]
    runs = counts if isinstance(counts, list) else _runs(counts)
    # pycocotools writes out of bounds where the runs make up more than the image.
    if min(runs) < 0 or sum(runs) != size[0] * size[1]:
        raise ValueError(f"its run lengths do not make up the {size[0]} x {size[1]} pixels")
    if isinstance(counts, list):
        return coder.frPyObjects(segmentation, *size)
    return {"size": list(size), "counts": counts}


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

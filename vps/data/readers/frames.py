"""Boxes that are not in pixels, told by their values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from vps.core.targets import Box
from vps.data.left_out import LeftOut
from vps.errors import InputError

FRACTIONS = "box within the first pixel, perhaps in fractions of the image"

_LEAST = 8  # boxes from which on corners are told from sizes
_BEYOND = 1.05  # of the image's size: some boxes leave it a little


class Placed(NamedTuple):
    """A box as it is read from a file.

    Attributes:
        box: xyxy, taken for pixels.
        size: (H, W) of its image; None where it is not known.
        place: where it stands, for messages.
    """

    box: Box
    size: tuple[int, int] | None
    place: str


def drop_fractions(found: Sequence[Placed], left_out: LeftOut) -> list[bool]:
    """Which boxes may be in pixels.

    Args:
        found: all boxes of a file.
        left_out: the others are added to it.

    Raises:
        InputError: more than half of the boxes are fractions of the image.
    """
    odd = [_is_fraction(one) for one in found]
    count = sum(odd)
    if 2 * count > len(found):
        first = found[odd.index(True)]
        raise InputError(
            f"{left_out.source}: {count} of {len(found)} boxes lie within the first pixel, e.g. "
            f"{first.place}, {_numbers(first.box)} (x1, y1, x2, y2): they seem to be fractions of "
            "the image; multiply them by its width and height"
        )
    for one, is_odd in zip(found, odd, strict=True):
        if is_odd:
            left_out.add(FRACTIONS, f"{one.place}, {_numbers(one.box)}")
    return [not is_odd for is_odd in odd]


def refuse_corners(found: Sequence[Placed], source: str) -> None:
    """Raise InputError where boxes x, y, width, height must be corners x1, y1, x2, y2.

    As sizes, some leave their image; as corners, all have an area and none does.
    """
    sized = [one for one in found if one.size is not None]
    if len(sized) < _LEAST:
        return
    leaving = [one for one in sized if not _lies_in(one.box, one.size)]
    corners = [(x1, y1, x2 - x1, y2 - y1) for x1, y1, x2, y2 in (one.box for one in sized)]
    if 5 * len(leaving) >= len(sized) and all(
        x2 > x1 and y2 > y1 and _lies_in((x1, y1, x2, y2), one.size)
        for (x1, y1, x2, y2), one in zip(corners, sized, strict=True)
    ):
        raise InputError(
            f"{source}: {len(leaving)} of {len(sized)} boxes leave their image, e.g. "
            f"{leaving[0].place}: they seem to be x1, y1, x2, y2, where x, y, width, height belong"
        )


def _is_fraction(one: Placed) -> bool:
    """A whole number of pixels may be one; and in an image of a pixel there is no more."""
    inside = all(0 <= value <= 1.001 for value in one.box)
    return (
        inside and any(value % 1 for value in one.box) and (one.size is None or max(one.size) > 2)
    )


def _lies_in(box: Box, size: tuple[int, int] | None) -> bool:
    return size is None or (box[2] <= _BEYOND * size[1] and box[3] <= _BEYOND * size[0])


def _numbers(box: Box) -> str:
    return ", ".join(f"{value:.4g}" for value in box)

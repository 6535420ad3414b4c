"""Grey values of more than 8 bits, as 8 bits: by one rule, which clips nothing."""

from __future__ import annotations

import numpy as np
from PIL import Image

from vps.errors import InputError

DEEP = ("I", "F")
"""How the names of Pillow's modes of more than 8 bits begin: "I", "I;16", "I;16B", "F"."""

_BITS = (8, 10, 12, 14, 16, 32)  # of cameras and files
_USED = 1 / 4  # of a range, the least with which it is taken for the values' own
_ROWS = 1 << 22  # pixels that are scaled at a time


def grey_range(low: float, high: float, whole: bool) -> tuple[float, float]:
    """The values that become 0 and 255, where an image holds values from `low` to `high`.

    Zero, and the largest value of 8, 10, 12, 14, 16 or 32 bits, the least that holds all; or 1,
    where the values are no whole numbers and none is above. So what was stored with more bits comes
    out as it would have been in 8. Where less than a quarter of that range is used, as by a
    thermal camera, or a value is negative, it is the image's own range.

    >>> grey_range(0, 65535, True), grey_range(100, 3900, True), grey_range(0.1, 0.9, False)
    ((0.0, 65535.0), (0.0, 4095.0), (0.0, 1.0))
    >>> grey_range(29000, 31000, True)
    (29000.0, 31000.0)
    """
    tops = [*([] if whole else [1.0]), *(2.0**bits - 1 for bits in _BITS)]
    top = next((top for top in tops if high <= top), None)
    # Of one value only, nothing tells another range; it stays as bright as it is.
    if top is not None and low >= 0 and (low == high or high - low >= _USED * top):
        return 0.0, top
    return (float(low), float(high)) if high > low else (float(low), float(low) + 1)


def eight_bits(image: Image.Image) -> tuple[Image.Image, str]:
    """A grey image of one of the `DEEP` modes in 8 bits, and what was done, for people.

    Raises:
        InputError: a value that is no number, or infinite.
    """
    values = np.asarray(image)
    step = max(_ROWS // max(values.shape[1], 1), 1)
    parts = [values[row : row + step] for row in range(0, len(values), step)]
    if values.size == 0:
        return Image.new("L", image.size), ""
    if values.dtype.kind == "f" and not all(np.isfinite(part).all() for part in parts):
        raise InputError("grey values that are no numbers, or infinite, have no colour: fill them")
    low, high = float(values.min()), float(values.max())
    bottom, top = grey_range(low, high, values.dtype.kind != "f")
    scaled = np.empty(values.shape, np.uint8)
    for row, part in zip(range(0, len(values), step), parts, strict=True):
        scaled[row : row + step] = np.rint((part - np.float64(bottom)) * (255 / (top - bottom)))
    note = (
        f"its grey values, {low:g} to {high:g}, are shown to the detector with {bottom:g} as black "
        f"and {top:g} as white"
    )
    return Image.fromarray(scaled), note

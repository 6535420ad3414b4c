"""Shapes of outputs, compared with what a description means."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from torch import Tensor


def grid_of(size: tuple[int, int], stride: int) -> tuple[int, int]:
    """Rows and columns of the cells of a stride in an input (height, width)."""
    return math.ceil(size[0] / stride), math.ceil(size[1] / stride)


def fits(shape: Sequence[Any], shapes: Sequence[tuple[int, ...]]) -> bool:
    """Whether a shape is one of `shapes`; -1 there is any number, and so is an open axis here."""
    return any(_is(shape, other) for other in shapes)


def _is(shape: Sequence[Any], other: tuple[int, ...]) -> bool:
    if len(shape) != len(other):
        return False
    pairs = list(zip(shape, other, strict=True))
    if any(want not in (-1, have) and isinstance(have, int) for have, want in pairs):
        return False
    # Where all that is fixed is open and what is open is fixed, it is another shape.
    said = [have for have in shape if isinstance(have, int)]
    wanted = [want for want in other if want != -1]
    return not said or not wanted or any(have == want for have, want in pairs)


def with_batch(values: Tensor, shapes: Sequence[tuple[int, ...]], count: int) -> Tensor | None:
    """What a run returned for `count` images, with an axis for them; None if it does not fit."""
    if values.shape[:1] == (count,) and fits(values.shape[1:], shapes):
        return values
    return values[None] if count == 1 and fits(values.shape, shapes) else None


def meant(shapes: Sequence[tuple[int, ...]], count: int) -> str:
    """The shapes that a description means, for a message."""
    return " or ".join(
        str([count, *("any" if axis == -1 else axis for axis in shape)]).replace("'", "")
        for shape in shapes
    )

"""Feature layers of models: where they are, and which of their features lie on the pixels."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from vps.core.detector import FeatureLayer
from vps.errors import InputError

Size = tuple[int, int]


@dataclass(frozen=True)
class Placement:
    """Where pixels stand in the input of a model, which may be padded.

    Attributes:
        whole: (H', W') of the input.
        top, left: the row and column at which they begin.
    """

    whole: Size
    top: int = 0
    left: int = 0


GridPlace = Callable[[Size], Placement]
"""From the (h, w) of pixels to where they stand."""


def unpadded(pixels: Size) -> Placement:
    """The pixels are the whole input."""
    return Placement(pixels)


def multiple_of(divisor: int) -> GridPlace:
    """Pixels padded at the right and below to sides that a number divides."""
    return lambda pixels: Placement(
        (math.ceil(pixels[0] / divisor) * divisor, math.ceil(pixels[1] / divisor) * divisor)
    )


def on_pixels(
    place: GridPlace = unpadded, before: int = 0, after: int = 0
) -> Callable[[Tensor, Size], Tensor]:
    """What `FeatureLayer.grid` wants, for features of a whole input.

    Args:
        place: where pixels stand in the input.
        before, after: of tokens (B, N, C), how many at either end are no places.

    Returns:
        From features (B, C, H, W) or tokens (B, N, C) and the (h, w) of pixels to the features of
        these, (B, C, h', w'): cut out of the others to the nearest cell.
    """

    def grid(features: Tensor, pixels: Size) -> Tensor:
        placement = place(pixels)
        if features.ndim == 3:
            places = features[:, before : features.shape[1] - after]
            rows, columns = token_grid(places.shape[1], placement.whole)
            features = places.transpose(1, 2).unflatten(2, (rows, columns))
        down = _cut(features.shape[2], placement.whole[0], placement.top, pixels[0])
        across = _cut(features.shape[3], placement.whole[1], placement.left, pixels[1])
        return features[:, :, down, across]

    return grid


def token_grid(count: int, whole: Size) -> Size:
    """The rows and columns of `count` square places in an input of (H, W).

    Raises:
        InputError: no grid of squares has as many.
    """
    for side in range(1, max(whole) + 1):
        for rounded in (math.ceil, math.floor):
            rows, columns = (rounded(length / side) for length in whole)
            if rows * columns == count:
                return rows, columns
    raise InputError(f"{count} tokens are no grid over an input of {whole[0]} x {whole[1]} pixels")


def _cut(cells: int, whole: int, start: int, length: int) -> slice:
    """The cells along a side that lie on some of its pixels, at least one."""
    first = min(round(start / whole * cells), cells - 1)
    return slice(first, max(first + 1, round((start + length) / whole * cells)))


def first_of(output: Any) -> Tensor:
    """The first tensor of what a module gives."""
    found: Tensor = output if isinstance(output, Tensor) else output[0]
    return found


def item(place: Any) -> Callable[[Any], Tensor]:
    """What a module gives at a place, or under a key."""
    return operator.itemgetter(place)


def pyramid_of(
    modules: Iterable[nn.Module], place: GridPlace = unpadded
) -> dict[str, FeatureLayer]:
    """Layers "neck.0", "neck.1" ... of modules that each give one level of a pyramid."""
    grid = on_pixels(place)
    return {f"neck.{n}": FeatureLayer(module, grid=grid) for n, module in enumerate(modules)}


def levels_within(
    module: nn.Module, trial: Any, place: GridPlace = unpadded
) -> dict[str, FeatureLayer]:
    """Layers "neck.0", "neck.1" ... of a module that gives all levels of a pyramid at once.

    Args:
        module: the neck, or a backbone without one.
        trial: what it gave for some image, which tells how many levels there are: a tensor, or
            some by name or in order.
        place: where pixels stand in the model's input.
    """
    if isinstance(trial, Tensor):
        return pyramid_of([module], place)
    named = dict(trial) if isinstance(trial, Mapping) else dict(enumerate(trial))
    finest = sorted(named, key=lambda key: -named[key].shape[-2:].numel())
    grid = on_pixels(place)
    return {
        f"neck.{number}": FeatureLayer(module, item(key), grid) for number, key in enumerate(finest)
    }


def no_layers(name: str, model: Any) -> InputError:
    """The error of a detector whose model has no layer that is known."""
    return InputError(
        f"{name}: no layer of a {type(model).__name__} is known whose features lie on a grid over "
        "the image; take a method that looks at none (`vps methods` tells)"
    )

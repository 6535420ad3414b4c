"""Functions that detect in an image."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import nn

from detectors.image_function import BatchFunctionDetector, ImageFunctionDetector
from detectors.wrapping.modes import evaluated
from vps.core.detector import Detector
from vps.errors import InputError


def of_function(
    function: Callable[[Any], Any],
    *,
    labels: Sequence[str] | Mapping[int, str] | None = None,
    name: str | None = None,
    takes: str = "image",
    boxes: str | None = None,
    units: str | None = None,
    size: tuple[int, int] | None = None,
    device: str = "cpu",
) -> Detector:
    """A function as a detector; see `detectors.image_function.ImageFunctionDetector`.

    Raises:
        InputError: no labels, or a setting that does not exist.
    """
    if labels is None:
        raise InputError(
            "a function does not tell what it may find: give the names as labels, in the order of "
            'its numbers, or by number: labels={1: "cat", 2: "dog"}'
        )
    called = str(name or getattr(function, "__name__", type(function).__name__))
    function = evaluated(function) if isinstance(function, nn.Module) else function
    kind = BatchFunctionDetector if takes == "batch" else ImageFunctionDetector
    return kind(
        function,
        labels,
        name="function" if called == "<lambda>" else called,
        takes=takes,
        boxes=boxes,
        units=units,
        size=size,
        device=device,
    )

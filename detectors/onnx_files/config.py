"""The YAML description of an ONNX detector, read and checked."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from detectors.onnx_files.outputs import OutputConfig
from vps.core.files import shown_path
from vps.core.schema import build
from vps.core.yaml_files import read_yaml
from vps.errors import InputError, one_line


@dataclass(frozen=True)
class InputConfig:
    """What the model is given; of which type, its file says.

    Attributes:
        size: (height, width) in pixels.
        channels: their order, "rgb" or "bgr".
        scale: what white is; pixels run from 0 to this.
        padding: what fills the rest, on that scale.
        placement: how an image comes to that size. "corner" and "centre" keep its aspect ratio and
            put it into the upper left corner, as YOLOX does, or in the middle, as YOLOv5 and later
            do; "stretch" does not keep it. "free" is for files that leave the size open: the
            aspect ratio is kept, nothing added, and `size` is that of the shorter side, unless the
            longer would exceed the other number.
        antialias: whether an image is smoothed when it shrinks, as Pillow does and OpenCV does not.
        mean: what is subtracted, on that scale, a number a channel in their order.
        std: what is divided by after that.
        layout: "nchw" or "nhwc".
        batched: whether a batch goes through in one run where the file leaves the number of images
            open; false for a file that only claims to.
        others: what further inputs are given, numbers by name; those with the size or the scale of
            the image, and masks of what is no padding, are known by their names.

    Where a description leaves channels, scale, padding or placement out, they are as the family of
    its head has them (`CONVENTIONS`); a head that several families share needs scale and placement.
    """

    size: tuple[int, int]
    channels: Literal["rgb", "bgr"] = "rgb"
    scale: float = 255.0
    padding: float = 114.0
    placement: Literal["corner", "centre", "stretch", "free"] = "corner"
    antialias: bool = False
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    layout: Literal["nchw", "nhwc"] = "nchw"
    batched: bool = True
    others: dict[str, tuple[float, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if min(self.size) < 1:
            raise InputError(f"size must be two positive numbers of pixels, got {self.size}")
        if not 0 < self.scale < math.inf:
            raise InputError(f"scale must be a positive number, what white is; got {self.scale}")
        if not 0 <= self.padding < math.inf:
            raise InputError(f"padding must be a number, 0 or more, got {self.padding}")
        if not all(0 <= value < math.inf for value in self.mean):
            raise InputError(f"mean must be three numbers, 0 or more, got {self.mean}")
        if not all(0 < value < math.inf for value in self.std):
            raise InputError(f"std must be three positive numbers, got {self.std}")


# What the families of some heads take, where a description does not say; the others have none.
CONVENTIONS: dict[str, dict[str, Any]] = {
    "yolox": {"channels": "bgr", "scale": 255, "placement": "corner"},
    "yolov5": {"channels": "rgb", "scale": 1, "placement": "centre"},
    "yolov8": {"channels": "rgb", "scale": 1, "placement": "centre"},
    "fastestdet": {"channels": "bgr", "scale": 1, "placement": "stretch"},
}
GREY = 114 / 255
"""What the YOLOs pad with, as a share of white."""
# What has to be said where there is none: a wrong one would be silently wrong.
_NEEDED = ("scale", "placement")
# Columns that are no labels, but have been described as such.
_NO_LABELS = ("objectness", "obj_conf", "__background__", "no-object", "no object")


@dataclass(frozen=True)
class OnnxConfig:
    """A detector in an ONNX file.

    Attributes:
        name: what reports call the detector.
        model: the ONNX file; a relative path starts at the YAML file's folder.
        labels: the class names, in the order of the model's scores, without the background.
        input: see `InputConfig`.
        output: how to read what the model returns; its key `head` says which, see
            `detectors.onnx_files.outputs`.
    """

    name: str
    model: Path
    labels: tuple[str, ...]
    input: InputConfig
    output: OutputConfig

    def __post_init__(self) -> None:
        if not self.labels or len(set(self.labels)) != len(self.labels):
            raise InputError(f"labels must be different names, at least one; got {self.labels}")
        for label in self.labels:
            if label.lower() in _NO_LABELS:
                raise InputError(
                    f"labels: {label!r} is no label; objectness is read by the heads yolov5 and "
                    "yolox, and a background is said by output.background"
                )


def read_description(path: Path) -> OnnxConfig:
    """Read a description from a YAML file.

    Raises:
        InputError: the file is missing or no YAML, a key is unknown or missing, or a value cannot
            be used; the message names file and key.
    """
    content = read_yaml(path, "detector description", extra="onnx")
    try:
        config = build_description(content)
    except InputError as error:
        raise InputError(f"{shown_path(path)}: {one_line(error, 1000)}") from None
    return dataclasses.replace(config, model=path.parent / config.model)


def build_description(content: Any) -> OnnxConfig:
    """A description out of what YAML holds, with what the family of its head takes.

    Raises:
        InputError: a key is unknown or missing, or a value cannot be used.
    """
    parts = [content.get(key) for key in ("input", "output")] if _is_table(content) else []
    if parts and all(map(_is_table, parts)):
        content = {**content, "input": _completed(parts[0], str(parts[1].get("head")))}
    config: OnnxConfig = build(OnnxConfig, content)
    for key in _NEEDED:
        if key not in content["input"]:
            raise InputError(
                f"input.{key} is missing: models with the head {config.output.head!r} differ in "
                "it; detectors/README.md says what it may be"
            )
    return config


def _completed(given: Mapping[str, Any], head: str) -> dict[str, Any]:
    """The input of a description with what is usual for a head where nothing is said."""
    usual = {**CONVENTIONS.get(head, {}), **given}
    if "padding" not in usual and isinstance(usual.get("scale"), (int, float)):
        usual["padding"] = GREY * usual["scale"]
    return usual


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping)

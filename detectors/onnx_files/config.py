"""The YAML description of an ONNX detector, read and checked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

from vps.core.extras import require
from vps.core.names import choose
from vps.errors import InputError

CHANNELS = ("rgb", "bgr")
LAYOUTS = ("nchw", "nhwc")
PLACEMENTS = ("corner", "centre", "stretch")
BOX_FORMATS = ("xyxy", "cxcywh", "xywh")
UNITS = ("pixels", "fraction")
ACTIVATIONS = ("none", "sigmoid", "softmax")
BACKGROUNDS = ("none", "first", "last")


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
            do; "stretch" does not keep it.
        antialias: whether an image is smoothed when it shrinks, as Pillow does and OpenCV does not.
        mean: what is subtracted, on that scale, a number a channel in their order.
        std: what is divided by after that.
        layout: "nchw" or "nhwc".
        batched: whether a batch goes through in one run where the file leaves the number of images
            open; false for a file that only claims to.
    """

    size: tuple[int, int]
    channels: str = "rgb"
    scale: float = 255.0
    padding: float = 114.0
    placement: str = "corner"
    antialias: bool = False
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    std: tuple[float, ...] = (1.0, 1.0, 1.0)
    layout: str = "nchw"
    batched: bool = True


@dataclass(frozen=True)
class YoloxOutput:
    """One output, (B, cells, 5 + L): for each cell of the grids of all strides in turn, row by row,
    x y w h, objectness and L class scores, both in [0, 1].

    Attributes:
        strides: in pixels of the input.
    """

    strides: tuple[int, ...]


@dataclass(frozen=True)
class Yolov8Output:
    """One output, (B, 4 + L, cells) or (B, cells, 4 + L): cxcywh in pixels of the input, then L
    class scores.

    Attributes:
        activation: what makes the scores probabilities, if the model has not: "none" or "sigmoid".
    """

    activation: str = "none"


@dataclass(frozen=True)
class BoxesOutput:
    """Two outputs, boxes (B, N, 4) and scores (B, N, L); or three, boxes, scores (B, N) and the
    class of each, (B, N).

    Attributes:
        boxes: the name of the output with the boxes.
        scores: of the one with the scores.
        classes: of the one with the classes, if each box has one only.
        format: "xyxy", "cxcywh" or "xywh".
        unit: "pixels" or "fraction" of the input.
        background: whether one more class is the background, the "first" or the "last", or "none".
        activation: what makes the scores probabilities, if the model has not: "none", "sigmoid" or
            "softmax".
    """

    boxes: str
    scores: str
    classes: str = ""
    format: str = "xyxy"
    unit: str = "pixels"
    background: str = "none"
    activation: str = "none"


OutputConfig = YoloxOutput | Yolov8Output | BoxesOutput


@dataclass(frozen=True)
class OnnxConfig:
    """A detector in an ONNX file.

    Attributes:
        name: what reports call the detector.
        model: the ONNX file; a relative path starts at the YAML file's folder.
        labels: the class names, in the order of the model's scores, without the background.
        input: see `InputConfig`.
        output: how to read what the model returns; its key `head` says which: "yolox", "yolov8" or
            "boxes", see `YoloxOutput`, `Yolov8Output` and `BoxesOutput` for the others.
    """

    name: str
    model: Path
    labels: tuple[str, ...]
    input: InputConfig
    output: OutputConfig


def read_description(path: Path) -> OnnxConfig:
    """Read a description from a YAML file.

    Raises:
        InputError: the file is missing or no YAML, a key is unknown or missing, or a value cannot
            be used; the message names file and key.
    """
    yaml = require("yaml", extra="onnx")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"detector description {path} cannot be read ({error.strerror})") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from None
    top = _section(content, OnnxConfig, str(path))
    labels = top["labels"]
    if not isinstance(labels, list) or not labels or len(set(map(str, labels))) != len(labels):
        raise InputError(f"{path}: labels must be a list of different names")
    return OnnxConfig(
        name=str(top["name"]),
        model=path.parent / str(top["model"]),
        labels=tuple(str(label) for label in labels),
        input=_read_input(top["input"], f"{path}: input"),
        output=_read_output(top["output"], f"{path}: output"),
    )


def _read_input(content: Any, where: str) -> InputConfig:
    given = _section(content, InputConfig, where)
    return InputConfig(
        size=_integers(given["size"], f"{where}.size", 2),
        channels=_one_of(CHANNELS, given["channels"], f"{where}.channels"),
        scale=_number(given["scale"], f"{where}.scale"),
        padding=_number(given["padding"], f"{where}.padding"),
        placement=_one_of(PLACEMENTS, given["placement"], f"{where}.placement"),
        antialias=_flag(given["antialias"], f"{where}.antialias"),
        mean=_three(given["mean"], f"{where}.mean"),
        std=_three(given["std"], f"{where}.std", positive=True),
        layout=_one_of(LAYOUTS, given["layout"], f"{where}.layout"),
        batched=_flag(given["batched"], f"{where}.batched"),
    )


def _read_output(content: Any, where: str) -> OutputConfig:
    if not isinstance(content, Mapping) or "head" not in content:
        raise InputError(f"{where} must be a mapping with the key 'head': {', '.join(_OUTPUTS)}")
    head = str(content["head"])
    kind = choose(_OUTPUTS, head, f"value of {where}.head,")
    rest = {key: value for key, value in content.items() if key != "head"}
    given = _section(rest, kind, where)
    if kind is YoloxOutput:
        return YoloxOutput(_integers(given["strides"], f"{where}.strides"))
    activations = ACTIVATIONS if kind is BoxesOutput else ACTIVATIONS[:2]
    activation = _one_of(activations, given["activation"], f"{where}.activation")
    if kind is Yolov8Output:
        return Yolov8Output(activation)
    if given["classes"] and activation == "softmax":
        raise InputError(f"{where}.activation: scores of one class a box have no softmax")
    return BoxesOutput(
        boxes=str(given["boxes"]),
        scores=str(given["scores"]),
        classes=str(given["classes"]),
        format=_one_of(BOX_FORMATS, given["format"], f"{where}.format"),
        unit=_one_of(UNITS, given["unit"], f"{where}.unit"),
        background=_one_of(BACKGROUNDS, given["background"], f"{where}.background"),
        activation=activation,
    )


_OUTPUTS: dict[str, type] = {"yolox": YoloxOutput, "yolov8": Yolov8Output, "boxes": BoxesOutput}


def _section(content: Any, kind: type, where: str) -> dict[str, Any]:
    """A mapping with exactly the fields of a data class; those with defaults may be left out."""
    if not isinstance(content, Mapping):
        raise InputError(f"{where} must be a mapping with the keys {_names(kind)}")
    values = {entry.name: entry.default for entry in fields(kind)}
    for key in content:
        choose(values, key, f"key in {where},")
    values.update(content)
    missing = [key for key, value in values.items() if value is MISSING]
    if missing:
        raise InputError(f"{where} lacks the key {missing[0]!r}; it needs {_names(kind)}")
    return values


def _names(kind: type) -> str:
    return ", ".join(entry.name for entry in fields(kind))


def _integers(value: Any, where: str, count: int | None = None) -> Any:
    right = isinstance(value, list) and value and count in (None, len(value))
    if not right or not all(type(number) is int and number > 0 for number in value):
        raise InputError(f"{where} must be a list of {count or 'some'} positive integers: {value}")
    return tuple(value)


def _number(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < math.inf:
        raise InputError(f"{where} must be a number, 0 or more; got {value!r}")
    return float(value)


def _three(value: Any, where: str, positive: bool = False) -> tuple[float, ...]:
    if not isinstance(value, (list, tuple)) or len(value) != 3 or (positive and 0 in value):
        what = "three positive numbers" if positive else "three numbers"
        raise InputError(f"{where} must be a list of {what}, one a channel; got {value!r}")
    return tuple(_number(number, where) for number in value)


def _flag(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise InputError(f"{where} must be true or false; got {value!r}")
    return value


def _one_of(choices: tuple[str, ...], value: Any, where: str) -> str:
    choose(dict.fromkeys(choices), str(value), f"value of {where},")
    return str(value)

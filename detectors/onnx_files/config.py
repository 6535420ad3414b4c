"""The YAML description of an ONNX detector, read and checked."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

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
            do; "stretch" does not keep it.
        antialias: whether an image is smoothed when it shrinks, as Pillow does and OpenCV does not.
        mean: what is subtracted, on that scale, a number a channel in their order.
        std: what is divided by after that.
        layout: "nchw" or "nhwc".
        batched: whether a batch goes through in one run where the file leaves the number of images
            open; false for a file that only claims to.
    """

    size: tuple[int, int]
    channels: Literal["rgb", "bgr"] = "rgb"
    scale: float = 255.0
    padding: float = 114.0
    placement: Literal["corner", "centre", "stretch"] = "corner"
    antialias: bool = False
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    layout: Literal["nchw", "nhwc"] = "nchw"
    batched: bool = True

    def __post_init__(self) -> None:
        if min(self.size) < 1:
            raise InputError(f"size must be two positive numbers of pixels, got {self.size}")
        for name in ("scale", "padding"):
            if not 0 <= getattr(self, name) < math.inf:
                raise InputError(f"{name} must be a number, 0 or more, got {getattr(self, name)}")
        if not all(0 <= value < math.inf for value in self.mean):
            raise InputError(f"mean must be three numbers, 0 or more, got {self.mean}")
        if not all(0 < value < math.inf for value in self.std):
            raise InputError(f"std must be three positive numbers, got {self.std}")


@dataclass(frozen=True)
class YoloxOutput:
    """One output, (B, cells, 5 + L): for each cell of the grids of all strides in turn, row by row,
    x y w h, objectness and L class scores, both in [0, 1].

    Attributes:
        head: what tells this kind of output from the others, as in each of them.
        strides: in pixels of the input.
    """

    head: Literal["yolox"]
    strides: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.strides or min(self.strides) < 1:
            raise InputError(f"strides must be some positive numbers, got {self.strides}")


@dataclass(frozen=True)
class Yolov8Output:
    """One output, (B, 4 + L, cells) or (B, cells, 4 + L): cxcywh in pixels of the input, then L
    class scores.

    Attributes:
        head: see `YoloxOutput`.
        activation: what makes the scores probabilities, if the model has not: "none" or "sigmoid".
    """

    head: Literal["yolov8"]
    activation: Literal["none", "sigmoid"] = "none"


@dataclass(frozen=True)
class BoxesOutput:
    """Two outputs, boxes (B, N, 4) and scores (B, N, L); or three, boxes, scores (B, N) and the
    class of each, (B, N).

    Attributes:
        head: see `YoloxOutput`.
        boxes: the name of the output with the boxes.
        scores: of the one with the scores.
        classes: of the one with the classes, if each box has one only.
        format: "xyxy", "cxcywh" or "xywh".
        unit: "pixels" or "fraction" of the input.
        background: whether one more class is the background, the "first" or the "last", or "none".
        activation: what makes the scores probabilities, if the model has not: "none", "sigmoid" or
            "softmax".
    """

    head: Literal["boxes"]
    boxes: str
    scores: str
    classes: str = ""
    format: Literal["xyxy", "cxcywh", "xywh"] = "xyxy"
    unit: Literal["pixels", "fraction"] = "pixels"
    background: Literal["none", "first", "last"] = "none"
    activation: Literal["none", "sigmoid", "softmax"] = "none"

    def __post_init__(self) -> None:
        if self.classes and self.activation == "softmax":
            raise InputError("activation: scores of one class a box have no softmax")


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

    def __post_init__(self) -> None:
        if not self.labels or len(set(self.labels)) != len(self.labels):
            raise InputError(f"labels must be different names, at least one; got {self.labels}")


def read_description(path: Path) -> OnnxConfig:
    """Read a description from a YAML file.

    Raises:
        InputError: the file is missing or no YAML, a key is unknown or missing, or a value cannot
            be used; the message names file and key.
    """
    content = read_yaml(path, "detector description", extra="onnx")
    try:
        config: OnnxConfig = build(OnnxConfig, content)
    except InputError as error:
        raise InputError(f"{shown_path(path)}: {one_line(error, 1000)}") from None
    return dataclasses.replace(config, model=path.parent / config.model)

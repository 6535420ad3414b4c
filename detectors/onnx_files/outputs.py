"""How a description tells what an ONNX detector returns, a class for each kind of output."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from vps.errors import InputError

Activation = Literal["none", "sigmoid", "softmax"]
Unit = Literal["pixels", "fraction"]
Column = Literal[
    "x1", "y1", "x2", "y2", "cx", "cy", "w", "h", "angle", "score", "class", "batch", "other"
]

CORNERS = ("x1", "y1", "x2", "y2")
CENTRE = ("cx", "cy", "w", "h")


@dataclass(frozen=True)
class YoloxOutput:
    """One output, (B, cells, 5 + L): for each cell of the grids of all strides in turn, row by row,
    x y w h, objectness and L class scores, both in [0, 1].

    Attributes:
        head: what tells this kind of output from the others, as in each of them.
        strides: in pixels of the input.
        decoded: whether the model has made boxes of x y w h (`--decode_in_inference`): cxcywh in
            pixels of the input.
        output: its name; the first of the file where it is left out, as in each that has it.
    """

    head: Literal["yolox"]
    strides: tuple[int, ...]
    decoded: bool = False
    output: str = ""

    def __post_init__(self) -> None:
        _check_strides(self.strides)


@dataclass(frozen=True)
class Yolov5Output:
    """One output, (B, N, 5 + L + extra), decoded by the model: cxcywh in pixels of the input,
    objectness, L class scores. Of YOLOv3, v5, v6 and v7.

    Attributes:
        head, output: see `YoloxOutput`.
        extra: how many columns follow that are no class scores, as 32 coefficients of a mask.
    """

    head: Literal["yolov5"]
    extra: int = 0
    output: str = ""

    def __post_init__(self) -> None:
        _check_extra(self.extra)


@dataclass(frozen=True)
class Yolov8Output:
    """One output, (B, 4 + L + extra, cells) or (B, cells, 4 + L + extra): cxcywh, L class scores.

    Attributes:
        head, output: see `YoloxOutput`.
        activation: what makes the scores probabilities, if the model has not: "none" or "sigmoid".
        extra: how many columns follow that are no class scores: 32 coefficients of a mask, three
            numbers a key point, or an angle.
        rotated: whether the last of these is the angle of the box, in radians; the candidate is
            the upright box around it.
        unit: of the boxes, "pixels" or "fraction" of the input.
    """

    head: Literal["yolov8"]
    activation: Literal["none", "sigmoid"] = "none"
    extra: int = 0
    rotated: bool = False
    unit: Unit = "pixels"
    output: str = ""

    def __post_init__(self) -> None:
        _check_extra(self.extra)
        if self.rotated and not self.extra:
            raise InputError("rotated: the angle is one of the extra columns; extra must count it")


@dataclass(frozen=True)
class RowsOutput:
    """One output, (B, N, columns) or (N, columns): a box, a score and a class in each row. A class
    below 0, or a score of 0, is padding.

    Attributes:
        head, output: see `YoloxOutput`.
        columns: what stands in them, e.g. x1, y1, x2, y2, score, class; a box is x1 y1 x2 y2 or
            cx cy w h, in any order; with an "angle", in radians, the upright box around it counts.
        classes: name of the output (B, N) with the classes, if no column has them.
        count: name of the output with the number of rows that are filled, if there is one.
        unit: of the boxes, "pixels" or "fraction" of the input.
        background: whether one more class is the background, the "first" or the "last", or "none".
        extra: how many columns follow that are left.
    """

    head: Literal["rows"]
    columns: tuple[Column, ...]
    classes: str = ""
    count: str = ""
    unit: Unit = "pixels"
    background: Literal["none", "first", "last"] = "none"
    extra: int = 0
    output: str = ""

    def __post_init__(self) -> None:
        _check_extra(self.extra)
        known = [column for column in self.columns if column != "other"]
        box = set(known) & {*CORNERS, *CENTRE}
        if len(set(known)) != len(known) or box not in ({*CORNERS}, {*CENTRE}):
            raise InputError(
                "columns must have x1, y1, x2, y2 or cx, cy, w, h, and none twice; "
                f"got {', '.join(self.columns)}"
            )
        if "angle" in known and "cx" not in known:
            raise InputError("columns: a box with an angle is cx, cy, w, h")
        if "score" not in known or ("class" in known) == bool(self.classes):
            raise InputError(
                "columns must have a score, and a class unless `classes` names an output that has; "
                f"got {', '.join(self.columns)}"
            )


@dataclass(frozen=True)
class BoxesOutput:
    """Two outputs, boxes (B, N, 4) or (B, N, 1, 4), and scores (B, N, L) or (B, L, N); or three,
    boxes, scores (B, N) and the class of each, (B, N). Without B where a file takes one image.

    Attributes:
        head: see `YoloxOutput`.
        boxes: the name of the output with the boxes.
        scores: of the one with the scores.
        classes: of the one with the classes, if each box has one only.
        format: "xyxy", "cxcywh", "xywh" or, as TensorFlow, "yxyx".
        unit: "pixels" or "fraction" of the input.
        background: whether one more class is the background, the "first" or the "last", or "none".
        activation: what makes the scores probabilities, if the model has not: "none", "sigmoid" or
            "softmax".
        count: name of the output with the number of boxes that are filled, if there is one.
    """

    head: Literal["boxes"]
    boxes: str
    scores: str
    classes: str = ""
    format: Literal["xyxy", "cxcywh", "xywh", "yxyx"] = "xyxy"
    unit: Unit = "pixels"
    background: Literal["none", "first", "last"] = "none"
    activation: Activation = "none"
    count: str = ""

    def __post_init__(self) -> None:
        if self.classes and self.activation == "softmax":
            raise InputError("activation: scores of one class a box have no softmax")


@dataclass(frozen=True)
class DistributionsOutput:
    """Cells whose distances to the sides of the box are distributions (GFL; NanoDet, PicoDet): one
    output (B, cells, L + 4 bins), the scores first; or for each stride an output of scores and one
    of distances, (B, cells, C), (B, C, cells) or (B, C, h, w).

    Attributes:
        head, output: see `YoloxOutput`.
        strides: in pixels of the input, in the order of cells or outputs.
        bins: of each distribution, one more than the longest distance in strides.
        centre: where in a cell distances are measured from: 0.5 in the middle, 0 at its corner.
        scores, distances: names of the outputs, one a stride; without them, one output has all.
        activation: what makes the scores probabilities, if the model has not.
    """

    head: Literal["distributions"]
    strides: tuple[int, ...]
    bins: int = 8
    centre: float = 0.5
    scores: tuple[str, ...] = ()
    distances: tuple[str, ...] = ()
    activation: Literal["none", "sigmoid"] = "none"
    output: str = ""

    def __post_init__(self) -> None:
        _check_strides(self.strides)
        if self.bins < 2:
            raise InputError(f"bins must be 2 or more, got {self.bins}")
        if not 0 <= self.centre <= 1:
            raise InputError(f"centre must lie in [0, 1], got {self.centre}")
        if len({len(self.scores), len(self.distances), len(self.strides)} - {0}) != 1 or (
            bool(self.scores) != bool(self.distances)
        ):
            raise InputError("scores and distances must name an output for each of the strides")


@dataclass(frozen=True)
class FastestDetOutput:
    """One output, (B, 5 + L, h, w): objectness, then the offset of the box from its cell, its size,
    and L class scores. The score is objectness^0.6 times class score^0.4.

    Attributes:
        head, output: see `YoloxOutput`.
    """

    head: Literal["fastestdet"]
    output: str = ""


@dataclass(frozen=True)
class AnchorsOutput:
    """An output for each stride, as YOLOv3, v5 and v7 have them before their last layer: numbers of
    A anchors in each cell, (B, A, h, w, 5 + L + extra) or (B, A * (5 + L + extra), h, w): x y w h,
    objectness, L class scores.

    Attributes:
        head: see `YoloxOutput`.
        strides: in pixels of the input, in the order of the outputs.
        outputs: their names.
        anchors: for each stride the width and height of its A anchors, in pixels of the input.
        form: how boxes are made of numbers t, once sigmoid is taken: as "yolov5" (and v7), centre
            2 t - 0.5 + cell and sides (2 t)^2 anchor, or as "darknet" (YOLOv3, v4), centre
            t + cell and sides exp(t) anchor, of a t without sigmoid.
        activation: what makes the numbers what `form` takes, if the model has not.
        extra: how many columns follow that are no class scores, as 32 coefficients of a mask.
    """

    head: Literal["anchors"]
    strides: tuple[int, ...]
    outputs: tuple[str, ...]
    anchors: tuple[tuple[float, ...], ...] = ()
    form: Literal["yolov5", "darknet"] = "yolov5"
    activation: Literal["none", "sigmoid"] = "sigmoid"
    extra: int = 0

    def __post_init__(self) -> None:
        _check_strides(self.strides)
        _check_extra(self.extra)
        if len(self.anchors) != len(self.strides):
            raise InputError(
                f"anchors must hold a list for each of the strides {list(self.strides)}, got "
                f"{len(self.anchors)}: {ANCHORS}"
            )
        if len(self.outputs) != len(self.strides):
            raise InputError(f"outputs must name one for each of the strides, got {self.outputs}")
        for one in self.anchors:
            if not one or len(one) % 2 or not all(0 < side < math.inf for side in one):
                raise InputError(f"anchors are widths and heights in turn, got {list(one)}")
        if max(map(max, self.anchors)) < max(self.strides):
            raise InputError(
                "anchors are all smaller than a cell of the largest stride: they must be in pixels "
                "of the input; multiply those of each stride by it"
            )
        ordered = [max(one) for _, one in sorted(zip(self.strides, self.anchors, strict=True))]
        if ordered != sorted(ordered):
            raise InputError("anchors must be in the order of strides: larger ones for larger")


ANCHORS = (
    "width and height of each anchor in pixels of the input, a list a stride, as the model was "
    "trained with; YOLOv5's own for strides 8, 16, 32 are [[10, 13, 16, 30, 33, 23], [30, 61, 62, "
    "45, 59, 119], [116, 90, 156, 198, 373, 326]]"
)
"""What is asked for where a file gives raw grids of anchors."""


OutputConfig = (
    YoloxOutput
    | Yolov5Output
    | Yolov8Output
    | RowsOutput
    | BoxesOutput
    | DistributionsOutput
    | FastestDetOutput
    | AnchorsOutput
)


def _check_strides(strides: tuple[int, ...]) -> None:
    if not strides or min(strides) < 1:
        raise InputError(f"strides must be some positive numbers, got {strides}")


def _check_extra(extra: int) -> None:
    if extra < 0:
        raise InputError(f"extra must be a number of columns, 0 or more, got {extra}")

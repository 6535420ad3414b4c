"""How the outputs of an ONNX detector become boxes and scores: boxes that the file has decoded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from detectors.onnx_files.outputs import (
    CENTRE,
    CORNERS,
    BoxesOutput,
    RowsOutput,
    Yolov5Output,
    Yolov8Output,
)
from vps.core.boxes import cxcywh_to_xyxy, xywh_to_xyxy
from vps.errors import DetectorError

Shapes = tuple[list[tuple[int, ...]], ...]
"""Those that each output may have, without the batch axis; -1 is any number."""

TO_XYXY: dict[str, Callable[[Tensor], Tensor]] = {
    "xyxy": lambda boxes: boxes,
    "cxcywh": cxcywh_to_xyxy,
    "xywh": xywh_to_xyxy,
    "yxyx": lambda boxes: boxes[..., [1, 0, 3, 2]],
}
ACTIVATE: dict[str, Callable[[Tensor], Tensor]] = {
    "none": lambda scores: scores,
    "sigmoid": torch.sigmoid,
    "softmax": lambda scores: scores.softmax(-1),
}


class RawCandidates(NamedTuple):
    """What a head reads out of floats: boxes (B, N, 4), xyxy in pixels of the input, scores
    (B, N, L), and (B, N, 1) the objectness of each box, or None."""

    boxes: Tensor
    scores: Tensor
    objectness: Tensor | None = None


class OnnxHead(Protocol):
    """Reads the outputs of a model.

    Attributes:
        names: of the outputs that it reads; "" for the first, whatever its name.
        shapes: which shapes those may have.
    """

    names: tuple[str, ...]
    shapes: Shapes

    def read(self, outputs: Sequence[Tensor]) -> RawCandidates:
        """The candidates of a batch, out of floats."""
        ...


class Yolov5Head:
    """Rows with objectness, decoded by the model; a label's score is objectness times class score.

    What follows the class scores is left.
    """

    def __init__(self, config: Yolov5Output, labels: int) -> None:
        self._end = 5 + labels
        self.names: tuple[str, ...] = (config.output,)
        self.shapes: Shapes = ([(-1, self._end + config.extra)],)

    def read(self, outputs: Sequence[Tensor]) -> RawCandidates:
        """See `OnnxHead.read`."""
        (rows,) = outputs
        objectness = rows[..., 4:5]
        scores = objectness * rows[..., 5 : self._end]
        return RawCandidates(cxcywh_to_xyxy(rows[..., :4]), scores, objectness)


class Yolov8Head:
    """Cells without objectness, decoded by the model; what follows the class scores is left, but
    for an angle."""

    def __init__(self, config: Yolov8Output, size: tuple[int, int], labels: int) -> None:
        self._activate = ACTIVATE[config.activation]
        self._unit = unit_of(config.unit, size)
        self._rotated = config.rotated
        self._end = 4 + labels
        self._width = self._end + config.extra
        self.names: tuple[str, ...] = (config.output,)
        self.shapes: Shapes = ([(self._width, -1), (-1, self._width)],)

    def read(self, outputs: Sequence[Tensor]) -> RawCandidates:
        """See `OnnxHead.read`."""
        (cells,) = outputs
        if cells.shape[1] == self._width:
            cells = cells.transpose(1, 2)
        boxes = cells[..., :4] * self._unit
        boxes = upright(boxes, cells[..., -1]) if self._rotated else cxcywh_to_xyxy(boxes)
        return RawCandidates(boxes, self._activate(cells[..., 4 : self._end]))


class RowsHead:
    """A box, a score and a class a row."""

    def __init__(self, config: RowsOutput, size: tuple[int, int], labels: int) -> None:
        self._place: dict[str, int] = {name: place for place, name in enumerate(config.columns)}
        self._unit = unit_of(config.unit, size)
        self._labels = OneClass(labels, config.background)
        self._count = bool(config.count)
        self._classes = bool(config.classes)
        more = [name for name in (config.classes, config.count) if name]
        self.names: tuple[str, ...] = (config.output, *more)
        classes: Shapes = ([(-1,)],) if config.classes else ()
        counted: Shapes = (COUNT,) if config.count else ()
        self.shapes: Shapes = (
            [(-1, len(config.columns) + config.extra)],
            *classes,
            *counted,
        )

    def read(self, outputs: Sequence[Tensor]) -> RawCandidates:
        """See `OnnxHead.read`.

        Raises:
            DetectorError: a class that the description does not count.
        """
        rows, *more = outputs
        kinds = more.pop(0) if self._classes else rows[..., self._place["class"]]
        scores = rows[..., self._place["score"]]
        if self._count:
            scores = without_padding(scores, more[0])
        return RawCandidates(self._boxes(rows), self._labels.spread(scores, kinds))

    def _boxes(self, rows: Tensor) -> Tensor:
        corners = "x1" in self._place
        boxes = rows[..., [self._place[name] for name in (CORNERS if corners else CENTRE)]]
        boxes = boxes * self._unit
        if "angle" in self._place:
            return upright(boxes, rows[..., self._place["angle"]])
        return boxes if corners else cxcywh_to_xyxy(boxes)


class BoxesHead:
    """Boxes and scores as two outputs, or with the class of each box as a third."""

    def __init__(self, config: BoxesOutput, size: tuple[int, int], labels: int) -> None:
        self._unit = unit_of(config.unit, size)
        self._to_xyxy = TO_XYXY[config.format]
        self._activate = ACTIVATE[config.activation]
        self._labels = OneClass(labels, config.background)
        self._one_class = bool(config.classes)
        more = [name for name in (config.classes, config.count) if name]
        self.names: tuple[str, ...] = (config.boxes, config.scores, *more)
        columns = self._labels.columns
        scores: list[tuple[int, ...]] = [(-1, columns), (columns, -1)]
        if config.classes:
            scores = [(-1,)]
        counted: Shapes = (COUNT,) if config.count else ()
        classes: Shapes = ([(-1,)],) if config.classes else ()
        self.shapes: Shapes = ([(-1, 4), (-1, 1, 4)], scores, *classes, *counted)

    def read(self, outputs: Sequence[Tensor]) -> RawCandidates:
        """See `OnnxHead.read`.

        Raises:
            DetectorError: a class that the description does not count.
        """
        boxes, scores, *more = outputs
        boxes = boxes.flatten(1, 2) if boxes.ndim == 4 else boxes
        if not self._one_class and scores.shape[1:] != (boxes.shape[1], self._labels.columns):
            scores = scores.transpose(1, 2)
        scores = self._activate(scores)
        classes = more.pop(0) if self._one_class else None
        if more:
            scores = without_padding(scores, more[0])
        if classes is not None:
            scores = self._labels.spread(scores, classes)
        else:
            scores = scores[..., self._labels.kept]
        return RawCandidates(self._to_xyxy(boxes) * self._unit, scores)


class OneClass:
    """Where among the numbers of a file its labels stand.

    Attributes:
        columns: all classes, the background among them.
        kept: those with labels, among them.
    """

    def __init__(self, labels: int, background: str) -> None:
        self.columns = labels + (background != "none")
        first = int(background == "first")
        self.kept = slice(first, first + labels)

    def spread(self, scores: Tensor, classes: Tensor) -> Tensor:
        """Scores (B, N) of classes (B, N) as (B, N, L); a class below 0 is padding, with score 0.

        Raises:
            DetectorError: a class that there is not.
        """
        # Not so: `classes >= 0`. NaN is no padding, and no class either.
        scores = torch.where(classes < 0, 0, scores).masked_fill(classes.isnan(), torch.nan)
        numbers = torch.where(scores == 0, 0, classes).nan_to_num()
        if numbers.numel() and float(numbers.max()) >= self.columns:
            raise DetectorError(
                f"the model returned class {float(numbers.max()):g}, counted from 0, and its "
                f"description has {self.columns}; correct the labels or the background"
            )
        if bool((numbers != numbers.round()).any()):
            raise DetectorError(
                f"the model returned {float(numbers[numbers != numbers.round()][0]):g} where a "
                "class number should be; correct the output in its description"
            )
        spread = scores.new_zeros(*scores.shape, self.columns)
        places = numbers.long().clamp(min=0)[..., None]
        return spread.scatter_(2, places, scores[..., None])[..., self.kept]


COUNT: list[tuple[int, ...]] = [(), (1,)]
"""Shapes of an output with the number of rows that are filled."""


def without_padding(scores: Tensor, count: Tensor) -> Tensor:
    """Scores (B, N, ...) with 0 in the rows from `count` (B,) on."""
    filled = torch.arange(scores.shape[1]) < count.reshape(-1, 1)
    return torch.where(filled.reshape(*filled.shape, *[1] * (scores.ndim - 2)), scores, 0)


def unit_of(unit: str, size: tuple[int, int]) -> Tensor:
    """By what boxes are multiplied to be in pixels of an input of (height, width)."""
    height, width = size
    return torch.tensor([width, height] * 2 if unit == "fraction" else [1] * 4)


def upright(boxes: Tensor, angle: Tensor) -> Tensor:
    """The smallest upright xyxy boxes around cxcywh boxes (..., 4) turned by an angle (...)."""
    centre, (width, height) = boxes[..., :2], boxes[..., 2:].unbind(-1)
    cos, sin = angle.cos().abs(), angle.sin().abs()
    sides = torch.stack([width * cos + height * sin, width * sin + height * cos], -1)
    return cxcywh_to_xyxy(torch.cat([centre, sides], -1))

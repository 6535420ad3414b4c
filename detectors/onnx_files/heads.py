"""How the outputs of an ONNX detector become boxes and scores, a class for each kind."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from detectors.onnx_files.config import BoxesOutput, OutputConfig, Yolov8Output, YoloxOutput
from vps.core.boxes import cxcywh_to_xyxy, xywh_to_xyxy
from vps.errors import DetectorError

Shapes = tuple[list[tuple[int, ...]], ...]
"""Those that each output may have, without the batch axis; -1 is any number."""

TO_XYXY: dict[str, Callable[[Tensor], Tensor]] = {
    "xyxy": lambda boxes: boxes,
    "cxcywh": cxcywh_to_xyxy,
    "xywh": xywh_to_xyxy,
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
        names: of the outputs that it reads; empty for the first, whatever its name.
        shapes: which shapes those may have.
    """

    names: tuple[str, ...]
    shapes: Shapes

    def read(self, outputs: Sequence[Tensor]) -> RawCandidates:
        """The candidates of a batch, out of floats."""
        ...


class YoloxHead:
    """Cells with objectness; a label's score is objectness times class score."""

    def __init__(self, config: YoloxOutput, size: tuple[int, int], labels: int) -> None:
        self._cells = make_cells(size, config.strides)
        self.names: tuple[str, ...] = ()
        self.shapes: Shapes = ([(len(self._cells), 5 + labels)],)

    def read(self, outputs: Sequence[Tensor]) -> RawCandidates:
        """See `OnnxHead.read`."""
        (cells,) = outputs
        boxes = cxcywh_to_xyxy(decode_yolox(cells[..., :4], self._cells))
        objectness = cells[..., 4:5]
        return RawCandidates(boxes, objectness * cells[..., 5:], objectness)


class Yolov8Head:
    """Cells without objectness, decoded by the model."""

    def __init__(self, config: Yolov8Output, labels: int) -> None:
        self._activate = ACTIVATE[config.activation]
        self._width = 4 + labels
        self.names: tuple[str, ...] = ()
        self.shapes: Shapes = ([(self._width, -1), (-1, self._width)],)

    def read(self, outputs: Sequence[Tensor]) -> RawCandidates:
        """See `OnnxHead.read`."""
        (cells,) = outputs
        if cells.shape[1] == self._width:
            cells = cells.transpose(1, 2)
        return RawCandidates(cxcywh_to_xyxy(cells[..., :4]), self._activate(cells[..., 4:]))


class BoxesHead:
    """Boxes and scores as two outputs, or with the class of each box as a third."""

    def __init__(self, config: BoxesOutput, size: tuple[int, int], labels: int) -> None:
        height, width = size
        self._unit = torch.tensor([width, height] * 2 if config.unit == "fraction" else [1] * 4)
        self._to_xyxy = TO_XYXY[config.format]
        self._activate = ACTIVATE[config.activation]
        self._classes = labels + (config.background != "none")
        first = int(config.background == "first")
        self._columns = slice(first, first + labels)
        self.names: tuple[str, ...] = (config.boxes, config.scores)
        self.shapes: Shapes = ([(-1, 4)], [(-1, self._classes)])
        if config.classes:
            self.names = (*self.names, config.classes)
            self.shapes = ([(-1, 4)], [(-1,)], [(-1,)])

    def read(self, outputs: Sequence[Tensor]) -> RawCandidates:
        """See `OnnxHead.read`.

        Raises:
            DetectorError: a class that the description does not count.
        """
        boxes, scores, *classes = outputs
        scores = self._activate(scores)
        if classes:
            (kinds,) = classes
            # Not so: `kinds >= 0`. NaN is no padding, and no class either.
            scores = torch.where(kinds < 0, 0, scores).masked_fill(kinds.isnan(), torch.nan)
            scores = self._spread(scores, kinds.nan_to_num().long())
        return RawCandidates(self._to_xyxy(boxes) * self._unit, scores[..., self._columns])

    def _spread(self, scores: Tensor, classes: Tensor) -> Tensor:
        """Scores (B, N) of classes (B, N) as (B, N, all classes); a class below 0 is padding, and
        its score 0."""
        if classes.numel() and int(classes.max()) >= self._classes:
            raise DetectorError(
                f"the model returned class {int(classes.max())}, counted from 0, and its "
                f"description has {self._classes}; correct the labels or the background"
            )
        spread = scores.new_zeros(*scores.shape, self._classes)
        return spread.scatter_(2, classes.clamp(min=0)[..., None], scores[..., None])


def make_head(config: OutputConfig, size: tuple[int, int], labels: int) -> OnnxHead:
    """The head of a description, for an input of (height, width) and L labels."""
    if isinstance(config, YoloxOutput):
        return YoloxHead(config, size, labels)
    if isinstance(config, Yolov8Output):
        return Yolov8Head(config, labels)
    return BoxesHead(config, size, labels)


def make_cells(size: tuple[int, int], strides: Sequence[int]) -> Tensor:
    """Column, row and stride of each cell of an input (height, width), as (cells, 3)."""
    grids = []
    for stride in strides:
        rows, columns = math.ceil(size[0] / stride), math.ceil(size[1] / stride)
        y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
        grids.append(torch.stack([x, y, torch.full_like(x, stride)], -1).reshape(-1, 3))
    return torch.cat(grids).float()


def decode_yolox(boxes: Tensor, cells: Tensor) -> Tensor:
    """YOLOX's numbers (B, C, 4) as cxcywh boxes in pixels of the input; cells are (C, 3)."""
    corners, strides = cells[:, :2], cells[:, 2:]
    return torch.cat([(boxes[..., :2] + corners) * strides, boxes[..., 2:].exp() * strides], -1)

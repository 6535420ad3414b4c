"""Outputs of an ONNX detector that are decoded here, cell by cell; and the choice among heads."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from detectors.onnx_files.anchors import AnchorsHead
from detectors.onnx_files.heads import (
    ACTIVATE,
    BoxesHead,
    OnnxHead,
    RawCandidates,
    RowsHead,
    Shapes,
    Yolov5Head,
    Yolov8Head,
)
from detectors.onnx_files.outputs import (
    AnchorsOutput,
    BoxesOutput,
    DistributionsOutput,
    FastestDetOutput,
    OutputConfig,
    RowsOutput,
    Yolov5Output,
    Yolov8Output,
    YoloxOutput,
)
from detectors.onnx_files.shapes import grid_of
from vps.core.boxes import cxcywh_to_xyxy


class YoloxHead:
    """Cells with objectness; a label's score is objectness times class score."""

    def __init__(self, config: YoloxOutput, size: tuple[int, int], labels: int) -> None:
        self._cells = make_cells(size, config.strides)
        self._decoded = config.decoded
        self.names: tuple[str, ...] = (config.output,)
        self.shapes: Shapes = ([(len(self._cells), 5 + labels)],)

    def read(self, outputs: Sequence[Tensor]) -> RawCandidates:
        """See `OnnxHead.read`."""
        (cells,) = outputs
        boxes = cells[..., :4]
        boxes = boxes if self._decoded else decode_yolox(boxes, self._cells)
        objectness = cells[..., 4:5]
        return RawCandidates(cxcywh_to_xyxy(boxes), objectness * cells[..., 5:], objectness)


class DistributionsHead:
    """Cells with a distribution for the distance to each side of the box, left, top, right, bottom
    (Generalized Focal Loss, Li et al., NeurIPS 2020); the distance is its expectation."""

    def __init__(self, config: DistributionsOutput, size: tuple[int, int], labels: int) -> None:
        self._activate = ACTIVATE[config.activation]
        self._bins, self._labels = config.bins, labels
        self._levels = len(config.scores)
        cells = make_cells(size, config.strides)
        self._strides = cells[:, 2:]
        self._centres = (cells[:, :2] + config.centre) * self._strides
        counts = [len(make_cells(size, (stride,))) for stride in config.strides]
        self.names: tuple[str, ...] = (config.output,)
        self.shapes: Shapes = ([(len(cells), labels + 4 * config.bins)],)
        if config.scores:
            self.names = (*config.scores, *config.distances)
            grids = [grid_of(size, stride) for stride in config.strides]
            self.shapes = tuple(
                [(count, width), (width, count), (width, *grid)]
                for width in (labels, 4 * config.bins)
                for count, grid in zip(counts, grids, strict=True)
            )

    def read(self, outputs: Sequence[Tensor]) -> RawCandidates:
        """See `OnnxHead.read`."""
        if self._levels:
            scores = _levels_joined(outputs[: self._levels], self._labels)
            sides = _levels_joined(outputs[self._levels :], 4 * self._bins)
        else:
            scores, sides = outputs[0].split([self._labels, 4 * self._bins], -1)
        rates = sides.unflatten(-1, (4, self._bins)).softmax(-1)
        distances = rates @ torch.arange(self._bins).float() * self._strides
        boxes = torch.cat(
            [self._centres - distances[..., :2], self._centres + distances[..., 2:]], -1
        )
        return RawCandidates(boxes, self._activate(scores))


class FastestDetHead:
    """One grid of cells with objectness; decoded as its author's example for onnxruntime does."""

    def __init__(self, config: FastestDetOutput, size: tuple[int, int], labels: int) -> None:
        self._size = size
        self.names: tuple[str, ...] = (config.output,)
        self.shapes: Shapes = ([(5 + labels, -1, -1)],)

    def read(self, outputs: Sequence[Tensor]) -> RawCandidates:
        """See `OnnxHead.read`."""
        (maps,) = outputs
        rows, columns = maps.shape[2:]
        y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
        objectness, dx, dy, width, height = maps[:, :5].flatten(2).unbind(1)
        centres = [(x.flatten() + dx.tanh()) / columns, (y.flatten() + dy.tanh()) / rows]
        boxes = torch.stack([*centres, width.sigmoid(), height.sigmoid()], -1)
        boxes = boxes * boxes.new_tensor([self._size[1], self._size[0]] * 2)
        classes = maps[:, 5:].flatten(2).transpose(1, 2)
        # No power of a number below 0 is a score; that numbers lie in [0, 1] is checked later.
        scores = objectness[..., None].abs() ** 0.6 * classes.abs() ** 0.4
        signs = torch.where((objectness[..., None] < 0) | (classes < 0), -1, 1)
        return RawCandidates(cxcywh_to_xyxy(boxes), scores * signs, objectness[..., None])


def make_head(config: OutputConfig, size: tuple[int, int], labels: int) -> OnnxHead:
    """The head of a description, for an input of (height, width) and L labels."""
    if isinstance(config, YoloxOutput):
        return YoloxHead(config, size, labels)
    if isinstance(config, Yolov5Output):
        return Yolov5Head(config, labels)
    if isinstance(config, Yolov8Output):
        return Yolov8Head(config, size, labels)
    if isinstance(config, RowsOutput):
        return RowsHead(config, size, labels)
    if isinstance(config, BoxesOutput):
        return BoxesHead(config, size, labels)
    if isinstance(config, DistributionsOutput):
        return DistributionsHead(config, size, labels)
    if isinstance(config, AnchorsOutput):
        return AnchorsHead(config, size, labels)
    return FastestDetHead(config, size, labels)


def make_cells(size: tuple[int, int], strides: Sequence[int]) -> Tensor:
    """Column, row and stride of each cell of an input (height, width), as (cells, 3)."""
    grids = []
    for stride in strides:
        rows, columns = grid_of(size, stride)
        y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
        grids.append(torch.stack([x, y, torch.full_like(x, stride)], -1).reshape(-1, 3))
    return torch.cat(grids).float()


def decode_yolox(boxes: Tensor, cells: Tensor) -> Tensor:
    """YOLOX's numbers (B, C, 4) as cxcywh boxes in pixels of the input; cells are (C, 3)."""
    corners, strides = cells[:, :2], cells[:, 2:]
    return torch.cat([(boxes[..., :2] + corners) * strides, boxes[..., 2:].exp() * strides], -1)


def _levels_joined(outputs: Sequence[Tensor], width: int) -> Tensor:
    """The cells of several outputs, each (B, n, C), (B, C, n) or (B, C, h, w), as (B, N, C)."""
    flat = [output.flatten(2) if output.ndim == 4 else output for output in outputs]
    turned = [
        cells.transpose(1, 2) if output.ndim == 4 or cells.shape[2] != width else cells
        for output, cells in zip(outputs, flat, strict=True)
    ]
    return torch.cat(turned, 1)

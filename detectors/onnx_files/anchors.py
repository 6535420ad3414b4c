"""Outputs of an ONNX detector with the raw numbers of anchors, an output for each stride."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from detectors.onnx_files.heads import ACTIVATE, RawCandidates, Shapes
from detectors.onnx_files.outputs import AnchorsOutput
from detectors.onnx_files.shapes import grid_of
from vps.core.boxes import cxcywh_to_xyxy


class AnchorsHead:
    """Anchors with objectness; a label's score is objectness times class score."""

    def __init__(self, config: AnchorsOutput, size: tuple[int, int], labels: int) -> None:
        self._end = 5 + labels
        self._darknet = config.form == "darknet"
        self._activate = ACTIVATE[config.activation]
        self._strides = config.strides
        self._anchors = [torch.tensor(one).float().reshape(-1, 2) for one in config.anchors]
        self._width = self._end + config.extra
        self.names: tuple[str, ...] = config.outputs
        self.shapes: Shapes = tuple(
            [(len(anchors), *grid, self._width), (len(anchors) * self._width, *grid)]
            for anchors, stride in zip(self._anchors, config.strides, strict=True)
            for grid in [grid_of(size, stride)]
        )

    def read(self, outputs: Sequence[Tensor]) -> RawCandidates:
        """See `OnnxHead.read`."""
        levels = zip(outputs, self._strides, self._anchors, strict=True)
        found = [self._level(*level) for level in levels]
        rows = torch.cat([level.flatten(1, 3) for level in found], 1)
        objectness = rows[..., 4:5]
        scores = objectness * rows[..., 5 : self._end]
        return RawCandidates(cxcywh_to_xyxy(rows[..., :4]), scores, objectness)

    def _level(self, output: Tensor, stride: int, anchors: Tensor) -> Tensor:
        """(B, A, h, w, 5 + L + extra): boxes as cxcywh in pixels of the input, then the scores."""
        if output.ndim == 4:
            output = output.unflatten(1, (len(anchors), self._width)).permute(0, 1, 3, 4, 2)
        rows, columns = output.shape[2:4]
        y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
        cells, sides = torch.stack([x, y], -1), anchors[:, None, None]
        numbers = self._activate(output)
        if self._darknet:
            centres = (numbers[..., :2] + cells) * stride
            sides = output[..., 2:4].exp() * sides
        else:
            centres = (2 * numbers[..., :2] - 0.5 + cells) * stride
            sides = (2 * numbers[..., 2:4]) ** 2 * sides
        return torch.cat([centres, sides, numbers[..., 4:]], -1)

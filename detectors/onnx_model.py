"""Detectors in ONNX files, run by onnxruntime on the CPU."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from detectors.onnx_config import InputConfig, OnnxConfig, read_config
from detectors.pixels import check_batch, scale_boxes, to_pixels
from vps.boxes import cxcywh_to_xyxy
from vps.errors import DetectorError, InputError
from vps.extras import require
from vps.types import Detections


class OnnxDetector:
    """An ONNX file as a detector with fixed labels.

    A label's score is objectness times class score. All cells of all grids are candidates. Images
    go through the model one by one: most exported files have a fixed batch of 1.

    Args:
        config: what `read_config` returns.
        threads: on how many cores onnxruntime computes one image.

    Raises:
        InputError: the model file is missing or broken, or does not fit the description.
    """

    def __init__(self, config: OnnxConfig, *, threads: int = 1) -> None:
        self.name = config.name
        self.labels = config.labels
        self.device = torch.device("cpu")
        self._config = config
        self._session = _open(config.model, threads)
        self._feed = self._session.get_inputs()[0].name
        self._cells = _cells(config.input.size, config.output.strides)
        height, width = config.input.size
        self._check("input", self._session.get_inputs()[0].shape, [1, 3, height, width])
        expected = [1, len(self._cells), 5 + len(self.labels)]
        self._check("output", self._session.get_outputs()[0].shape, expected)

    def prepare(self, image: np.ndarray) -> Tensor:
        """The image as large as it fits, without padding; see `vps.detector.Detector.prepare`.

        Bilinear without smoothing, as the detectors of the YOLO family are trained and measured.
        """
        size = (image.shape[0], image.shape[1])
        pixels = to_pixels(image, size, self.device)
        return interpolate(pixels[None], fitted(size, self._config.input.size), mode="bilinear")[0]

    @torch.no_grad()
    def detect(self, pixels: Tensor, size: tuple[int, int]) -> Detections:
        """All cells with all labels; see `vps.detector.Detector.detect`.

        Raises:
            InputError: pixels larger than the model's input.
        """
        grid = check_batch(pixels)
        if grid[0] > self._config.input.size[0] or grid[1] > self._config.input.size[1]:
            raise InputError(
                f"{self.name} takes pixels of at most {self._config.input.size} (height, width), "
                f"got {grid}; use prepare()"
            )
        batch = padded(pixels, self._config.input)
        rows = [self._session.run(None, {self._feed: image[None].numpy()})[0] for image in batch]
        output = torch.from_numpy(np.concatenate(rows))
        if output.shape[1:] != (len(self._cells), 5 + len(self.labels)):
            raise DetectorError(
                f"{self.name} returned {tuple(output.shape[1:])} values for an image; expected "
                f"{(len(self._cells), 5 + len(self.labels))}: cells, and 5 + labels"
            )
        boxes = cxcywh_to_xyxy(decode_yolox(output[..., :4], self._cells))
        scores = (output[..., 4:5] * output[..., 5:]).clamp(0, 1)
        return Detections(scale_boxes(boxes, grid, size), scores, self.labels)

    def _check(self, what: str, found: Sequence[Any], expected: list[int]) -> None:
        """Compare a shape of the file with the description; a named axis is free."""
        fits = len(found) == len(expected) and all(
            have == want or not isinstance(have, int)
            for have, want in zip(found, expected, strict=True)
        )
        if not fits:
            raise InputError(
                f"{self._config.model.name} has an {what} of shape {list(found)}, but its "
                f"description, with {len(self.labels)} labels, means {expected}; correct one of "
                "them"
            )


def load_onnx(
    source: str,
    *,
    labels: Sequence[str] | None = None,
    device: str = "cpu",
    dtype: str = "float32",
    threads: int = 1,
) -> OnnxDetector:
    """An ONNX detector from its YAML description, or from a folder with a detector.yaml.

    Raises:
        InputError: labels, a device or a dtype that an ONNX file cannot take, or whatever is wrong
            with description or model.
    """
    if labels is not None:
        raise InputError("an ONNX detector has the labels of its description; give it no others")
    if (device, dtype) != ("cpu", "float32"):
        raise InputError(f"ONNX detectors run on cpu in float32, not on {device} in {dtype}")
    if not source:
        raise InputError("onnx needs a description: onnx:FILE.yaml or onnx:FOLDER")
    path = Path(source).expanduser()
    config = read_config(path / "detector.yaml" if path.is_dir() else path)
    return OnnxDetector(config, threads=threads)


def fitted(size: tuple[int, int], limit: tuple[int, int]) -> tuple[int, int]:
    """The (h, w) of an image (H, W) made as large as fits into `limit`, rounded down."""
    ratio = min(limit[0] / size[0], limit[1] / size[1])
    return max(1, int(size[0] * ratio)), max(1, int(size[1] * ratio))


def padded(pixels: Tensor, config: InputConfig) -> Tensor:
    """Pixels (B, 3, h, w), RGB in [0, 1], as the model takes them: (B, 3, *config.size)."""
    batch = pixels.new_full((len(pixels), 3, *config.size), config.padding)
    ordered = pixels.flip(1) if config.channels == "bgr" else pixels
    batch[..., : pixels.shape[2], : pixels.shape[3]] = ordered * config.scale
    return batch


def decode_yolox(boxes: Tensor, cells: Tensor) -> Tensor:
    """YOLOX's numbers (B, C, 4) as cxcywh boxes in pixels of the input; cells are (C, 3)."""
    corners, strides = cells[:, :2], cells[:, 2:]
    return torch.cat([(boxes[..., :2] + corners) * strides, boxes[..., 2:].exp() * strides], -1)


def _cells(size: tuple[int, int], strides: Sequence[int]) -> Tensor:
    """Column, row and stride of each cell, (C, 3)."""
    grids = []
    for stride in strides:
        rows, columns = math.ceil(size[0] / stride), math.ceil(size[1] / stride)
        y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
        grids.append(torch.stack([x, y, torch.full_like(x, stride)], -1).reshape(-1, 3))
    return torch.cat(grids).float()


def _open(path: Path, threads: int) -> Any:
    if not path.is_file():
        raise InputError(f"ONNX model {path} does not exist; correct `model` in its description")
    if threads < 1:
        raise InputError(f"threads must be 1 or more, got {threads}")
    runtime = require("onnxruntime", extra="onnx")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    try:
        return runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        # onnxruntime raises classes of its own that have only Exception in common.
        reason = " ".join(str(error).split())
        raise InputError(f"ONNX model {path} cannot be loaded: {reason}") from error

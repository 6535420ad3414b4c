"""What a description of an ONNX file contradicts: the file's own words, or what it returns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from detectors.onnx_files.config import OnnxConfig
from detectors.onnx_files.contents import metadata_names, parsed, session_metadata
from detectors.onnx_files.outputs import (
    BoxesOutput,
    RowsOutput,
    Yolov5Output,
    Yolov8Output,
    YoloxOutput,
)
from vps.errors import DetectorError, InputError

# By how much rounding may carry scores beyond 0 and 1.
ROUNDING = 1e-3
# A candidate that scores so much says what boxes are like; what scores less may be anything.
TOLD = 0.25
# No box of a detector is so many times as long as its input, or starts so far outside.
FAR = 20
# Boxes within so many pixels of the first one are fractions.
CORNER = 4


def check_description(config: OnnxConfig, session: Any, *, bytes_in: bool) -> None:
    """Compare a description with what its file says beside the shapes.

    Raises:
        InputError: labels that are not the file's, a size that is no multiple of its stride, bytes
            that would all be black, or a file that is no detector.
    """
    metadata = session_metadata(session)
    check_task(config.model, metadata)
    names = metadata_names(metadata, config.model)
    if names:
        check_names(config.labels, names, config.model, getattr(config.output, "background", ""))
    ports = {port.name.split(":")[0] for port in session.get_outputs()}
    wrong = isinstance(config.output, BoxesOutput) and config.output.format != "yxyx"
    if wrong and ports >= {"detection_boxes", "detection_scores", "detection_classes"}:
        raise InputError(
            f"{config.model} has the outputs of TensorFlow's Object Detection API, whose boxes are "
            "yxyx; correct output.format"
        )
    stride = parsed(metadata.get("stride", ""))
    if isinstance(stride, int) and stride > 0 and any(side % stride for side in config.input.size):
        raise InputError(
            f"input.size {config.input.size} is no multiple of {stride}, which {config.model} says "
            "is its stride"
        )
    plain = set(config.input.mean) == {0} and set(config.input.std) == {1}
    if bytes_in and (config.input.scale != 255 or not plain):
        raise InputError(
            f"{config.model} takes bytes (uint8), so input.scale must be 255, without mean "
            f"and std; with scale {config.input.scale:g}, all images would be next to black"
        )


def check_task(path: Path, metadata: dict[str, str]) -> None:
    """Raise InputError where a file says that it classifies images."""
    if metadata.get("task") == "classify":
        raise InputError(f"{path} says that it classifies images (task: classify); no detector")


def check_names(
    labels: Sequence[str], names: Sequence[str], path: Path, background: str = ""
) -> None:
    """Raise InputError where labels are not the names that a file gives its classes."""
    own = list(names)
    if len(own) == len(labels) + 1 and background in ("first", "last"):
        own = own[1:] if background == "first" else own[:-1]
    if len(own) != len(labels):
        raise InputError(f"{path} names {len(own)} classes, and {len(labels)} labels were given")
    for number, (label, name) in enumerate(zip(labels, own, strict=True)):
        if _plain(label) != _plain(name):
            raise InputError(
                f"labels[{number}] is {label!r}, but {path} calls that class {name!r}; "
                "correct the labels"
            )


def check_rows(config: OnnxConfig, outputs: Sequence[Tensor]) -> None:
    """Raise DetectorError where rows of box, score and class are read as scores of classes."""
    if not isinstance(config.output, Yolov5Output | Yolov8Output) or outputs[0].shape[-1] != 6:
        return
    for columns, family in _ROWS:
        place = [columns.index(name) for name in ("x1", "y1", "x2", "y2", "score", "class")]
        rows = outputs[0][..., place]
        rows = rows[rows[..., 4] > 0]
        inside = (rows[:, 4] <= 1) & (rows[:, 5] == rows[:, 5].round())
        if len(rows) and bool((inside & (rows[:, :2] <= rows[:, 2:4]).all(-1)).all()):
            raise DetectorError(
                f"{config.model} returned six columns, one of whole numbers: box, score and class, "
                f"as {family} has them, not {config.output.head}; set output to "
                f"{{head: rows, columns: [{', '.join(columns)}]}}"
            )


_ROWS = (
    (("x1", "y1", "x2", "y2", "score", "class"), "YOLOv10 or a YOLO with NMS"),
    (("class", "score", "x1", "y1", "x2", "y2"), "PaddleDetection"),
)


def check_candidates(
    config: OnnxConfig, boxes: Tensor, scores: Tensor, size: tuple[int, int]
) -> None:
    """Refuse boxes that cannot be, as they come out of a wrong description.

    Args:
        config: the description.
        boxes: (B, N, 4) xyxy, in pixels of the input.
        scores: (B, N, L).
        size: (height, width) of the input.

    Raises:
        DetectorError: numbers that are none, or boxes with a score that are far too large, all at
            the corner, or turned inside out.
    """
    model = config.model
    raw = isinstance(config.output, YoloxOutput) and not config.output.decoded
    hint = (
        "; if it has made boxes of its numbers already, set output.decoded to true" if raw else ""
    )
    if not bool(torch.isfinite(boxes).all() & torch.isfinite(scores).all()):
        raise DetectorError(f"{model} returned NaN or infinite boxes or scores{hint}")
    if not scores.numel():
        return
    told = boxes[scores.amax(-1) >= TOLD]
    if not len(told):
        return
    longest = max(size)
    if float(told.abs().max()) > FAR * longest:
        hint = hint or "; correct output.unit, output.format or the head in its description"
        raise DetectorError(
            f"{model} returned a box that reaches to {float(told.abs().max()):.3g} pixels, with an "
            f"input of {size[1]} x {size[0]}{hint}"
        )
    if float(told.abs().max()) <= CORNER < longest / 8:
        unit = getattr(config.output, "unit", "pixels")
        hint = "; if they are fractions, set output.unit to fraction" if unit == "pixels" else ""
        raise DetectorError(
            f"{model} returned boxes that lie all within {CORNER} pixels of the upper left corner"
            f"{hint or '; correct the head in its description'}"
        )
    inverted = (told[:, 2:] < told[:, :2]).any(-1)
    if float(inverted.float().mean()) > 0.5:
        raise DetectorError(
            f"{model} returned boxes whose right or lower side comes first; correct output.format "
            "in its description: xyxy, cxcywh, xywh or yxyx"
        )


def dropping_note(config: OnnxConfig, reduced: str) -> str:
    """What it costs an explanation that a file drops boxes inside; "" if it does not seem to.

    Args:
        config: the description.
        reduced: what of the file's graph drops boxes, "NMS" or "top-k"; "" if nothing is seen.
    """
    kept = isinstance(config.output, RowsOutput) or (
        isinstance(config.output, BoxesOutput) and bool(config.output.classes)
    )
    if not (kept or reduced == "NMS"):
        return ""
    what = {"": "an NMS or a top-k", "NMS": "an NMS", "top-k": "a top-k"}[reduced]
    return (
        f"{config.model.name} drops boxes inside, by {what}: where a box is dropped, a search sees "
        "its score fall to 0 at once, and each box has one label only; a file exported without is "
        "better explained"
    )


def _plain(name: str) -> str:
    return " ".join(name.casefold().replace("_", " ").replace("-", " ").split())

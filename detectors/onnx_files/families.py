"""Whose export an ONNX file is, by the names, types and shapes of its inputs and outputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from detectors.onnx_files.contents import Contents
from detectors.onnx_files.feeds import MASKS
from detectors.onnx_files.levels import anchor_grids, levels
from detectors.onnx_files.lists import (
    boxes_and_scores,
    boxes_scores_classes,
    real_time_detr,
    torchvision_list,
)
from detectors.onnx_files.proposal import (
    FREE,
    IMAGENET,
    LETTERBOX,
    RESIZED,
    SIZE,
    STRETCHED,
    WHOLE,
    Proposal,
    coco,
    is_real,
    left,
    named_port,
    sides,
)
from detectors.onnx_files.tables import tables


def recognised(contents: Contents, labels: int | None) -> list[Proposal]:
    """The ways in which a file may be read, the likelier first; empty if none is known.

    Args:
        contents: what the file says.
        labels: how many there are, if that is known.
    """
    for family in _FAMILIES:
        found = family(contents, labels)
        if found:
            return [found]
    return tables(contents, labels)


def _tensorflow(contents: Contents, labels: int | None) -> Proposal | None:
    """TensorFlow's Object Detection API, and its post-processing for TensorFlow Lite."""
    boxes, scores, classes, count = (
        named_port(contents, name)
        for name in (
            "detection_boxes",
            "detection_scores",
            "detection_classes",
            "num_detections",
        )
    )
    if not (boxes and scores and classes):
        return None
    output = {
        "head": "boxes",
        "boxes": boxes.name,
        "scores": scores.name,
        "classes": classes.name,
        "format": "yxyx",
        "unit": "fraction",
        "background": "first",
        **({"count": count.name} if count else {}),
    }
    used = [port.name for port in (boxes, scores, classes, count) if port]
    given = {**WHOLE, "scale": 255}
    questions = {}
    if contents.image.type != "tensor(uint8)":
        questions["input.scale"] = "what white is: 255 or 1"
    return Proposal(
        "TensorFlow's Object Detection API",
        output,
        given,
        size=FREE,
        notes=left(contents, used),
        questions=questions,
    )


def _efficient_nms(contents: Contents, labels: int | None) -> Proposal | None:
    """YOLOs with an NMS for TensorRT, or one of the same form."""
    boxes = named_port(contents, "det_boxes")
    scores, classes = named_port(contents, "det_scores"), named_port(contents, "det_classes")
    count = named_port(contents, "num_dets", "num_detections")
    if not (boxes and scores and classes):
        return None
    output = {"head": "boxes", "boxes": boxes.name, "scores": scores.name, "classes": classes.name}
    used = [port.name for port in (boxes, scores, classes, count) if port]
    if count:
        output["count"] = count.name
    notes = left(contents, used)
    return Proposal("YOLO, end2end", output, LETTERBOX, size=SIZE, notes=notes)


def _transformers(contents: Contents, labels: int | None) -> Proposal | None:
    """DETR and its successors of transformers."""
    logits, boxes = named_port(contents, "logits"), named_port(contents, "pred_boxes")
    if not (logits and boxes):
        return None
    columns = sides(logits)[-1]
    masked = any(port.name in MASKS for port in contents.inputs)
    output: dict[str, Any] = {
        "head": "boxes",
        "boxes": boxes.name,
        "scores": logits.name,
        "format": "cxcywh",
        "unit": "fraction",
    }
    background = None
    if labels is not None and columns in (labels, labels + 1):
        background = columns == labels + 1
    elif labels is None and columns in (80, 91, 92):
        background = columns == 92
    questions = {}
    if background is None:
        questions["output.activation"] = (
            f"softmax, with background: last, if one of the {columns} logits is 'no object' (DETR, "
            "YOLOS, Table Transformer), or sigmoid if each is a label (the others)"
        )
    else:
        output["activation"] = "softmax" if background else "sigmoid"
        output["background"] = "last" if background else "none"
    plain = not masked and background is False
    given = {**STRETCHED, **({} if plain else IMAGENET)}
    if contents.size is None and not plain:
        given["placement"] = "free"
    classes = columns - background if columns and background is not None else None
    return Proposal(
        "RT-DETR or D-FINE of transformers" if plain else "DETR of transformers",
        output,
        given,
        classes,
        most=columns,
        named=coco(classes),
        size=SIZE if plain else FREE,
        notes=left(contents, [logits.name, boxes.name]),
        questions=questions,
    )


def _dets_and_labels(contents: Contents, labels: int | None) -> Proposal | None:
    """mmdeploy, or RF-DETR, which has the same names and gives logits."""
    dets, classes = named_port(contents, "dets"), named_port(contents, "labels")
    if not (dets and classes):
        return None
    notes = left(contents, [dets.name, classes.name])
    if sides(dets)[-1] == 5:
        output = {"head": "rows", "output": dets.name, "classes": classes.name}
        columns = ["x1", "y1", "x2", "y2", "score"]
        questions = {
            "input.channels": "rgb or bgr, see data_preprocessor.bgr_to_rgb of the mmdet config",
            "input.mean": "see data_preprocessor.mean of the mmdet config; scale is 255",
            "input.std": "see data_preprocessor.std of the mmdet config",
        }
        given = {"scale": 255, "placement": "corner"}
        return Proposal(
            "mmdeploy",
            {**output, "columns": columns},
            given,
            notes=notes,
            questions=questions,
        )
    columns_of = sides(classes)[-1]
    if sides(dets)[-1] != 4 or columns_of is None:
        return None
    output = {"head": "boxes", "boxes": dets.name, "scores": classes.name}
    form = {"format": "cxcywh", "unit": "fraction", "activation": "sigmoid"}
    first = columns_of == 91 if labels is None else columns_of == labels + 1
    return Proposal(
        "RF-DETR",
        {**output, **form, "background": "first" if first else "none"},
        {**STRETCHED, **IMAGENET},
        columns_of - first,
        named=coco(90) if columns_of == 91 else None,
        size=SIZE,
        notes=notes,
    )


def _yolov4(contents: Contents, labels: int | None) -> Proposal | None:
    """pytorch-YOLOv4: boxes (N, 1, 4) as fractions, and confs (N, L)."""
    boxes = next((p for p in contents.outputs if len(p.shape or ()) == 4 and is_real(p)), None)
    if boxes is None or sides(boxes)[1:] != [1, 4]:
        return None
    scores = [port for port in contents.outputs if len(port.shape or ()) == 3 and is_real(port)]
    if len(scores) != 1:
        return None
    output = {"head": "boxes", "boxes": boxes.name, "scores": scores[0].name, "unit": "fraction"}
    notes = left(contents, [boxes.name, scores[0].name])
    return Proposal("YOLOv4", output, RESIZED, sides(scores[0])[-1], size=SIZE, notes=notes)


_FAMILIES: tuple[Callable[[Contents, int | None], Proposal | None], ...] = (
    _tensorflow,
    _efficient_nms,
    _transformers,
    real_time_detr,
    _dets_and_labels,
    torchvision_list,
    _yolov4,
    levels,
    anchor_grids,
    boxes_scores_classes,
    boxes_and_scores,
)

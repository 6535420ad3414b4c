"""Whose export an ONNX file is, by the names, types and shapes of its inputs and outputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from detectors.onnx_files.contents import Contents
from detectors.onnx_files.feeds import MASKS, NUMPY_TYPES
from detectors.onnx_files.grids import grid_of
from detectors.onnx_files.proposal import (
    IMAGENET,
    LETTERBOX,
    NANODET,
    NORMALISED,
    RESIZED,
    STRETCHED,
    Proposal,
    coco,
    is_real,
    left,
    named_port,
    sides,
)
from detectors.onnx_files.tables import SIZE, cell_counts, tables

FREE = (800, 1333)
"""The sides to which DETR and torchvision resize: the shorter, and at most the longer."""
_WHOLE = {"channels": "rgb", "placement": "free"}


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
    given = {**_WHOLE, "scale": 255}
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


def _real_time_detr(contents: Contents, labels: int | None) -> Proposal | None:
    """RT-DETR, D-FINE and DEIM of their authors: labels, boxes and scores of the best queries."""
    others = [port for port in contents.inputs if port.name != contents.image.name]
    sized = [port for port in others if port.type == "tensor(int64)" and port.name not in MASKS]
    ports = _triple(contents, 3)
    if not (sized and ports):
        return None
    boxes, scores, classes = ports
    given = {**STRETCHED, **(IMAGENET if contents.patch else {})}
    notes = ["boxes are asked for in pixels of the input"]
    if contents.patch:
        notes.append("a vision transformer: pixels are normalised as for ImageNet")
    return Proposal(
        "RT-DETR, D-FINE or DEIM of their authors",
        {"head": "boxes", "boxes": boxes, "scores": scores, "classes": classes},
        given,
        contents.ranked,
        size=SIZE,
        notes=(*notes, *left(contents, ports)),
    )


def _torchvision(contents: Contents, labels: int | None) -> Proposal | None:
    """torchvision's R-CNNs, RetinaNet, FCOS and SSD, which normalise and resize by themselves."""
    ports = _triple(contents, 2)
    if not ports:
        return None
    boxes, scores, classes = ports
    output = {"head": "boxes", "boxes": boxes, "scores": scores, "classes": classes}
    given = {**_WHOLE, "scale": 1}
    if contents.size:
        given.update(placement="corner", padding=0)
    count = contents.scored - 1 if contents.scored else None
    return Proposal(
        "torchvision",
        {**output, "background": "first"},
        given,
        count,
        named=coco(count) if count == 90 else None,
        size=FREE,
        notes=("class 0 is the background", *left(contents, ports)),
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
            size=FREE,
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


def _levels(contents: Contents, labels: int | None) -> Proposal | None:
    """NanoDet, PicoDet and other files with scores and distributions of each stride apart."""
    if contents.size is None or len(contents.outputs) % 2:
        return None
    for strides in dict.fromkeys([*cell_counts(contents.size).values()]):
        found = _pairs(contents, strides)
        if found is None:
            continue
        scores, distances, classes, bins = found
        nanodet = all("pred_stride" in name for name in (*scores, *distances))
        output = {
            "head": "distributions",
            "strides": list(strides),
            "bins": bins,
            "scores": scores,
            "distances": distances,
        }
        given: dict[str, Any] = {"channels": "rgb", "scale": 255, "placement": "stretch"}
        questions = dict.fromkeys(("input.mean", "input.std"), NORMALISED)
        return Proposal(
            "NanoDet" if nanodet else "PicoDet, GFL and the like",
            output,
            NANODET if nanodet else given,
            classes,
            notes=("distances are measured from the middle of each cell (centre)",),
            questions={} if nanodet else questions,
        )
    return None


def _pairs(
    contents: Contents, strides: tuple[int, ...]
) -> tuple[list[str], list[str], int, int] | None:
    """Names of outputs with scores and with distances, by stride; classes and bins."""
    if contents.size is None or len(contents.outputs) != 2 * len(strides):
        return None
    widths: list[tuple[int, str, int, str]] = []
    for stride in strides:
        grid = grid_of(contents.size, stride)
        here = [(width, port.name) for port in contents.outputs
                if (width := _width(port, grid)) is not None]  # fmt: skip
        if len(here) != 2:
            return None
        (first, one), (second, other) = here
        widths.append((first, one, second, other))
    if len({(first, second) for first, _, second, _ in widths}) != 1:
        return None
    first, _, second, _ = widths[0]
    ones, others = [one for _, one, _, _ in widths], [other for _, _, _, other in widths]
    # Distances have four numbers a bin, as a rule 32 or 64; scores are what is left.
    if second % 4 == 0 and (first % 4 or second in (32, 64) or first not in (32, 64)):
        return ones, others, first, second // 4
    return (others, ones, second, first // 4) if first % 4 == 0 else None


def _width(port: Any, grid: tuple[int, int]) -> int | None:
    """Numbers a cell of an output with a grid (h, w) of cells: (n, C), (C, n) or (C, h, w)."""
    shape, count = sides(port), grid[0] * grid[1]
    if len(shape) == 2 and count in shape:
        return shape[1] if shape[0] == count else shape[0]
    return shape[0] if len(shape) == 3 and shape[1:] == list(grid) else None


def _boxes_scores_classes(contents: Contents, labels: int | None) -> Proposal | None:
    """Boxes (B, N, 4), scores and classes (B, N) of a family that nothing tells."""
    ports = _triple(contents, 3)
    if not ports:
        return None
    boxes, scores, classes = ports
    questions = {**_UNTOLD, "output.background": "first if class 0 is the background, else none"}
    return Proposal(
        "boxes, scores and classes of an unknown family",
        {"head": "boxes", "boxes": boxes, "scores": scores, "classes": classes},
        {},
        contents.ranked,
        notes=left(contents, ports),
        questions=questions,
    )


_UNTOLD = {
    "input.scale": "what white is: 255 or 1",
    "input.placement": "stretch, centre or corner",
    "input.channels": "rgb or bgr",
    "output.format": "xyxy, cxcywh, xywh or yxyx",
    "output.unit": "pixels or fraction",
}


def _boxes_and_scores(contents: Contents, labels: int | None) -> Proposal | None:
    """Boxes (N, 4) and scores (N, L) of a family that nothing tells."""
    real = [port for port in contents.outputs if is_real(port) and len(port.shape or ()) == 3]
    boxes = [port for port in real if sides(port)[-1] == 4]
    if len(real) != 2 or len(boxes) != 1:
        return None
    scores = next(port for port in real if port is not boxes[0])
    rows = sides(boxes[0])[0]
    width = next((side for side in sides(scores) if side not in (rows, None)), None)
    output = {"head": "boxes", "boxes": boxes[0].name, "scores": scores.name}
    notes = left(contents, [boxes[0].name, scores.name])
    family = "boxes and scores of an unknown family"
    return Proposal(family, output, {}, width, notes=notes, questions=_UNTOLD)


def _triple(contents: Contents, rank: int) -> tuple[str, str, str] | None:
    """Names of boxes, scores and classes: floats (..., 4), floats and whole numbers (...)."""
    real = [port for port in contents.outputs if is_real(port)]
    boxes = [p for p in real if len(p.shape or ()) == rank and list(p.shape)[-1] == 4]
    scores = [p for p in real if len(p.shape or ()) == rank - 1]
    classes = [
        port
        for port in contents.outputs
        if port.type in NUMPY_TYPES and not is_real(port) and len(port.shape or ()) == rank - 1
    ]
    if not (len(boxes) == len(scores) == len(classes) == 1):
        return None
    return boxes[0].name, scores[0].name, classes[0].name


_FAMILIES: tuple[Callable[[Contents, int | None], Proposal | None], ...] = (
    _tensorflow,
    _efficient_nms,
    _transformers,
    _real_time_detr,
    _dets_and_labels,
    _torchvision,
    _yolov4,
    _levels,
    _boxes_scores_classes,
    _boxes_and_scores,
)

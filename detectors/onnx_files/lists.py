"""Files with boxes, scores and perhaps classes as outputs of their own, known by their shapes."""

from __future__ import annotations

from detectors.onnx_files.contents import Contents
from detectors.onnx_files.feeds import MASKS, NUMPY_TYPES
from detectors.onnx_files.proposal import (
    FREE,
    IMAGENET,
    SIZE,
    STRETCHED,
    WHOLE,
    Proposal,
    coco,
    is_real,
    left,
    sides,
)

_UNTOLD = {
    "input.scale": "what white is: 255 or 1",
    "input.placement": "stretch, centre or corner",
    "input.channels": "rgb or bgr",
    "output.format": "xyxy, cxcywh, xywh or yxyx",
    "output.unit": "pixels or fraction",
}


def real_time_detr(contents: Contents, labels: int | None) -> Proposal | None:
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


def torchvision_list(contents: Contents, labels: int | None) -> Proposal | None:
    """torchvision's R-CNNs, RetinaNet, FCOS and SSD, which normalise and resize by themselves."""
    ports = _triple(contents, 2)
    if not ports:
        return None
    boxes, scores, classes = ports
    output = {"head": "boxes", "boxes": boxes, "scores": scores, "classes": classes}
    given = {**WHOLE, "scale": 1}
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


def boxes_scores_classes(contents: Contents, labels: int | None) -> Proposal | None:
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


def boxes_and_scores(contents: Contents, labels: int | None) -> Proposal | None:
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

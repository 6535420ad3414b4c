"""What detecting functions return, in the many forms that are in use, as boxes and scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from vps.errors import DetectorError

BOXES = {
    "xyxy": ("xyxy", "pixels"),
    "xyxyn": ("xyxy", "fractions"),
    "detection_boxes": ("yxyx", "fractions"),  # of TensorFlow
    **dict.fromkeys(
        ("boxes", "bboxes", "box", "bbox", "pred_boxes", "xywh", "cxcywh"), (None, None)
    ),
}
SCORE_NAMES = (
    "scores",
    "score",
    "confidence",
    "confidences",
    "conf",
    "probs",
    "detection_scores",
)
CLASSES = (
    "labels",
    "label",
    "class_name",
    "name",
    "class_id",
    "class_ids",
    "classes",
    "class",
    "cls",
    "category_id",
    "category",
    "pred_classes",
    "detection_classes",
)
_SIDES = ("xmin", "ymin", "xmax", "ymax")
FORMS_HINT = (
    "return (boxes, scores) or (boxes, scores, classes) as arrays, a dict of these, a list of "
    'dicts such as {"box": [x1, y1, x2, y2], "score": 0.9, "label": "cat"}, rows of x1, y1, x2, '
    "y2, score, class, or sv.Detections"
)


class ImageAnswer(NamedTuple):
    """What a function says of one image.

    Attributes:
        boxes: (n, 4) float64, on the CPU; what was a tensor keeps its graph.
        scores: (n,) or (n, L) float64, likewise.
        classes: n names or numbers; None where there are none.
        form: of the boxes, "xyxy" or "yxyx"; None if the answer does not tell.
        units: "pixels" or "fractions"; None likewise.
    """

    boxes: Tensor
    scores: Tensor
    classes: Sequence[Any] | None = None
    form: str | None = None
    units: str | None = None


NOTHING = ImageAnswer(torch.zeros(0, 4), torch.zeros(0), ())


def read_answer(answer: Any) -> ImageAnswer:
    """What a function returned for one image.

    Raises:
        DetectorError: a form that is not known, or parts that do not fit together.
    """
    if answer is None or (isinstance(answer, (list, tuple)) and not len(answer)):
        return NOTHING
    if hasattr(answer, "to_dict") and hasattr(answer, "columns"):  # a table of pandas
        return _of_mapping(answer.to_dict(orient="list"))
    if isinstance(answer, Mapping):
        return _of_mapping(answer)
    if hasattr(answer, "pred_instances"):  # of mmdet
        found = answer.pred_instances
        return _made(found.bboxes, found.scores, found.labels, "xyxy", "pixels")
    if hasattr(answer, "xyxy") and hasattr(answer, "confidence"):  # of supervision
        names = (getattr(answer, "data", None) or {}).get("class_name")
        if answer.confidence is None and len(answer.xyxy):
            raise DetectorError("the detections have no confidence, which an explanation needs")
        classes = answer.class_id if names is None else names
        return _made(answer.xyxy, answer.confidence, classes, "xyxy", "pixels")
    if hasattr(answer, "boxes") and hasattr(answer.boxes, "xyxy"):  # of Ultralytics
        found = answer.boxes
        names = getattr(answer, "names", None) or {}
        classes = [names.get(int(one), int(one)) for one in _array(found.cls).tolist()]
        return _made(found.xyxy, found.conf, classes, "xyxy", "pixels")
    if isinstance(answer, (list, tuple)) and isinstance(answer[0], Mapping):
        return _of_mappings(answer)
    if isinstance(answer, (list, tuple)) and len(answer) == 1 and not np.isscalar(answer[0]):
        # One image of a batch of one; or a single row.
        return read_answer(answer[0]) if _depth(answer[0]) != 1 else _of_rows(answer)
    if isinstance(answer, (list, tuple)) and len(answer) in (2, 3) and _depth(answer[0]) == 2:
        return _of_parts(answer)
    if isinstance(answer, (np.ndarray, Tensor, list, tuple)):
        return _of_rows(answer)
    raise DetectorError(f"a {type(answer).__name__} is no answer that is known: {FORMS_HINT}")


def _of_mapping(answer: Mapping[str, Any]) -> ImageAnswer:
    key = next((key for key in BOXES if answer.get(key) is not None), None)
    sides = all(side in answer for side in _SIDES)
    scores = next((answer[one] for one in SCORE_NAMES if answer.get(one) is not None), None)
    if (key is None and not sides) or scores is None:
        raise DetectorError(f"a dict with {', '.join(map(str, answer))} is not known: {FORMS_HINT}")
    classes = next((answer[one] for one in CLASSES if answer.get(one) is not None), None)
    if key is None:
        boxes = torch.stack([_real(answer[side]) for side in _SIDES], dim=-1)
        return _made(boxes, scores, classes, "xyxy", None)
    form, units = BOXES[key]
    boxes = _real(answer[key])
    if boxes.ndim == 3 and len(boxes) == 1:  # a batch of one
        boxes, scores = boxes[0], _real(scores)[0]
        classes = None if classes is None else classes[0]
    return _made(boxes, scores, classes, form, units)


def _of_mappings(answer: Sequence[Mapping[str, Any]]) -> ImageAnswer:
    """One dict a detection; or a batch of one with a dict of arrays."""
    first = answer[0]
    key = next((key for key in BOXES if key in first), None)
    if len(answer) == 1 and (key is None or _depth(first[key]) == 2):
        return _of_mapping(first)
    boxes, form = [], None
    for one in answer:
        box = one.get(key) if key is not None else {side: one.get(side) for side in _SIDES}
        if isinstance(box, Mapping):
            box, form = [box.get(side) for side in _SIDES], "xyxy"
        boxes.append(box)
    score = next((one for one in SCORE_NAMES if one in first), None)
    named = next((one for one in CLASSES if one in first), None)
    if score is None or any(box is None or None in list(box) for box in boxes):
        raise DetectorError(
            f"a dict with {', '.join(map(str, first))} is no detection that is known: {FORMS_HINT}"
        )
    classes = None if named is None else [one[named] for one in answer]
    if form is None and "category_id" in first and key == "bbox":
        return _made(boxes, [one[score] for one in answer], classes, "xywh", "pixels")  # COCO's
    return _made(boxes, [one[score] for one in answer], classes, form, None)


def _of_parts(answer: Sequence[Any]) -> ImageAnswer:
    """(boxes, scores), or with classes as third; or the two exchanged, where types tell."""
    boxes, *rest = answer
    if len(rest) == 1:
        return _made(boxes, rest[0], None, None, None)
    kinds = [_array(part).dtype.kind for part in rest]
    floats = [kind == "f" for kind in kinds]
    if floats == [False, True]:
        return _made(boxes, rest[1], rest[0], None, None)
    if floats == [True, True] and not _whole(rest[1]):
        raise DetectorError(
            "of (boxes, scores, classes), the classes must be names or whole numbers; return a "
            'dict with "boxes", "scores" and "labels" if the order is another'
        )
    return _made(boxes, rest[0], rest[1], None, None)


def _of_rows(answer: Any) -> ImageAnswer:
    """x1, y1, x2, y2, score and perhaps a class."""
    rows = _array(answer)
    if rows.size == 0:
        return NOTHING
    if rows.ndim != 2 or rows.shape[1] not in (5, 6) or rows.dtype.kind not in "fiu":
        raise DetectorError(f"an array of shape {rows.shape} is not known: {FORMS_HINT}")
    if rows.shape[1] == 6 and not _whole(rows[:, 5]):
        raise DetectorError(
            "rows of six numbers are x1, y1, x2, y2, score, class, and the last of these are no "
            f"whole numbers: {FORMS_HINT}"
        )
    classes = rows[:, 5] if rows.shape[1] == 6 else None
    numbers = _real(answer)
    return _made(numbers[:, :4], numbers[:, 4], classes, None, None)


def _made(
    boxes: Any, scores: Any, classes: Any, form: str | None, units: str | None
) -> ImageAnswer:
    xyxy = _real(boxes)
    if xyxy.numel() == 0:
        return NOTHING
    rates = _real(scores)
    if rates.ndim == 2 and rates.shape[1] == 1 and classes is not None:
        rates = rates[:, 0]
    if xyxy.ndim != 2 or xyxy.shape[1] != 4 or rates.ndim not in (1, 2) or len(rates) != len(xyxy):
        raise DetectorError(
            f"boxes of shape {tuple(xyxy.shape)} and scores of shape {tuple(rates.shape)} do not "
            "fit together: expected (n, 4), and (n,) or (n, labels)"
        )
    named = None if classes is None else _array(classes).reshape(-1).tolist()
    if named is not None and len(named) != len(xyxy):
        raise DetectorError(f"there are {len(xyxy)} boxes, and classes for {len(named)}")
    return ImageAnswer(xyxy, rates, named, form, units)


def _real(values: Any) -> Tensor:
    """Numbers as float64 on the CPU; those of tensors in the graph that they have."""
    if isinstance(values, Tensor):
        return values.cpu().double()
    if isinstance(values, (list, tuple)) and values and isinstance(values[0], Tensor):
        return torch.stack([_real(one) for one in values])
    return torch.from_numpy(_array(values).astype(np.float64))


def _array(values: Any) -> np.ndarray:
    if isinstance(values, Tensor):
        values = values.detach().cpu()
        return (values.float() if values.is_floating_point() else values).numpy()
    if isinstance(values, (list, tuple)) and values and isinstance(values[0], Tensor):
        values = [_array(one) for one in values]
    try:
        return np.asarray(values)
    except ValueError as error:
        raise DetectorError(f"what was returned is no array: {error}") from error


def _depth(values: Any) -> int:
    if isinstance(values, (np.ndarray, Tensor)):
        return values.ndim
    if isinstance(values, (list, tuple)):
        # Without a row, it is still a list of them.
        return 1 + (_depth(values[0]) if len(values) else 1)
    return -1 if isinstance(values, Mapping) or hasattr(values, "xyxy") else 0


def _whole(values: Any) -> bool:
    array = _array(values)
    return array.dtype.kind not in "f" or bool((array == array.round()).all())

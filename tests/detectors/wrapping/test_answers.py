from types import SimpleNamespace

import numpy as np
import pytest
import torch

from detectors.wrapping.answers import read_answer
from vps.errors import DetectorError

BOXES = [[1.0, 2.0, 30.0, 40.0], [5.0, 6.0, 7.0, 8.0]]
RATES = [0.9, 0.25]
SIDES = ("xmin", "ymin", "xmax", "ymax")


def of_supervision(**parts):
    detections = pytest.importorskip("supervision").Detections
    return detections(xyxy=np.array(BOXES), class_id=np.array([1, 0]), **parts)


SAME = {
    "arrays": lambda: (np.array(BOXES), np.array(RATES), np.array([1, 0])),
    "tensors": lambda: (torch.tensor(BOXES), torch.tensor(RATES), torch.tensor([1, 0])),
    "on a graph": lambda: (torch.tensor(BOXES).requires_grad_(), torch.tensor(RATES), [1, 0]),
    "half": lambda: (torch.tensor(BOXES).half(), torch.tensor(RATES).bfloat16(), [1, 0]),
    "exchanged": lambda: [np.array(BOXES), np.array([1, 0]), np.array(RATES)],
    "dict": lambda: {"boxes": BOXES, "scores": RATES, "labels": [1, 0]},
    "dict of tensors in a list": lambda: [
        {
            "boxes": torch.tensor(BOXES),
            "labels": torch.tensor([1, 0]),
            "scores": torch.tensor(RATES),
        }
    ],
    "other keys": lambda: {"bboxes": BOXES, "confidence": RATES, "class_ids": [1, 0]},
    "rows": lambda: [[*BOXES[0], 0.9, 1], [*BOXES[1], 0.25, 0]],
    "rows in an array": lambda: np.array([[*BOXES[0], 0.9, 1], [*BOXES[1], 0.25, 0]]),
    "rows in a list": lambda: [np.array([[*BOXES[0], 0.9, 1], [*BOXES[1], 0.25, 0]])],
    "dicts": lambda: [
        {"box": box, "score": rate, "label": label}
        for box, rate, label in zip(BOXES, RATES, (1, 0), strict=True)
    ],
    "a pipeline's": lambda: [
        {"score": rate, "label": label, "box": dict(zip(SIDES, box, strict=True))}
        for box, rate, label in zip(BOXES, RATES, (1, 0), strict=True)
    ],
    "COCO's": lambda: [
        {"bbox": [x, y, u - x, v - y], "score": rate, "category_id": label, "image_id": 3}
        for (x, y, u, v), rate, label in zip(BOXES, RATES, (1, 0), strict=True)
    ],
    "supervision": lambda: of_supervision(confidence=np.array(RATES)),
    "mmdet": lambda: SimpleNamespace(
        pred_instances=SimpleNamespace(
            bboxes=torch.tensor(BOXES), scores=torch.tensor(RATES), labels=torch.tensor([1, 0])
        )
    ),
    "pandas": lambda: pytest.importorskip("pandas").DataFrame(
        {
            **{
                side: np.array(BOXES)[:, k]
                for k, side in enumerate(("xmin", "ymin", "xmax", "ymax"))
            },
            "confidence": RATES,
            "class": [1, 0],
            "name": ["dog", "cat"],
        }
    ),
}


@pytest.mark.parametrize("form", SAME)
def test_all_forms_say_the_same(form):
    found = read_answer(SAME[form]())
    boxes = np.array(BOXES)
    if found.form == "xywh":
        boxes[:, 2:] -= boxes[:, :2]
    assert found.boxes.numpy(force=True) == pytest.approx(boxes, abs=0.05)
    assert found.scores.numpy(force=True) == pytest.approx(RATES, abs=0.01)
    expected = ["dog", "cat"] if form == "pandas" else [1, 0]
    assert list(found.classes) == expected
    known = {"supervision": "xyxy", "mmdet": "xyxy", "a pipeline's": "xyxy", "pandas": "xyxy"}
    assert found.form == {**known, "COCO's": "xywh"}.get(form)


def test_names_of_supervision_stand_above_its_numbers():
    found = SimpleNamespace(
        xyxy=np.array(BOXES),
        confidence=np.array(RATES),
        class_id=np.array([1, 0]),
        data={"class_name": np.array(["dog", "cat"])},
    )
    assert read_answer(found).classes == ["dog", "cat"]


def test_boxes_of_tensorflow_are_known_by_their_key():
    found = read_answer(
        {
            "detection_boxes": np.array([BOXES]) / 64,
            "detection_scores": np.array([RATES]),
            "detection_classes": np.array([[1.0, 0.0]]),
        }
    )
    assert (found.form, found.units, list(found.classes)) == ("yxyx", "fractions", [1, 0])


@pytest.mark.parametrize(
    "nothing",
    [None, [], (), np.zeros((0, 6)), (np.zeros((0, 4)), np.zeros(0)), {"boxes": [], "scores": []}],
)
def test_nothing_found(nothing):
    assert read_answer(nothing).boxes.shape == (0, 4)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("a cat", "a str is no answer"),
        ({"boxes": BOXES}, "a dict with boxes is not known"),
        ([{"box": BOXES[0], "label": 1}, {"box": BOXES[1], "label": 1}], "no detection"),
        (np.zeros((2, 84)), r"array of shape \(2, 84\)"),
        ((np.array(BOXES), np.array([0.9])), "do not fit together"),
        ((np.array(BOXES), np.array(RATES), np.array([0.5, 0.25])), "names or whole numbers"),
        ([[*BOXES[0], 0.9, 0.5]], "no whole numbers"),
        ({"boxes": BOXES, "scores": RATES, "labels": [1]}, "2 boxes, and classes for 1"),
        (SimpleNamespace(xyxy=np.array(BOXES), confidence=None, class_id=None), "no confidence"),
    ],
)
def test_answers_that_are_refused(answer, message):
    with pytest.raises(DetectorError, match=message):
        read_answer(answer)

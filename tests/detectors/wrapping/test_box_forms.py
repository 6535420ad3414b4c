import warnings

import pytest
import torch

from detectors.wrapping.box_forms import BoxForm
from vps.errors import DetectorError, InputError


def tensor(values):
    return torch.tensor(values, dtype=torch.float64)


GRID = (80, 100)
XYXY = tensor([[60.0, 50, 90, 70], [2, 3, 20, 30]])
XYWH = tensor([[60.0, 50, 30, 20], [2, 3, 18, 27]])
CENTRED = tensor([[75.0, 60, 30, 20], [11, 16.5, 18, 27]])
SIDES = tensor([100, 80, 100, 80])


@pytest.mark.parametrize(
    ("boxes", "form", "units"),
    [
        (XYXY, None, None),
        (XYXY, "xyxy", "pixels"),
        (XYWH, "xywh", None),
        (CENTRED, "cxcywh", None),
        (XYXY / SIDES, None, "fractions"),
        (CENTRED / SIDES, "cxcywh", "fractions"),
        ((XYXY / SIDES)[:, [1, 0, 3, 2]], "yxyx", "fractions"),
        (XYXY[:, [1, 0, 3, 2]], "yxyx", None),
    ],
)
def test_what_is_said_or_proved_is_read_in_silence(boxes, form, units):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert BoxForm(form, units, "mine").read(boxes, GRID) == pytest.approx(XYXY)


@pytest.mark.parametrize(
    ("boxes", "form", "units", "message"),
    [
        (XYXY / SIDES, None, None, "look like fractions.*say units='fractions'"),
        (XYXY / SIDES, "xyxy", None, "look like fractions"),
        (XYXY, None, "fractions", "no fractions.*units='pixels'"),
        (XYWH, None, None, r"\[60, 50, 30, 20\] are not xyxy.*as xywh or cxcywh they fit.*say"),
        (XYWH, "xyxy", None, "do not fit .*as xyxy"),
        (tensor([[60.0, 50, 90, 70]]), "xywh", None, "do not fit .*as xywh.*xyxy"),
    ],
)
def test_what_cannot_be_is_asked_for(boxes, form, units, message):
    if form == "xyxy" and message.startswith("do not fit"):
        boxes = boxes[:1]
    with pytest.raises(DetectorError, match=message):
        BoxForm(form, units, "mine").read(boxes, GRID)


def test_what_could_be_something_else_is_doubted_once():
    reader = BoxForm(None, None, "mine")
    small = tensor([[2.0, 3, 20, 30]])
    with pytest.warns(UserWarning, match="read as xyxy.*could be .*xywh.*boxes='xyxy'"):
        assert (reader.read(small, GRID) == small).all()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        reader.read(small, GRID)


def test_padding_and_boxes_that_stick_out_prove_nothing():
    boxes = tensor([[0.0, 0, 0, 0], [-9, -8, 104, 90], [60, 50, 90, 70]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (BoxForm(None, None, "mine").read(boxes, GRID) == boxes).all()
        assert BoxForm(None, None, "mine").read(torch.zeros(0, 4), GRID).shape == (0, 4)


def test_unknown_forms():
    with pytest.raises(InputError, match="form of boxes 'xyhw', did you mean 'xywh'"):
        BoxForm("xyhw", None, "mine")
    with pytest.raises(InputError, match="unit of boxes"):
        BoxForm(None, "percent", "mine")

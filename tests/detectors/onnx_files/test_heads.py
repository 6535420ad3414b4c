import math

import pytest
import torch

from detectors.onnx_files.grids import make_head
from detectors.onnx_files.outputs import BoxesOutput, Yolov8Output, YoloxOutput
from vps.errors import DetectorError

SIZE = (32, 64)


def test_boxes_of_yolox_start_at_their_cells():
    head = make_head(YoloxOutput("yolox", (16, 32)), SIZE, 2)
    output = torch.zeros(1, 10, 7)
    output[0, 5] = torch.tensor([0.5, 0.25, math.log(2), 0, 0.5, 0.8, 0.4])
    boxes, scores, objectness = head.read([output])
    centres, sizes = (boxes[0, :, :2] + boxes[0, :, 2:]) / 2, boxes[0, :, 2:] - boxes[0, :, :2]
    expected = [[x * 16.0, y * 16.0] for y in range(2) for x in range(4)] + [[0, 0], [32, 0]]
    expected[5] = [1.5 * 16, 1.25 * 16]
    assert centres.tolist() == expected
    assert sizes.tolist() == [[16, 16]] * 5 + [[32, 16]] + [[16, 16]] * 2 + [[32, 32]] * 2
    assert torch.allclose(scores[0, 5], torch.tensor([0.4, 0.2]))
    assert torch.equal(objectness, output[..., 4:5])


@pytest.mark.parametrize("cells", [3, 6])
def test_cells_of_yolov8_may_be_first_or_last(cells):
    head = make_head(Yolov8Output("yolov8"), SIZE, 2)
    output = torch.rand(2, cells, 6)
    expected = torch.stack(
        [
            output[..., 0] - output[..., 2] / 2,
            output[..., 1] - output[..., 3] / 2,
            output[..., 0] + output[..., 2] / 2,
            output[..., 1] + output[..., 3] / 2,
        ],
        -1,
    )
    # As many cells as numbers a cell could be either; then it is as exported by default.
    for values in [output.transpose(1, 2)] + ([output] if cells != 6 else []):
        boxes, scores, objectness = head.read([values])
        assert torch.allclose(boxes, expected)
        assert torch.equal(scores, output[..., 4:])
        assert objectness is None


def test_logits_of_yolov8():
    head = make_head(Yolov8Output("yolov8", "sigmoid"), SIZE, 2)
    output = torch.randn(1, 6, 3)
    scores = head.read([output]).scores
    assert torch.allclose(scores[0].T, output[0, 4:].sigmoid())


@pytest.mark.parametrize(
    ("form", "box"), [("xyxy", [0.1, 0.2, 0.5, 0.8]), ("xywh", [0.1, 0.2, 0.4, 0.6])]
)
def test_fractions_of_the_input(form, box):
    head = make_head(BoxesOutput("boxes", "b", "s", format=form, unit="fraction"), SIZE, 1)
    boxes, *_ = head.read([torch.tensor([[box]]), torch.ones(1, 1, 1)])
    assert torch.allclose(boxes, torch.tensor([6.4, 6.4, 32, 25.6]))


@pytest.mark.parametrize(
    ("background", "columns"), [("none", [0, 1]), ("first", [1, 2]), ("last", [0, 1])]
)
@pytest.mark.parametrize("activation", ["none", "sigmoid", "softmax"])
def test_the_background_is_dropped_after_the_activation(background, columns, activation):
    config = BoxesOutput("boxes", "b", "s", background=background, activation=activation)
    head = make_head(config, SIZE, 2)
    values = torch.rand(1, 5, 2 + (background != "none"))
    rates = {"none": values, "sigmoid": values.sigmoid(), "softmax": values.softmax(-1)}
    scores = head.read([torch.rand(1, 5, 4), values]).scores
    assert torch.equal(scores, rates[activation][..., columns])
    assert (-1, values.shape[2]) in head.shapes[1]


@pytest.mark.parametrize(
    ("background", "expected"),
    [
        ("none", [[0.9, 0, 0], [0, 0, 0.8], [0, 0, 0]]),
        ("first", [[0, 0, 0], [0, 0.8, 0], [0, 0, 0]]),
        ("last", [[0.9, 0, 0], [0, 0, 0.8], [0, 0, 0]]),
    ],
)
def test_one_class_a_box(background, expected):
    head = make_head(BoxesOutput("boxes", "b", "s", "c", background=background), SIZE, 3)
    outputs = [torch.rand(1, 3, 4), torch.tensor([[0.9, 0.8, 0.7]]), torch.tensor([[0.0, 2, -1]])]
    scores = head.read(outputs).scores
    assert torch.allclose(scores[0], torch.tensor(expected))


def test_a_class_without_a_label():
    head = make_head(BoxesOutput("boxes", "b", "s", "c", background="first"), SIZE, 3)
    with pytest.raises(DetectorError, match="class 4, counted from 0, .* has 4"):
        head.read([torch.rand(1, 1, 4), torch.ones(1, 1), torch.tensor([[4.0]])])
    with pytest.raises(DetectorError, match="returned 1.5 where a class number should be"):
        head.read([torch.rand(1, 1, 4), torch.ones(1, 1), torch.tensor([[1.5]])])
    # What a row of padding holds is nothing.
    found = head.read([torch.rand(1, 1, 4), torch.zeros(1, 1), torch.tensor([[77.0]])])
    assert not found.scores.any()

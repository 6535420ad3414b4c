import pytest

pytest.importorskip("yaml")

from detectors.onnx_files.config import InputConfig, read_description
from detectors.onnx_files.outputs import BoxesOutput, Yolov8Output, YoloxOutput
from vps.errors import InputError

YOLOX = """
name: stand-in
model: model.onnx
input: {size: [32, 64], channels: bgr}
output: {head: yolox, strides: [16, 32]}
labels: [dog, cat]
"""
BOXES = """
name: stand-in
model: /models/model.onnx
input:
  size: [32, 64]
  scale: 1
  placement: stretch
  antialias: true
  mean: [0.5, 0.4, 0.3]
  std: [0.1, 0.2, 0.3]
  layout: nhwc
  batched: false
output: {head: boxes, boxes: b, scores: s, format: cxcywh, unit: fraction, background: last}
labels: [dog, "1"]
"""


@pytest.fixture
def read(tmp_path):
    """A function that reads a description."""

    def from_text(text):
        (tmp_path / "detector.yaml").write_text(text)
        return read_description(tmp_path / "detector.yaml")

    return from_text


def test_a_short_description(read, tmp_path):
    config = read(YOLOX)
    assert config.model == tmp_path / "model.onnx"
    assert config.labels == ("dog", "cat")
    assert config.input == InputConfig((32, 64), "bgr")
    assert config.output == YoloxOutput("yolox", (16, 32))


def test_a_long_description(read):
    config = read(BOXES)
    assert str(config.model) == "/models/model.onnx"
    assert config.labels == ("dog", "1")
    assert config.input == InputConfig(
        size=(32, 64),
        scale=1,
        padding=114 / 255,
        placement="stretch",
        antialias=True,
        mean=(0.5, 0.4, 0.3),
        std=(0.1, 0.2, 0.3),
        layout="nhwc",
        batched=False,
    )
    assert config.output == BoxesOutput(
        "boxes", "b", "s", format="cxcywh", unit="fraction", background="last"
    )


def test_yolov8(read):
    text = YOLOX.replace("yolox, strides: [16, 32]", "yolov8, activation: sigmoid")
    assert read(text).output == Yolov8Output("yolov8", "sigmoid")


@pytest.mark.parametrize(
    ("head", "given", "expected"),
    [
        ("yolov8", "", InputConfig((32, 64), "rgb", 1, 114 / 255, "centre")),
        ("yolov5", ", scale: 255", InputConfig((32, 64), "rgb", 255, 114, "centre")),
        ("yolox, strides: [8]", "", InputConfig((32, 64), "bgr", 255, 114, "corner")),
        ("fastestdet", "", InputConfig((32, 64), "bgr", 1, 114 / 255, "stretch")),
    ],
)
def test_what_is_left_out_is_as_the_family_has_it(read, head, given, expected):
    text = YOLOX.replace("yolox, strides: [16, 32]", head).replace(", channels: bgr", given)
    assert read(text).input == expected


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("labels:", "lables:", "unknown key .*'lables', did you mean 'labels'"),
        ("channels: bgr", "chanels: bgr", "key of input 'chanels', did you mean 'channels'"),
        ("channels: bgr", "channels: grb", "input.channels.*'grb'"),
        ("channels: bgr", "placement: center", "did you mean 'centre'"),
        ("channels: bgr", "layout: NCHW", "input.layout.*'NCHW'"),
        ("channels: bgr", "scale: much", "input.scale must be a number"),
        ("channels: bgr", "padding: .inf", "input.padding must be a finite number, got inf"),
        ("channels: bgr", "batched: 3", "input.batched must be true or false"),
        ("channels: bgr", "mean: [1, 2]", "input.mean needs 3 values, got 2"),
        ("channels: bgr", "mean: [1, 2, x]", r"input.mean\[2\] must be a number, got 'x'"),
        ("channels: bgr", "std: [1, 2, 0]", "input: std must be three positive numbers"),
        ("head: yolox", "head: yolo", "did you mean 'yolox'"),
        (
            "head: yolox, ",
            "",
            "output.head is missing; choices: yolox, yolov5, yolov8, rows, boxes",
        ),
        ("head: yolox", "head: yolov8", "unknown key of output 'strides'"),
        ("head: yolox, strides: [16, 32]", "head: boxes, boxes: b", "output.scores is missing"),
        ("yolox, strides: [16, 32]", "yolov8, activation: softmax", "output.activation.*'softmax'"),
        (
            "yolox, strides: [16, 32]",
            "boxes, boxes: b, scores: s, classes: c, activation: softmax",
            "output: activation: scores of one class a box have no softmax",
        ),
        ("yolox, strides: [16, 32]", "boxes, boxes: b, scores: s, format: xxyy", "'xyxy'"),
        ("name: stand-in", "", "yaml: name is missing"),
        ("strides: [16, 32]", "strides: 16", "output.strides must be a list"),
        ("size: [32, 64]", "size: [32]", "input.size needs 2 values, got 1"),
        ("size: [32, 64]", "size: [32, 0]", "input: size must be two positive numbers"),
        ("strides: [16, 32]", "strides: []", "output: strides must be some positive numbers"),
        ("head: yolox, strides: [16, 32]", "", "output.head is missing"),
        ("[dog, cat]", "[dog, dog]", "different names"),
        ("[dog, cat]", "[]", "at least one"),
        ("[dog, cat]", "[dog, 7]", r"labels\[1\] must be text, got 7: put it in quotes"),
        ("[dog, cat]", "[dog, Objectness]", "'Objectness' is no label"),
        ("channels: bgr", "scale: 0", "scale must be a positive number"),
        ("yolox, strides: [16, 32]", "boxes, boxes: b, scores: s", "input.scale is missing"),
        ("yolox, strides: [16, 32]", "yolov8, extra: -1", "extra must be a number"),
        ("yolox, strides: [16, 32]", "yolov8, rotated: true", "extra must count it"),
        ("yolox, strides: [16, 32]", "rows, columns: [x1, y1, w, h, score, class]", "must have x1"),
        ("yolox, strides: [16, 32]", "rows, columns: [x1, y1, x2, y2, score]", "and a class"),
        ("yolox, strides: [16, 32]", "distributions, strides: [8], bins: 1", "bins must be 2"),
        ("strides: [16, 32]", "strides: [16, 32], decoded: 3", "decoded must be true or false"),
        ("name: stand-in", "name: [", "cannot be read"),
        (
            "input: {size: [32, 64], channels: bgr}",
            "input: 3",
            "input must hold keys and values, got 3",
        ),
    ],
)
def test_descriptions_are_checked(read, old, new, message):
    assert old in YOLOX
    with pytest.raises(InputError, match=message):
        read(YOLOX.replace(old, new))

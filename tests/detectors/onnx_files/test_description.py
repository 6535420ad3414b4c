"""What a file alone is taken for, what is asked, and what cannot be."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("yaml")

import yaml

from detectors import load
from detectors.onnx_files.config import read_description
from detectors.onnx_files.description import describe_file
from detectors.onnx_files.detector import OnnxDetector
from detectors.onnx_files.session import open_session
from tests.models import tiny_onnx
from tests.models.exports import IMAGE, save_export
from vps.core.detect import detect
from vps.errors import AssumptionWarning, DetectorError, InputError

NAMES = {"names": "{0: 'cat', 1: 'dog'}"}
PHOTO = np.full((64, 64, 3), 128, np.uint8)
DOG = [24.0, 16.0, 40.0, 48.0, 0.9, 1.0]


def rows(*found: list[float], count: int = 30) -> np.ndarray:
    """(1, count, columns) with these rows first, the rest 0."""
    table = np.zeros((1, count, len(found[0])), np.float32)
    table[0, : len(found)] = found
    return table


@pytest.fixture
def look(tmp_path):
    """A function from outputs of a file to what it is taken for."""

    def described(outputs, labels=("cat", "dog"), given=None, **settings):
        path = save_export(tmp_path / "model.onnx", outputs, **settings)
        return describe_file(path, open_session(path), OnnxDetector, labels=labels, given=given)

    return described


def test_a_file_that_names_its_classes_needs_nothing_else(tmp_path):
    path = save_export(tmp_path / "model.onnx", {"output0": rows(DOG)}, metadata=NAMES)
    with pytest.warns(AssumptionWarning, match="taken for YOLOv10.* RGB, 0 to 1, in the middle"):
        detector = load(f"onnx:{path}")
    (found,) = detect(detector, PHOTO)
    assert (found.label, found.box) == ("dog", (24, 16, 40, 48))


def test_what_drops_boxes_inside_is_told_with_what_it_costs(look):
    notes = " ".join(look({"output0": rows(DOG)}).notes)
    assert "drops boxes inside" in notes
    assert "better explained" in notes
    cells = np.zeros((1, 6, 84), np.float32)
    assert "drops" not in " ".join(look({"output0": cells}).notes)


def test_labels_that_the_file_does_not_have_are_asked_for(look, tmp_path):
    described = look({"output0": rows(DOG)}, labels=None)
    assert list(described.questions) == ["labels"]
    with pytest.raises(InputError, match="does not name its classes; .*--prompt"):
        described.config()
    with pytest.raises(InputError, match="does not name its classes"):
        load(f"onnx:{tmp_path / 'model.onnx'}")
    assert load(f"onnx:{tmp_path / 'model.onnx'}", prompt="cat . dog").labels == ("cat", "dog")


def test_labels_are_those_of_the_config_beside_it(look, tmp_path):
    logits = np.zeros((1, 20, 4), np.float32)
    outputs = {"logits": logits, "pred_boxes": np.full((1, 20, 4), 0.5, np.float32)}
    names = {"0": "N/A", "1": "Katze", "2": "N/A", "3": "Katze"}
    beside = tmp_path / "config.json"
    beside.write_text(json.dumps({"model_type": "rt_detr", "id2label": names}))
    described = look(outputs, labels=None)
    assert described.config().labels == ("N/A 0", "Katze", "N/A 2", "Katze 3")
    assert "id2label in config.json beside it" in described.notes[0]
    assert look(outputs, labels=("a", "b", "c", "d")).config().labels == ("a", "b", "c", "d")
    # The file's own names come first.
    own = {"names": "['a', 'b', 'c', 'd']"}
    assert look(outputs, None, metadata=own).config().labels == ("a", "b", "c", "d")
    beside.write_text(json.dumps({"id2label": {"1": "cat", "2": "dog"}}))
    with pytest.raises(InputError, match=r"config.json numbers its 2 labels from 1 to 2.*--prompt"):
        look(outputs, labels=None)
    beside.write_text("{")
    with pytest.raises(InputError, match=r"config .*config.json cannot be read"):
        look(outputs, labels=None)
    beside.write_text("{}")
    assert list(look({"output0": rows(DOG)}, labels=None).questions) == ["labels"]


def test_a_config_of_another_model_is_named(look, tmp_path):
    names = {str(number): f"thing {number}" for number in range(5)}
    (tmp_path / "config.json").write_text(json.dumps({"id2label": names}))
    cells = {"output0": np.zeros((1, 6, 84), np.float32)}
    with pytest.raises(InputError, match=r"its labels are 5, by id2label in .*config.json"):
        look(cells, labels=None)


def test_the_config_may_lie_above_a_folder_called_onnx(tmp_path):
    (tmp_path / "onnx").mkdir()
    (tmp_path / "config.json").write_text(json.dumps({"id2label": {"0": "cat", "1": "dog"}}))
    path = save_export(tmp_path / "onnx" / "model.onnx", {"output0": rows(DOG)})
    described = describe_file(path, open_session(path), OnnxDetector)
    assert described.config().labels == ("cat", "dog")


@pytest.mark.parametrize("count", [2, 80])
def test_classes_without_names_are_numbered_or_those_of_coco(look, count):
    cells = np.zeros((1, 252, 5 + count), np.float32)
    described = look({"output": cells}, labels=None)
    labels = described.config().labels
    assert len(labels) == count
    assert labels[:2] == (("class 0", "class 1") if count == 2 else ("person", "bicycle"))
    assert any("names no classes" in note for note in described.notes)


def test_where_several_ways_fit_the_user_is_asked(look):
    cells = np.zeros((1, 84, 7), np.float32)
    described = look({"output": cells})
    assert "output.decoded" in described.questions
    with pytest.raises(InputError, match="output.decoded: .*YOLOX, cells.*YOLOX that decodes"):
        described.config()
    described = look({"output": cells}, given={"output.decoded": True})
    assert described.config().output.decoded


def test_a_column_too_many_is_asked_about_unless_the_file_says_its_task(look):
    cells = {"output0": np.zeros((1, 7, 84), np.float32)}
    assert list(look(cells).questions) == ["output.rotated"]
    assert list(look(cells, labels=None).questions) == ["labels"]
    named = {**NAMES, "task": "obb"}
    assert look(cells, None, metadata=named).config().output.rotated


@pytest.mark.parametrize(
    ("outputs", "labels", "message"),
    [
        ({"output0": rows([24, 16, 40, 48, 7.0, 1.0])}, ("cat", "dog"), "scores from 0 to 7"),
        ({"output0": rows([24, 16, 40, 48, 0.9, 2.0])}, ("cat", "dog"), "class 2, counted from 0"),
        ({"output0": rows([24, 16, 1e13, 48, 0.9, 1])}, ("cat", "dog"), "reaches to 1e.13 pixels"),
        ({"output0": rows([0.2, 0.1, 0.4, 0.9, 0.9, 1])}, ("cat", "dog"), "upper left corner; if"),
        ({"output0": rows([40, 48, 24, 16, 0.9, 1.0])}, ("cat", "dog"), "comes first"),
        ({"output0": rows([24, np.nan, 40, 48, 0.9, 1.0])}, ("cat", "dog"), "NaN or infinite"),
        ({"output0": np.zeros((1, 9), np.float32)}, ("cat", "dog"), "a form that is not known"),
        ({"output0": np.zeros((1, 6, 84), np.float32)}, ("a", "b", "c"), "3 labels, means"),
    ],
)
def test_what_cannot_be_is_an_error(look, outputs, labels, message):
    with pytest.raises((InputError, DetectorError), match=message):
        look(outputs, labels)


def test_labels_are_those_of_the_file(look):
    with pytest.raises(InputError, match="labels.0. is 'dog', but .* calls that class 'cat'"):
        look({"output0": rows(DOG)}, labels=("dog", "cat"), metadata=NAMES)
    with pytest.raises(InputError, match="classifies images"):
        look({"output0": rows(DOG)}, metadata={"task": "classify"})


def test_the_classes_of_a_top_k_are_found_in_its_graph(tmp_path):
    graph = tiny_onnx.Graph()
    cells = graph("Sigmoid", tiny_onnx.cells(graph, 9, 1))
    boxes, scores = tiny_onnx.split(graph, cells, 4)
    flat = graph("Reshape", scores, tiny_onnx.numbers(0, -1))
    graph("TopK", flat, tiny_onnx.numbers(20))
    graph.nodes[-1].output.append("places")
    query = graph("Div", "places", tiny_onnx.numbers(5))
    label = graph("Mod", "places", tiny_onnx.numbers(5))
    best = graph("Gather", boxes, tiny_onnx.numbers(*range(10)), axis=1)
    outputs = {
        "labels": (label, "INT64", [1, 20]),
        "boxes": (graph("Concat", best, best, axis=1), "FLOAT", [1, 20, 4]),
        "scores": (graph.nodes[-5].output[0], "FLOAT", [1, 20]),
        "query": (query, "INT64", [1, 20, 1]),
    }
    graph.save(tmp_path / "model.onnx", ("FLOAT", [1, 3, 32, 64]), outputs)
    from detectors.onnx_files.contents import read_contents

    contents = read_contents(tmp_path / "model.onnx", open_session(tmp_path / "model.onnx"))
    assert contents.ranked == 5
    assert contents.reduced == "top-k"


def test_the_size_is_the_files_or_what_it_says_or_the_usual(look):
    outputs = {"output0": rows(DOG)}
    for metadata, size in [({"imgsz": "[96, 64]"}, (96, 64)), ({}, (640, 640))]:
        inputs = {"images": ("FLOAT", ["batch", 3, "height", "width"])}
        described = look(outputs, inputs=inputs, metadata={**NAMES, **metadata})
        assert described.config().input.size == size
    assert look(outputs, inputs=IMAGE).config().input.size == (64, 64)


def test_what_is_written_is_read_again(look, tmp_path):
    described = look({"output0": rows(DOG)}, None, metadata=NAMES)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "detector.yaml").write_text(described.yaml(tmp_path / "sub"))
    config = read_description(tmp_path / "sub" / "detector.yaml")
    assert config.model.samefile(tmp_path / "model.onnx")
    assert (config.input, config.labels) == (described.config().input, ("cat", "dog"))
    with pytest.warns(AssumptionWarning, match="drops boxes inside"):
        load(f"onnx:{tmp_path / 'sub'}")


def test_what_is_to_be_said_cannot_be_overlooked(look, tmp_path):
    table = np.array([[1, 0.9, 24, 16, 40, 48]], np.float32)
    inputs = {**IMAGE, "scale_factor": ("FLOAT", [1, 2])}
    described = look({"nms_0": table}, labels=None, inputs=inputs)
    assert list(described.questions) == ["input.mean", "input.std", "labels"]
    (tmp_path / "detector.yaml").write_text(described.yaml(tmp_path))
    with pytest.raises(InputError, match="input.mean must be a list, got 'TO BE SAID'"):
        read_description(tmp_path / "detector.yaml")


@pytest.mark.parametrize(
    ("outputs", "output", "message"),
    [
        ({"o": rows(DOG, count=300)}, {"head": "yolov8"}, "x1, y1, x2, y2, score, class"),
        ({"o": np.float32([[1, 0.9, 24, 16, 40, 48]])}, {"head": "yolov8"}, "class, score, x1"),
        ({"o": rows([32, 32, 9, 9, 0.9, 0, 1])}, {"head": "yolov8"}, "YOLOv5 or.*head: yolov5"),
        ({"o": np.zeros((1, 7, 84), np.float32)}, {"head": "yolov8"}, "head: yolov8, extra: 1"),
        (
            {"o": rows([30, 30, 30, 30, 0.9, 0.5, 0.9], count=84)},
            {"head": "yolox", "strides": [8, 16, 32]},
            "set output.decoded to true",
        ),
        (
            {
                "detection_boxes": rows(DOG)[..., :4],
                "detection_scores": np.ones((1, 30), np.float32),
                "detection_classes": np.ones((1, 30), np.float32),
            },
            {
                "head": "boxes",
                "boxes": "detection_boxes",
                "scores": "detection_scores",
                "classes": "detection_classes",
            },
            "whose boxes are yxyx",
        ),
    ],
)
def test_a_wrong_description_is_told_with_the_right_one(tmp_path, outputs, output, message):
    save_export(tmp_path / "model.onnx", outputs)
    content = {
        "name": "wrong",
        "model": "model.onnx",
        "labels": ["cat", "dog"],
        "input": {"size": [64, 64], "scale": 1, "placement": "stretch"},
        "output": output,
    }
    (tmp_path / "detector.yaml").write_text(yaml.safe_dump(content))
    with pytest.raises((InputError, DetectorError), match=message):
        detect(load(f"onnx:{tmp_path}"), PHOTO)


def test_an_input_of_numbers_can_be_said(look):
    inputs = {**IMAGE, "threshold": ("FLOAT", [1])}
    outputs = {"output0": rows(DOG)}
    with pytest.raises(InputError, match="input 'threshold' .* input.others: .threshold"):
        look(outputs, inputs=inputs)
    described = look(outputs, inputs=inputs, given={"input.others": {"threshold": [0.0]}})
    assert described.config().input.others == {"threshold": (0.0,)}

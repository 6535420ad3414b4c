import json

import numpy as np
import pytest
import torch

pytest.importorskip("onnxruntime")
pytest.importorskip("onnx2torch")

from detectors import load  # noqa: E402
from detectors.onnx_files import torch_backend  # noqa: E402
from tests.helpers.contract import picture  # noqa: E402
from tests.models.tiny_onnx import HEIGHT, KINDS, LABELS, WIDTH, Graph, describe  # noqa: E402
from vps.core.detector import DifferentiableDetector, FeatureDetector  # noqa: E402
from vps.errors import InputError  # noqa: E402

YOLOV8 = {"scale": 1, "padding": 0.4, "placement": "centre"}


def weight(*shape, seed=0):
    return np.random.default_rng(seed).normal(0, 0.3, shape).astype(np.float32)


def save_pyramid(folder):
    """A stem, two levels, and on each a branch of boxes and one of scores, as in YOLOX."""
    graph = Graph()
    levels, rows = [], []
    below = graph("Relu", graph("Conv", "image", weight(4, 3, 8, 8), strides=[8, 8]))
    levels.append(below)
    levels.append(graph("Relu", graph("Conv", below, weight(4, 4, 2, 2), strides=[2, 2])))
    for number, level in enumerate(levels):
        branches = [graph("Relu", graph("Conv", level, weight(4, 4, 1, 1, seed=k))) for k in (1, 2)]
        boxes = graph("Conv", branches[0], weight(4, 4, 1, 1, seed=3 + number))
        scores = graph("Conv", branches[1], weight(len(LABELS), 4, 1, 1, seed=5 + number))
        rows.append(graph("Concat", boxes, scores, axis=1))
    flat = [graph("Reshape", row, np.array([0, 4 + len(LABELS), -1], np.int64)) for row in rows]
    values = graph("Sigmoid", graph("Concat", *flat, axis=2))
    sides = np.array([WIDTH, HEIGHT, WIDTH, HEIGHT, 1, 1], np.float32)[:, None]
    output = graph("Mul", values, sides)
    port = {"output": (output, "FLOAT", ["batch", 4 + len(LABELS), "cells"])}
    graph.save(folder / "model.onnx", ("FLOAT", ["batch", 3, HEIGHT, WIDTH]), port)
    describe(folder, YOLOV8, {"head": "yolov8"})
    return levels


@pytest.fixture
def saved(tmp_path):
    return tmp_path, save_pyramid(tmp_path)


@pytest.mark.parametrize("kind", KINDS[:-1], ids=lambda kind: kind[0])
def test_under_torch_a_file_says_the_same(kind, tmp_path):
    _, write, _, given, returned = kind
    write(tmp_path / "model.onnx")
    describe(tmp_path, given, returned)
    plain, ours = load(f"onnx:{tmp_path}"), load(f"onnx:{tmp_path}", backend="torch")
    assert not isinstance(plain, DifferentiableDetector)
    assert isinstance(ours, FeatureDetector)
    size = (48, 64)
    pixels = ours.prepare(picture(size))[None]
    expected, found = plain.detect(pixels, size), ours.detect(pixels, size)
    assert torch.allclose(found.boxes, expected.boxes, atol=1e-4)
    assert torch.allclose(found.scores, expected.scores, atol=1e-6)


def test_layers_are_what_the_branches_of_a_level_share(saved):
    folder, levels = saved
    detector = load(f"onnx:{folder}", backend="torch")
    layers = detector.feature_layers()
    assert list(layers) == ["neck.0", "neck.1"]
    named = load(f"onnx:{folder}", backend="torch", layers=tuple(reversed(levels)))
    assert list(named.feature_layers()) == levels
    pixels = torch.rand(1, 3, 20, WIDTH)
    shapes = []
    for layer in layers.values():
        layer.module.register_forward_hook(
            lambda *parts, layer=layer: shapes.append(layer.grid(parts[-1], (20, WIDTH)).shape)
        )
    detector.detect(pixels, (20, WIDTH))
    # Of rows that are 8 pixels high, those that lie on pixels 6 to 26 of 32; of 16, all.
    assert shapes == [(1, 4, 2, 8), (1, 4, 2, 4)]


def test_a_layer_that_there_is_not(saved):
    message = "has no value 'value99' for a layer; near it are value9"
    with pytest.raises(InputError, match=message):
        load(f"onnx:{saved[0]}", backend="torch", layers=("value99",))


def test_layers_without_torch(saved):
    with pytest.raises(InputError, match="layers are those of backend=torch"):
        load(f"onnx:{saved[0]}", layers=("value0",))


def test_another_backend(saved):
    with pytest.raises(InputError, match="backend"):
        load(f"onnx:{saved[0]}", backend="tensorrt")


def test_bytes_have_no_gradients(tmp_path):
    _, write, _, given, returned = KINDS[-1]
    write(tmp_path / "model.onnx")
    describe(tmp_path, given, returned)
    with (
        pytest.warns(UserWarning, match="drops boxes"),
        pytest.raises(InputError, match="takes bytes, which have no gradients"),
    ):
        load(f"onnx:{tmp_path}", backend="torch")


def test_a_conversion_that_differs_is_refused(saved, monkeypatch):
    run = torch_backend.TorchModel.run

    def other(self, names, given):
        return [values + 0.2 for values in run(self, names, given)]

    monkeypatch.setattr(torch_backend.TorchModel, "run", other)
    with pytest.raises(
        InputError, match="'output' differs from onnxruntime's by 0.2 .* is allowed"
    ):
        load(f"onnx:{saved[0]}", backend="torch")


def test_an_operator_that_cannot_be_converted_is_named(tmp_path):
    graph = Graph()
    values = graph("Hardmax", graph("Conv", "image", weight(6, 3, 16, 16), strides=[16, 16]))
    output = graph("Reshape", values, np.array([0, 6, -1], np.int64))
    port = {"output": (output, "FLOAT", ["batch", 6, "cells"])}
    graph.save(tmp_path / "model.onnx", ("FLOAT", ["batch", 3, HEIGHT, WIDTH]), port)
    describe(tmp_path, YOLOV8, {"head": "yolov8"})
    with pytest.raises(InputError, match="onnx2torch does not know its Hardmax; leave backend"):
        load(f"onnx:{tmp_path}", backend="torch")


def test_samples_of_a_grid_are_those_of_onnxruntime(tmp_path):
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    places = np.random.default_rng(0).uniform(-1.2, 1.2, (1, 2, 5, 2)).astype(np.float32)
    nodes = [
        helper.make_node(
            "GridSample", ["image", "places"], ["drawn"], mode="bilinear", padding_mode="zeros"
        ),
        helper.make_node("Reshape", ["drawn", "shape"], ["flat"]),
        helper.make_node("Concat", ["flat", "flat"], ["output"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "sampled",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, HEIGHT, WIDTH])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 6, 10])],
        [
            numpy_helper.from_array(places, "places"),
            numpy_helper.from_array(np.array([1, 3, 10], np.int64), "shape"),
        ],
    )
    opset = [helper.make_opsetid("", 16)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), tmp_path / "model.onnx")
    describe(tmp_path, YOLOV8, {"head": "yolov8"})
    detector = load(f"onnx:{tmp_path}", backend="torch")
    with pytest.raises(InputError, match="name some of its values by the option layers"):
        detector.feature_layers()


def test_options_of_the_command_line(saved):
    folder, levels = saved
    text = json.dumps([levels[0]])
    detector = load(f"onnx:{folder}", backend="torch", layers=text)
    assert list(detector.feature_layers()) == levels[:1]

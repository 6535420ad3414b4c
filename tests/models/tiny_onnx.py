"""Tiny ONNX files with random weights, one for each way in which detectors are exported."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch.nn.functional import interpolate

from detectors import load
from tests.models.zoo import Case, Own, Reduction
from vps.core.detector import Detector

LABELS = ("dog", "cat")
HEIGHT, WIDTH = 32, 64
# Cells of strides 16 and 32: 2 x 4 and 1 x 2.
CELLS = 10


class Graph:
    """Collects the nodes of a graph; each call adds one and gives the name of its output."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def __call__(self, operator: str, *inputs: str | np.ndarray, **attributes: Any) -> str:
        from onnx import helper, numpy_helper

        names = []
        for value in inputs:
            if not isinstance(value, str):
                name = f"constant{len(self.constants)}"
                self.constants.append(numpy_helper.from_array(np.asarray(value), name))
                value = name
            names.append(value)
        output = f"value{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, names, [output], **attributes))
        return output

    def save(
        self,
        path: Path,
        image: tuple[str, list[Any]],
        outputs: dict[str, tuple[str, str, list[Any]]],
    ) -> None:
        """Write a file; an output is (value, type, shape) under its name, a type as "FLOAT"."""
        import onnx
        from onnx import TensorProto, helper

        for name, (value, _, _) in outputs.items():
            self.nodes.append(helper.make_node("Identity", [value], [name]))
        graph = helper.make_graph(
            self.nodes,
            "detector",
            [helper.make_tensor_value_info("image", getattr(TensorProto, image[0]), image[1])],
            [
                helper.make_tensor_value_info(name, getattr(TensorProto, kind), shape)
                for name, (_, kind, shape) in outputs.items()
            ],
            self.constants,
        )
        opset = [helper.make_opsetid("", 13)]
        onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)


def numbers(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def cells(graph: Graph, width: int, scale: float, image: str = "image") -> str:
    """(B, CELLS, width) of random convolutions with strides 16 and 32 of an image 0 ... scale."""
    random = np.random.default_rng(0)
    levels = []
    for stride in (16, 32):
        weight = random.normal(0, 1.5 / stride, (width, 3, stride, stride)) / scale
        bias = random.normal(0, 0.3, width)
        level = graph(
            "Conv",
            image,
            weight.astype(np.float32),
            bias.astype(np.float32),
            strides=[stride, stride],
        )
        flat = graph("Reshape", level, numbers(0, width, -1))
        levels.append(graph("Transpose", flat, perm=[0, 2, 1]))
    return graph("Concat", *levels, axis=1)


def split(graph: Graph, values: str, at: int) -> tuple[str, str]:
    """The first `at` columns of (B, CELLS, C), and the others."""
    first = graph("Slice", values, numbers(0), numbers(at), numbers(2))
    return first, graph("Slice", values, numbers(at), numbers(10**6), numbers(2))


def save_yolox(path: Path) -> None:
    """Raw boxes, objectness and scores; one image at a time."""
    graph = Graph()
    boxes, scores = split(graph, cells(graph, 7, 255), 4)
    output = graph("Concat", boxes, graph("Sigmoid", scores), axis=2)
    shape = [1, CELLS, 7]
    graph.save(path, ("FLOAT", [1, 3, HEIGHT, WIDTH]), {"output": (output, "FLOAT", shape)})


def save_yolov8(path: Path, transposed: bool = False) -> None:
    """Decoded boxes and scores, cells last unless transposed; any number of images."""
    graph = Graph()
    values = graph("Sigmoid", cells(graph, 6, 1))
    pixels = np.array([WIDTH, HEIGHT, WIDTH, HEIGHT, 1, 1], np.float32)
    output, shape = graph("Mul", values, pixels), ["batch", CELLS, 6]
    if not transposed:
        output, shape = graph("Transpose", output, perm=[0, 2, 1]), ["batch", 6, CELLS]
    graph.save(path, ("FLOAT", ["batch", 3, HEIGHT, WIDTH]), {"output": (output, "FLOAT", shape)})


def save_boxes(path: Path) -> None:
    """As DETR: boxes as fractions and logits with a background, out of normalised pixels."""
    graph = Graph()
    boxes, logits = split(graph, cells(graph, 7, 4), 4)
    graph.save(
        path,
        ("FLOAT", ["batch", 3, "height", "width"]),
        {
            "pred_boxes": (graph("Sigmoid", boxes), "FLOAT", ["batch", "queries", 4]),
            "logits": (logits, "FLOAT", ["batch", "queries", 3]),
        },
    )


def save_classes(path: Path) -> None:
    """As TensorFlow: bytes in with channels last; boxes, the highest score and its class out."""
    graph = Graph()
    image = graph("Cast", "image", to=1)
    image = graph("Transpose", image, perm=[0, 3, 1, 2])
    boxes, scores = split(graph, cells(graph, 7, 255, image), 4)
    boxes = graph("Mul", graph("Sigmoid", boxes), np.float32(30))
    scores = graph("Sigmoid", scores)
    graph.save(
        path,
        ("UINT8", [1, HEIGHT, WIDTH, 3]),
        {
            "classes": (graph("ArgMax", scores, axis=2, keepdims=0), "INT64", [1, CELLS]),
            "boxes": (boxes, "FLOAT", [1, CELLS, 4]),
            "scores": (graph("ReduceMax", scores, axes=[2], keepdims=0), "FLOAT", [1, CELLS]),
        },
    )


def resized(image: np.ndarray, grid: tuple[int, int], antialias: bool = False) -> np.ndarray:
    """(h, w, 3) float, 0 to 255, bilinear; smoothed by Pillow or not at all."""
    if antialias:
        from PIL import Image

        return np.asarray(Image.fromarray(image).resize(grid[::-1], Image.Resampling.BILINEAR))
    planes = torch.from_numpy(image.astype(np.float32)).permute(2, 0, 1)[None]
    return interpolate(planes, grid, mode="bilinear")[0].permute(1, 2, 0).numpy()


def run(folder: Path, image: np.ndarray) -> dict[str, np.ndarray]:
    """The outputs for one image, without the batch axis."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(folder / "model.onnx"))
    names = [output.name for output in session.get_outputs()]
    return {
        name: value[0]
        for name, value in zip(names, session.run(names, {"image": image[None]}), strict=True)
    }


def pairs(boxes: np.ndarray, scores: np.ndarray) -> Own:
    """Each box with each label, (n, 4) and (n, L)."""
    count, labels = scores.shape
    return Own(
        torch.tensor(boxes).float().repeat_interleave(labels, 0),
        torch.tensor(scores).float().flatten(),
        [*LABELS] * count,
    )


def own_yolox(folder: Path, image: np.ndarray) -> Own:
    height, width = image.shape[:2]
    ratio = min(HEIGHT / height, WIDTH / width)
    rows, columns = int(height * ratio), int(width * ratio)
    canvas = np.full((HEIGHT, WIDTH, 3), 114, np.float32)
    canvas[:rows, :columns] = resized(image, (rows, columns))
    output = run(folder, np.ascontiguousarray(canvas[..., ::-1].transpose(2, 0, 1)))["output"]
    places = [(x, y, 16) for y in range(2) for x in range(4)] + [(0, 0, 32), (1, 0, 32)]
    boxes = []
    for (x, y, stride), (dx, dy, w, h) in zip(places, output[:, :4], strict=True):
        centre, half = np.array([x + dx, y + dy]) * stride, np.exp([w, h]) * stride / 2
        boxes.append([*(centre - half), *(centre + half)])
    across, down = width / columns, height / rows
    return pairs(np.array(boxes) * [across, down, across, down], output[:, 4:5] * output[:, 5:])


def own_yolov8(folder: Path, image: np.ndarray, transposed: bool = False) -> Own:
    height, width = image.shape[:2]
    ratio = min(HEIGHT / height, WIDTH / width)
    rows, columns = round(height * ratio), round(width * ratio)
    top, left = (HEIGHT - rows) // 2, (WIDTH - columns) // 2
    canvas = np.full((HEIGHT, WIDTH, 3), 114, np.float32)
    canvas[top : top + rows, left : left + columns] = resized(image, (rows, columns))
    output = run(folder, canvas.transpose(2, 0, 1) / 255)["output"]
    output = output if transposed else output.T
    centre, half = output[:, :2] - [left, top], output[:, 2:4] / 2
    boxes = np.concatenate([centre - half, centre + half], 1)
    across, down = width / columns, height / rows
    return pairs(boxes * [across, down, across, down], output[:, 4:])


def own_boxes(folder: Path, image: np.ndarray) -> Own:
    height, width = image.shape[:2]
    pixels = resized(image, (HEIGHT, WIDTH), antialias=True) / 255
    pixels = (pixels - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    output = run(folder, pixels.transpose(2, 0, 1).astype(np.float32))
    centre, half = output["pred_boxes"][:, :2], output["pred_boxes"][:, 2:] / 2
    boxes = np.concatenate([centre - half, centre + half], 1) * [width, height, width, height]
    rates = np.exp(output["logits"])
    return pairs(boxes, (rates / rates.sum(1, keepdims=True))[:, :2])


def own_classes(folder: Path, image: np.ndarray) -> Own:
    height, width = image.shape[:2]
    pixels = resized(image, (HEIGHT, WIDTH), antialias=True)
    output = run(folder, pixels)
    corner, size = output["boxes"][:, :2], output["boxes"][:, 2:]
    boxes = np.concatenate([corner, corner + size], 1)
    boxes *= np.float32([width / WIDTH, height / HEIGHT] * 2)
    kept = output["classes"] > 0
    labels = [LABELS[number - 1] for number in output["classes"][kept]]
    return Own(torch.tensor(boxes[kept]), torch.tensor(output["scores"][kept]), labels)


def describe(folder: Path, given: dict[str, Any], returned: dict[str, Any]) -> None:
    """Write the description, as JSON, which is YAML."""
    content = {
        "name": "tiny",
        "model": "model.onnx",
        "labels": LABELS,
        "input": {"size": [HEIGHT, WIDTH], **given},
        "output": returned,
    }
    (folder / "detector.yaml").write_text(json.dumps(content), encoding="utf-8")


def load_onnx(folder: Path, device: str, **options: Any) -> Detector:
    return load(f"onnx:{folder}", device=device, **options)


def load_spoilt(folder: Path, value: float, **options: Any) -> Detector:
    """The file of a folder with a value for all numbers of its convolutions, of both signs: of
    infinity alone, a sigmoid in the file would make 1."""
    import onnx
    from onnx import numpy_helper

    model = onnx.load(folder / "model.onnx")
    weights = {name for node in model.graph.node if node.op_type == "Conv" for name in node.input}
    for constant in model.graph.initializer:
        if constant.name in weights:
            numbers = np.full_like(numpy_helper.to_array(constant), value)
            numbers.flat[::2] *= -1
            constant.CopyFrom(numpy_helper.from_array(numbers, constant.name))
    with TemporaryDirectory() as other:
        shutil.copy(folder / "detector.yaml", other)
        onnx.save(model, Path(other) / "model.onnx")
        return load_onnx(Path(other), "cpu", **options)


def make_case(
    family: str,
    write: Callable[[Path], None],
    own: Callable[[Path, np.ndarray], Own],
    given: dict[str, Any],
    returned: dict[str, Any],
    **options: Any,
) -> Case:
    """A case; with backend="torch", it is run by torch."""
    converted = options.get("backend") == "torch"

    def save(folder: Path) -> None:
        write(folder / "model.onnx")
        describe(folder, given, returned)

    return Case(
        f"onnx {family}{' torch' * converted}",
        save=save,
        load=partial(load_onnx, **options),
        needs=("onnx", "onnxruntime", "yaml", *(["onnx2torch"] if converted else [])),
        model=lambda detector: getattr(detector, "model", None),
        weights="*.onnx",
        own=own,
        reduction=Reduction(threshold=0, multi_label=True),
        spoilt=partial(load_spoilt, **options),
        differentiable=converted,
    )


YOLOV8 = {"scale": 1, "padding": 114 / 255, "placement": "centre"}
IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
KINDS = [
    (
        "yolox",
        save_yolox,
        own_yolox,
        {"channels": "bgr"},
        {"head": "yolox", "strides": [16, 32]},
    ),
    ("yolov8", save_yolov8, own_yolov8, YOLOV8, {"head": "yolov8"}),
    (
        "yolov8 transposed",
        partial(save_yolov8, transposed=True),
        partial(own_yolov8, transposed=True),
        YOLOV8,
        {"head": "yolov8"},
    ),
    (
        "boxes",
        save_boxes,
        own_boxes,
        {"scale": 1, "placement": "stretch", "antialias": True, **IMAGENET},
        {
            "head": "boxes",
            "boxes": "pred_boxes",
            "scores": "logits",
            "format": "cxcywh",
            "unit": "fraction",
            "background": "last",
            "activation": "softmax",
        },
    ),
    (
        "classes",
        save_classes,
        own_classes,
        {"placement": "stretch", "layout": "nhwc", "scale": 255, "antialias": True},
        {
            "head": "boxes",
            "boxes": "boxes",
            "scores": "scores",
            "classes": "classes",
            "format": "xywh",
            "background": "first",
        },
    ),
]
# The last takes bytes, which have no gradients.
CASES = [
    *(make_case(*kind) for kind in KINDS),
    *(make_case(*kind, backend="torch") for kind in KINDS[:-1]),
]

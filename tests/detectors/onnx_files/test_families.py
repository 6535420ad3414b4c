"""Files alone, each against a reference decode that is written out; the labels are the user's or
the file's."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("yaml")

from detectors.onnx_files.description import describe_file
from detectors.onnx_files.detector import OnnxDetector
from detectors.onnx_files.session import open_session
from tests.helpers import contract
from tests.models.exports import IMAGE, save_export
from tests.models.zoo import Own, Reduction
from vps.errors import InputError

SIDE = 64  # of the input
LABELS = ("cat", "dog", "cow")
# Of strides 8, 16 and 32, and 64.
GRIDS = [(8, 8), (16, 4), (32, 2), (64, 1)]
CELLS = [(x, y, s) for s, n in GRIDS[:3] for y in range(n) for x in range(n)]
MORE_CELLS = [*CELLS, (0, 0, 64)]
ANCHORS = [[5, 6, 8, 7, 9, 12], [12, 18, 20, 14, 22, 25], [30, 26, 33, 40, 44, 38]]
RANDOM = np.random.default_rng(0)
ULTRALYTICS = {
    "names": "{0: 'cat', 1: 'dog', 2: 'cow'}",
    "imgsz": "[64, 64]",
    "stride": "32",
    "task": "detect",
}
Found = Iterator[tuple[list[float], str, float]]


def numbers(*shape: int, low: float = 0, high: float = 1) -> np.ndarray:
    return RANDOM.uniform(low, high, shape).astype(np.float32)


def centred(*shape: int) -> np.ndarray:
    """cxcywh in pixels of the input."""
    return np.concatenate(
        [numbers(*shape, 2, low=20, high=44), numbers(*shape, 2, low=8, high=20)], -1
    )


def cornered(*shape: int) -> np.ndarray:
    """xyxy in pixels of the input."""
    boxes = centred(*shape)
    return np.concatenate(
        [boxes[..., :2] - boxes[..., 2:] / 2, boxes[..., :2] + boxes[..., 2:] / 2], -1
    )


def whole(*shape: int, below: int = 3) -> np.ndarray:
    return RANDOM.integers(0, below, shape)


def around(cx: float, cy: float, w: float, h: float) -> list[float]:
    return [cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2]


def softmax(values: np.ndarray) -> np.ndarray:
    rates = np.exp(values - values.max())
    return rates / rates.sum()


def sigmoid(value: Any) -> Any:
    return 1 / (1 + np.exp(-value))


def with_objectness(rows: np.ndarray) -> Found:
    for row in rows[0]:
        for number, label in enumerate(LABELS):
            yield around(*row[:4]), label, row[4] * row[5 + number]


def of_classes(rows: np.ndarray, labels: tuple[str, ...] = LABELS, scale: float = 1) -> Found:
    for row in rows:
        for number, label in enumerate(labels):
            yield around(*row[:4] * scale), label, row[4 + number]


def turned(rows: np.ndarray) -> Found:
    """The upright box around the four corners of a turned one."""
    for cx, cy, w, h, *scores, angle in rows:
        cos, sin = math.cos(angle), math.sin(angle)
        corners = [
            (cx + x * w / 2 * cos - y * h / 2 * sin, cy + x * w / 2 * sin + y * h / 2 * cos)
            for x in (-1, 1)
            for y in (-1, 1)
        ]
        xs, ys = zip(*corners, strict=True)
        for label, score in zip(LABELS, scores, strict=True):
            yield [min(xs), min(ys), max(xs), max(ys)], label, score


def of_yolox(rows: np.ndarray) -> Found:
    for (x, y, stride), row in zip(CELLS, rows[0], strict=True):
        box = around(
            (x + row[0]) * stride,
            (y + row[1]) * stride,
            math.exp(row[2]) * stride,
            math.exp(row[3]) * stride,
        )
        for number, label in enumerate(LABELS):
            yield box, label, row[4] * row[5 + number]


def of_anchors(maps: list[np.ndarray], anchors: list[list[int]], darknet: bool = False) -> Found:
    """Of each stride the numbers (A, h, w, 5 + L) before the sigmoid."""
    for (stride, count), values, sides in zip(GRIDS, maps, anchors, strict=False):
        for number in range(3):
            for y in range(count):
                for x in range(count):
                    tx, ty, tw, th, *rest = values[number, y, x].tolist()
                    w, h = sides[2 * number : 2 * number + 2]
                    if darknet:
                        box = around(
                            (sigmoid(tx) + x) * stride,
                            (sigmoid(ty) + y) * stride,
                            math.exp(tw) * w,
                            math.exp(th) * h,
                        )
                    else:
                        box = around(
                            (2 * sigmoid(tx) - 0.5 + x) * stride,
                            (2 * sigmoid(ty) - 0.5 + y) * stride,
                            (2 * sigmoid(tw)) ** 2 * w,
                            (2 * sigmoid(th)) ** 2 * h,
                        )
                    for label, score in zip(LABELS, rest[1:], strict=False):
                        yield box, label, sigmoid(rest[0]) * sigmoid(score)


def of_distributions(
    scores: np.ndarray, sides: np.ndarray, cells: list[tuple[int, int, int]], centre: float
) -> Found:
    for (x, y, stride), rates, bins in zip(cells, scores, sides, strict=True):
        left, top, right, bottom = (
            sum(place * rate for place, rate in enumerate(softmax(part))) * stride
            for part in np.split(bins, 4)
        )
        cx, cy = (x + centre) * stride, (y + centre) * stride
        for label, score in zip(LABELS, rates, strict=True):
            yield [cx - left, cy - top, cx + right, cy + bottom], label, score


def of_fastestdet(maps: np.ndarray) -> Found:
    for row in range(4):
        for column in range(4):
            data = maps[0, :, row, column]
            cx, cy = (column + np.tanh(data[1])) / 4, (row + np.tanh(data[2])) / 4
            box = around(*(SIDE * v for v in (cx, cy, sigmoid(data[3]), sigmoid(data[4]))))
            for number, label in enumerate(LABELS):
                yield box, label, data[0] ** 0.6 * data[5 + number] ** 0.4


def of_detr(boxes: np.ndarray, logits: np.ndarray, activate: Callable[..., Any]) -> Found:
    for box, row in zip(boxes[0], logits[0], strict=True):
        for label, score in zip(LABELS, activate(row), strict=False):
            yield around(*box * SIDE), label, score


def one_class(boxes: np.ndarray, scores: np.ndarray, classes: np.ndarray, first: int = 0) -> Found:
    for box, score, number in zip(boxes, scores, classes, strict=True):
        if number >= first:
            yield list(box), LABELS[int(number) - first], score


@dataclass
class Export:
    """A form of file.

    Attributes:
        family: what it should be taken for.
        outputs: what the file returns.
        found: what a reference makes of it, in pixels of the input.
        placement: how an image of 48 x 64 lies in the input.
        labels: what the user says; None where the file says it.
        given: what else the user has to say.
        inputs, metadata, open_rows, scaled: of the file.
    """

    family: str
    outputs: dict[str, np.ndarray]
    found: list[tuple[list[float], str, float]]
    placement: str = "stretch"
    labels: tuple[str, ...] | None = LABELS
    given: dict[str, Any] = field(default_factory=dict)
    inputs: Any = None
    metadata: dict[str, str] | None = None
    open_rows: bool = False
    scaled: str = ""


def yolo(
    family: str, found: Found, metadata: dict[str, str] | None = None, **outputs: Any
) -> Export:
    """A letterboxed YOLO that names its classes."""
    metadata = {**ULTRALYTICS, **(metadata or {})}
    return Export(family, outputs, list(found), "centre", None, metadata=metadata)


def exports() -> Iterator[tuple[str, Export]]:
    anchors = np.concatenate([centred(1, 252), numbers(1, 252, 4)], -1)
    v5 = {"names": str(list(LABELS)), "stride": "32", "task": ""}
    yield "yolov5", yolo("YOLOv5", with_objectness(anchors), v5, output0=anchors)
    raw = {"output": anchors, "level": numbers(1, 3, 8, 8, 8)}
    yield "yolov5 with raw grids", yolo("YOLOv5", with_objectness(anchors), v5, **raw)
    masks = np.concatenate([anchors, numbers(1, 252, 32)], -1)
    protos = numbers(1, 32, 16, 16)
    yield (
        "yolov5-seg",
        yolo("YOLOv5", with_objectness(anchors), v5, output0=masks, output1=protos),
    )

    cells = np.concatenate([centred(1, 84), numbers(1, 84, 3)], -1)
    eight = of_classes(cells[0])
    yield "yolov8", yolo("YOLOv8", eight, output0=cells.transpose(0, 2, 1).copy())
    segments = np.concatenate([cells, numbers(1, 84, 32)], -1).transpose(0, 2, 1).copy()
    named = {"task": "segment"}
    yield (
        "yolov8-seg",
        yolo("YOLOv8", of_classes(cells[0]), named, output0=segments, output1=protos),
    )
    person = np.concatenate([centred(1, 84), numbers(1, 84, 1), numbers(1, 84, 51, high=60)], -1)
    posed = {"names": "{0: 'person'}", "task": "pose", "kpt_shape": "[17, 3]"}
    pose = of_classes(person[0], ("person",))
    yield "yolov8-pose", yolo("YOLOv8", pose, posed, output0=person.transpose(0, 2, 1).copy())
    angles = np.concatenate([cells, numbers(1, 84, 1, low=-1.5, high=1.5)], -1)
    obb = yolo(
        "YOLOv8", turned(angles[0]), {"task": "obb"}, output0=angles.transpose(0, 2, 1).copy()
    )
    yield "yolov8-obb", obb

    boxes, scores, kinds = cornered(300), numbers(300), whole(300)
    rows = np.concatenate([boxes, scores[:, None], kinds[:, None]], -1)[None].astype(np.float32)
    ended = list(one_class(boxes, scores, kinds))
    yield "yolov10", yolo("YOLOv10", ended, output0=rows)
    yield "yolov10, unnamed", Export("YOLOv10", {"output0": rows}, ended, "centre")
    padded = rows.copy()
    padded[:, 200:] = 0
    yield "nms", yolo("NMS inside", ended[:200], {"args": "{'nms': True}"}, output0=padded)
    more = np.concatenate([rows, numbers(1, 300, 32)], -1)
    kept = yolo("NMS inside", ended, {"task": "segment"}, output0=more, output1=protos)
    yield "seg with nms", kept

    grid = np.concatenate([numbers(1, 84, 2, low=-0.5, high=1), numbers(1, 84, 6)], -1)
    yield "yolox", Export("YOLOX, cells", {"output": grid}, list(of_yolox(grid)), "corner")
    decoded = np.concatenate([centred(1, 84), numbers(1, 84, 4)], -1)
    found = list(with_objectness(decoded))
    yield "yolox, decoded", Export("YOLOX that decodes", {"output": decoded}, found, "corner")
    certain = decoded.copy()
    certain[..., 4] = 1
    found = list(with_objectness(certain))
    yield "yolov6", Export("YOLOv6", {"outputs": certain}, found, "centre")

    some, rates, classes = cornered(20), numbers(20), whole(20)
    best = list(one_class(some, rates, classes))
    fractions = {"boxes": some[None] / SIDE, "scores": rates[None], "labels": classes[None]}
    sized = {**IMAGE, "orig_target_sizes": ("INT64", ["N", 2])}
    real_time = Export("RT-DETR, D-FINE or DEIM", fractions, best, inputs=sized)
    real_time.scaled = "orig_target_sizes"
    yield "rt-detr of its authors", real_time
    queries = np.concatenate([centred(1, 300) / SIDE, numbers(1, 300, 3)], -1)
    told = {**ULTRALYTICS, "description": "Ultralytics rtdetr-l model"}
    found = list(of_classes(queries[0] * np.array([SIDE] * 4 + [1] * 3)))
    yield (
        "rt-detr of ultralytics",
        Export("RT-DETR of Ultralytics", {"output0": queries}, found, labels=None, metadata=told),
    )
    places = centred(1, 20) / SIDE
    logits = numbers(1, 20, 4, low=-2, high=2)
    masked = {"pixel_values": IMAGE["images"], "pixel_mask": ("INT64", ["batch", 64, 64])}
    found = list(of_detr(places, logits, softmax))
    outputs = {"logits": logits, "pred_boxes": places}
    yield "detr", Export("DETR of transformers", outputs, found, inputs=masked)
    plain = {"logits": logits[..., :3].copy(), "pred_boxes": places}
    found = list(of_detr(places, logits[..., :3], sigmoid))
    yield "rt-detr of transformers", Export("RT-DETR or D-FINE of tr", plain, found)
    flow = {"dets": places, "labels": plain["logits"]}
    yield "rf-detr", Export("RF-DETR", flow, found)

    column = [classes[:, None], rates[:, None]]
    paddle = np.concatenate([*column, some], -1).astype(np.float32)
    scale = {"image": IMAGE["images"], "scale_factor": ("FLOAT", [1, 2])}
    means = {"input.mean": [0, 0, 0], "input.std": [1, 1, 1]}
    outputs = {"multiclass_nms3_0.tmp_0": paddle, "tmp_2": np.array([20], np.int32)}
    form = Export("PaddleDetection", outputs, best, given=means, inputs=scale, open_rows=True)
    yield "paddle", form
    dets = np.concatenate([some, rates[:, None]], -1)[None]
    outputs = {"dets": dets, "labels": classes[None]}
    asked = {**means, "input.channels": "bgr"}
    yield "mmdeploy", Export("mmdeploy", outputs, best, "corner", given=asked)
    outputs = {"101": some, "102": classes + 1, "103": rates}
    listed = {"image": ("FLOAT", [3, 64, 64])}
    yield "torchvision", Export("torchvision", outputs, best, "corner", inputs=listed)
    ended7 = np.concatenate([0 * column[0], some, *column], -1).astype(np.float32)
    seven = Export("YOLOv7, end2end", {"output": ended7}, best, "centre", open_rows=True)
    yield "yolov7, end2end", seven
    first = np.concatenate([0 * column[0], *column, some], -1).astype(np.float32)
    name = "batchno_classid_score_x1y1x2y2"
    form = Export("class and score first", {name: first}, best, "centre", open_rows=True)
    yield "class and score first", form
    outputs = {
        "num_dets": np.array([[15]], np.int32),
        "det_boxes": some[None],
        "det_scores": rates[None],
        "det_classes": classes[None].astype(np.int32),
    }
    yield "efficient nms", Export("YOLO, end2end", outputs, best[:15], "centre")
    confs = numbers(1, 84, 3)
    outputs = {"boxes": cornered(1, 84)[:, :, None] / SIDE, "confs": confs}
    pairs = zip(outputs["boxes"][0, :, 0] * SIDE, confs[0], strict=True)
    found = [(list(b), n, s) for b, row in pairs for n, s in zip(LABELS, row, strict=True)]
    yield "yolov4", Export("YOLOv4", outputs, found)
    outputs = {
        "detection_boxes": some[None][..., [1, 0, 3, 2]] / SIDE,
        "detection_classes": (classes[None] + 1).astype(np.float32),
        "detection_scores": rates[None],
        "num_detections": np.array([18], np.float32),
    }
    bytes_in = {"input_tensor": ("UINT8", [1, 64, 64, 3])}
    stretched = {"input.placement": "stretch"}
    yield (
        "tensorflow",
        Export("TensorFlow", outputs, best[:18], given=stretched, inputs=bytes_in),
    )

    maps = [numbers(3, n, n, 8, low=-2, high=2) for _, n in GRIDS[:3]]
    names = [f"output{number}" for number in range(3)]
    apart = {name: values[None] for name, values in zip(names, maps, strict=True)}
    found = list(of_anchors(maps, ANCHORS))
    said = {"output.anchors": ANCHORS}
    family = "YOLOv3, YOLOv5 or YOLOv7 without"
    yield "anchors", Export(family, apart, found, "centre", given=said)
    turned_round = dict(reversed(apart.items()))
    other = {"output.anchors": ANCHORS[::-1]}
    yield "anchors, coarse first", Export(family, turned_round, found, "centre", given=other)
    more = [np.concatenate([values, numbers(*values.shape[:3], 32)], -1) for values in maps]
    masked = {name: values[None] for name, values in zip(names, more, strict=True)}
    yield "anchors and masks", Export(family, masked, found, "centre", given=said)
    joined = {
        name: values.transpose(0, 3, 1, 2).reshape(1, 24, *values.shape[1:3])
        for name, values in zip(names, maps, strict=True)
    }
    said = {**said, "output.form": "yolov5", "input.placement": "centre"}
    yield "anchors in channels", Export(family, joined, found, "centre", given=said)
    said = {**said, "output.form": "darknet", "input.placement": "stretch"}
    found = list(of_anchors(maps, ANCHORS, darknet=True))
    yield "anchors of darknet", Export(family, joined, found, given=said)

    levels, sides = numbers(85, 3), numbers(85, 32, low=-2, high=2)
    outputs = {"output": np.concatenate([levels, sides], -1)[None]}
    found = list(of_distributions(levels, sides, MORE_CELLS, 0))
    yield "nanodet-plus", Export("NanoDet-Plus", outputs, found)
    ends = np.cumsum([n * n for _, n in GRIDS[:3]])[:-1]
    found = list(of_distributions(levels[:84], sides[:84], CELLS, 0.5))
    outputs = {}
    for values, name in ((levels[:84], "cls_pred_stride"), (sides[:84], "dis_pred_stride")):
        for part, (stride, _) in zip(np.split(values, ends), GRIDS, strict=False):
            outputs[f"{name}_{stride}"] = part[None].copy()
    yield "nanodet, levels", Export("NanoDet", outputs, found)
    maps = np.concatenate(
        [numbers(1, 1, 4, 4), numbers(1, 4, 4, 4, low=-1), numbers(1, 3, 4, 4)], 1
    )
    yield "fastestdet", Export("FastestDet", {"758": maps}, list(of_fastestdet(maps)))


EXPORTS = dict(exports())


def placed(boxes: np.ndarray, placement: str) -> np.ndarray:
    """Boxes in the input of 64 x 64 as pixels of an image of 48 x 64."""
    if placement == "stretch":
        return boxes * [1, 48 / 64, 1, 48 / 64]
    return boxes - ([0, 8, 0, 8] if placement == "centre" else 0)


@pytest.mark.parametrize("name", EXPORTS)
def test_a_file_alone_is_read_as_its_exporter_means(name, tmp_path):
    export = EXPORTS[name]
    path = save_export(
        tmp_path / "model.onnx",
        export.outputs,
        export.inputs,
        export.metadata,
        export.open_rows,
        export.scaled,
    )
    session = open_session(path)
    described = describe_file(path, session, OnnxDetector, labels=export.labels, given=export.given)
    assert export.family in described.family
    detector = OnnxDetector(described.config(), session)
    image = contract.picture((48, 64))
    found = detector.detect(detector.prepare(image)[None], (48, 64))
    ours = contract.reduce(found, Reduction(threshold=0.02, multi_label=True))
    live = [one for one in export.found if one[2] > 0.02]
    boxes = placed(np.array([box for box, _, _ in live]), export.placement)
    theirs = Own(
        torch.tensor(boxes).float(),
        torch.tensor([float(score) for _, _, score in live]),
        [label for _, label, _ in live],
    )
    if len(live) > 300:
        order = theirs.scores.argsort(descending=True)[:60]
        theirs = Own(theirs.boxes[order], theirs.scores[order], [theirs.labels[i] for i in order])
        ours = Own(ours.boxes[:60], ours.scores[:60], ours.labels[:60])
    contract.assert_same_detections(ours, theirs, (48, 64), 1e-4)


def raw_grids(path, shapes):
    return save_export(path, {f"p{n}": numbers(*shape) for n, shape in enumerate(shapes)})


def test_anchors_are_asked_for_where_a_file_has_raw_grids(tmp_path):
    path = raw_grids(tmp_path / "raw.onnx", [(1, 3, n, n, 8) for n in (8, 4, 2)])
    described = describe_file(path, open_session(path), OnnxDetector, labels=LABELS)
    assert described.content["output"]["strides"] == [8, 16, 32]
    with pytest.raises(InputError, match=r"output.anchors: width and height .*YOLOv5's own .*10, "):
        described.config()


@pytest.mark.parametrize(
    ("anchors", "message"),
    [
        ([[5, 6], [12, 18]], r"a list for each of the strides \[8, 16, 32\], got 2"),
        ([[5, 6], [12, 18], [30]], r"widths and heights in turn, got \[30"),
        ([[5, 6], [12, 18], [30, -1]], "widths and heights in turn"),
        ([[0.6, 0.7], [0.7, 1], [1, 1.2]], "must be in pixels of the input"),
        (ANCHORS[::-1], "must be in the order of strides"),
        ([[5, 6], [12, 18], [30, 40]], r"output 'p0' of shape \[1, 3, 8, 8, 8\]"),
    ],
)
def test_anchors_that_cannot_be(tmp_path, anchors, message):
    path = raw_grids(tmp_path / "raw.onnx", [(1, 3, n, n, 8) for n in (8, 4, 2)])
    with pytest.raises(InputError, match=message):
        describe_file(
            path,
            open_session(path),
            OnnxDetector,
            labels=LABELS,
            given={"output.anchors": anchors},
        ).config()


@pytest.mark.parametrize(
    "shapes",
    [
        [(1, 67, n, n) for n in (8, 4, 2)],  # YOLOv8: 64 of distributions, 3 labels
        [(1, 24, n, n) for n in (8, 8, 2)],
        [(1, 3, n, n, 8) for n in (7, 4, 2)],
    ],
)
def test_other_grids_are_no_anchors(tmp_path, shapes):
    path = raw_grids(tmp_path / "raw.onnx", shapes)
    with pytest.raises(InputError, match="outputs of a form that is not known"):
        describe_file(path, open_session(path), OnnxDetector, labels=LABELS)

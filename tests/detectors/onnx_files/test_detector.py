import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tests.helpers.paths import ROOT

pytest.importorskip("yaml")

import yaml

from detectors import load
from tests.helpers.contract import check_contract, live, picture
from tests.models import tiny_onnx
from vps.errors import DetectorError, InputError

DATA = ROOT.parent / "shared" / "data"
real_data = pytest.mark.skipif(
    not (DATA / "yolox_nano").is_dir() or not (DATA / "coco_mini").is_dir(),
    reason="the real model and images in ../shared/data are not here",
)

DESCRIPTION = """
name: stand-in
model: model.onnx
input: {size: [32, 64], channels: bgr}
output: {head: yolox, strides: [16, 32]}
labels: [dog, cat]
"""
# Cells of strides 16 and 32 on 32 x 64 pixels: 2 x 4 and 1 x 2.
CELLS = 10


class Session:
    """Stands in for onnxruntime's: raw boxes are 0, scores show the channels it was given."""

    inputs = (SimpleNamespace(name="images", type="tensor(float)", shape=[1, 3, 32, 64]),)
    shape = (1, CELLS, 7)
    objectness = 0.5
    metadata = {}

    def __init__(self, path, options, providers):
        assert options.intra_op_num_threads == 3
        self.seen = []

    def get_inputs(self):
        return self.inputs

    def get_modelmeta(self):
        return SimpleNamespace(custom_metadata_map=self.metadata)

    def get_outputs(self):
        return [SimpleNamespace(name="output", type="tensor(float)", shape=list(self.shape))]

    def run(self, names, feed):
        assert names == ["output"]
        image = feed["images"]
        self.seen.append(image)
        output = np.zeros((1, CELLS, 7), np.float32)
        output[..., 4] = self.objectness
        output[..., 5] = image[0, 0].max() / 255
        output[..., 6] = image[0, 2].max() / 255
        return [output]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a description and a model, run by a stand-in of onnxruntime."""
    runtime = SimpleNamespace(SessionOptions=SimpleNamespace, InferenceSession=Session)
    monkeypatch.setitem(sys.modules, "onnxruntime", runtime)
    (tmp_path / "model.onnx").write_bytes(b"stand-in")
    (tmp_path / "detector.yaml").write_text(DESCRIPTION)
    return tmp_path


@pytest.fixture
def write(tmp_path):
    """A function that writes a tiny ONNX file of a family with its description."""
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    cases = {case.name: case for case in tiny_onnx.CASES}

    def save(family, **settings):
        cases[f"onnx {family}"].save(tmp_path)
        description = yaml.safe_load((tmp_path / "detector.yaml").read_text())
        for key, value in settings.items():
            section = next((s for s in ("input", "output") if key in KEYS[s]), None)
            (description[section] if section else description)[key] = value
        (tmp_path / "detector.yaml").write_text(yaml.safe_dump(description))
        return f"onnx:{tmp_path}"

    return save


KEYS = {
    "input": ("size", "layout", "batched", "mean", "std"),
    "output": ("head", "boxes", "scores", "background", "activation"),
}


def test_contract(folder):
    check_contract(load(f"onnx:{folder}", threads=3))


def test_boxes_are_scaled_to_the_image(folder):
    detector = load(f"onnx:{folder / 'detector.yaml'}", threads=3)
    # 64 x 64 becomes 32 x 32 of the model's 32 x 64: half the size.
    found = detector.detect(detector.prepare(picture((64, 64)))[None], (64, 64))
    centres = (found.boxes[0, :, :2] + found.boxes[0, :, 2:]) / 2
    sizes = found.boxes[0, :, 2:] - found.boxes[0, :, :2]
    small = [[x * 32.0, y * 32.0] for y in range(2) for x in range(4)]
    assert centres.tolist() == [*small, [0, 0], [64, 0]]
    assert sizes.tolist() == [[32, 32]] * 8 + [[64, 64]] * 2


def test_the_model_sees_bgr_up_to_255_with_padding(folder):
    detector = load(f"onnx:{folder}", threads=3)
    red = torch.zeros(1, 3, 32, 40)
    red[:, 0] = 1
    found = detector.detect(red, (32, 40))
    (image,) = detector._session.seen
    assert image.dtype == np.float32
    assert image.shape == (1, 3, 32, 64)
    assert (image[0, 2, :, :40] == 255).all()
    assert (image[0, :2, :, :40] == 0).all()
    assert (image[..., 40:] == 114).all()
    # Objectness 0.5; the first label reads the blue plane, where only the padding is not black.
    expected = torch.tensor([0.5 * 114 / 255, 0.5]).expand(CELLS, 2)
    assert torch.allclose(found.scores[0], expected)
    assert torch.equal(found.objectness, torch.full((1, CELLS), 0.5))


def test_larger_pixels_than_the_input_are_rejected(folder):
    detector = load(f"onnx:{folder}", threads=3)
    with pytest.raises(InputError, match="at most"):
        detector.detect(torch.zeros(1, 3, 33, 64), (33, 64))


def test_a_model_that_does_not_fit_its_description(folder, monkeypatch):
    monkeypatch.setattr(Session, "shape", (1, CELLS, 85))
    with pytest.raises(InputError, match="output 'output' of shape .*85.*2 labels.* 10, 7"):
        load(f"onnx:{folder}", threads=3)
    # A named axis is free, and a file may say nothing.
    for shape in (("batch", CELLS, 7), ()):
        monkeypatch.setattr(Session, "shape", shape)
        load(f"onnx:{folder}", threads=3)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([("tensor(float)", [1, 3, 32, 32])], "an input of shape .*32, 32.* 32, 64"),
        ([("tensor(float)", [4, 3, 32, 64])], r"an input of shape \[4, .* means \[1, "),
        ([("tensor(int64)", [1, 3, 32, 64])], "input0: tensor.int64. .* for an image is needed"),
        ([("tensor(float)", [1, 3, 32, 64])] * 2, "for an image is needed"),
        (
            [("tensor(float)", [1, 3, 32, 64]), ("tensor(float)", [1, 2])],
            r"an input 'input1' .* which numbers .*: input.others: \{input1",
        ),
    ],
)
def test_inputs_that_cannot_be_fed(folder, monkeypatch, inputs, message):
    given = [
        SimpleNamespace(name=f"input{number}", type=kind, shape=shape)
        for number, (kind, shape) in enumerate(inputs)
    ]
    monkeypatch.setattr(Session, "inputs", given)
    with pytest.raises(InputError, match=message):
        load(f"onnx:{folder}", threads=3)


def test_scores_that_are_none(folder, monkeypatch):
    monkeypatch.setattr(Session, "objectness", 1.0 + 1e-6)
    detector = load(f"onnx:{folder}", threads=3)
    pixels = detector.prepare(picture((32, 64)))[None]
    assert detector.detect(torch.ones_like(pixels), (32, 64)).scores.max() == 1
    monkeypatch.setattr(Session, "objectness", 8.0)
    with pytest.raises(DetectorError, match="if they are logits, set output.activation"):
        detector.detect(pixels, (32, 64))


def test_threads_are_checked(folder):
    with pytest.raises(InputError, match="threads"):
        load(f"onnx:{folder}", threads=0)


def test_a_missing_model(folder):
    (folder / "model.onnx").unlink()
    with pytest.raises(InputError, match="model.onnx does not exist"):
        load(f"onnx:{folder}")


def test_a_broken_model(tmp_path):
    pytest.importorskip("onnxruntime")
    (tmp_path / "detector.yaml").write_text(DESCRIPTION)
    (tmp_path / "model.onnx").write_bytes(b"not a model")
    with pytest.raises(InputError, match="cannot be loaded"):
        load(f"onnx:{tmp_path}")


@pytest.mark.parametrize(("batched", "runs"), [(True, [3]), (False, [1, 1, 1])])
def test_a_batch_is_one_run_where_the_file_allows(write, batched, runs):
    detector = load(write("yolov8", batched=batched))
    counts, session = [], detector._session
    detector._session = SimpleNamespace(
        run=lambda names, feed: counts.append(len(feed["image"])) or session.run(names, feed)
    )
    detector.detect(torch.rand(3, 3, 32, 64), (32, 64))
    assert counts == runs


@pytest.mark.parametrize("batched", [True, False])
def test_a_file_that_only_claims_to_take_a_batch(write, tmp_path, batched):
    source = write("yolov8", batched=batched)
    graph = tiny_onnx.Graph()
    pixels = np.array([64, 32, 64, 32, 1, 1], np.float32)
    values = graph("Mul", graph("Sigmoid", tiny_onnx.cells(graph, 6, 1)), pixels)
    values = graph("Transpose", values, perm=[0, 2, 1])
    single = graph("Reshape", values, tiny_onnx.numbers(1, 6, -1))
    image = ("FLOAT", ["batch", 3, 32, 64])
    graph.save(tmp_path / "model.onnx", image, {"output": (single, "FLOAT", ["batch", 6, "n"])})
    pixels = torch.rand(2, 3, 32, 64)
    if batched:
        with pytest.raises(DetectorError, match="given 2 images .*set input.batched to false"):
            load(source).detect(pixels, (32, 64))
    else:
        assert load(source).detect(pixels, (32, 64)).scores.shape == (2, CELLS, 2)


def test_runs_may_return_different_numbers_of_boxes(write, tmp_path):
    """As with an NMS inside: here the dark image has none left."""
    plain = {"mean": [0, 0, 0], "std": [1, 1, 1]}
    source = write("boxes", activation="none", background="none", **plain)
    graph = tiny_onnx.Graph()
    bright = graph("ReduceMax", "image", axes=[1, 2, 3], keepdims=0)
    count = graph("Mul", graph("Cast", bright, to=7), tiny_onnx.numbers(3))
    outputs = {}
    for name, columns in (("pred_boxes", 4), ("logits", 2)):
        shape = graph("Concat", tiny_onnx.numbers(1), count, tiny_onnx.numbers(columns), axis=0)
        half = graph("Expand", np.float32([0.5]), shape)
        outputs[name] = (half, "FLOAT", [1, "n", columns])
    graph.save(tmp_path / "model.onnx", ("FLOAT", [1, 3, 32, 64]), outputs)
    batch = torch.stack([torch.zeros(3, 32, 64), torch.ones(3, 32, 64)])
    found = load(source).detect(batch, (32, 64))
    assert found.scores.shape == (2, 3, 2)
    assert [len(live(found, row)[0]) for row in (0, 1)] == [0, 3]


@pytest.mark.parametrize(
    ("family", "settings", "message"),
    [
        ("yolov8", {"labels": ["dog"]}, "1 labels, means .*5, any. or .*any, 5"),
        ("yolov8", {"size": [64, 64]}, "an input of shape .* means .1, 3, 64, 64"),
        ("yolov8", {"layout": "nhwc"}, "an input of shape .* means .1, 32, 64, 3"),
        ("boxes", {"boxes": "pred_box"}, "'pred_box', did you mean 'pred_boxes'"),
        ("boxes", {"background": "none"}, "output 'logits' of shape .* means .1, any, 2"),
        ("classes", {"scores": "boxes"}, "output 'boxes' of shape .* means .1, any.;"),
    ],
)
def test_real_files_that_do_not_fit(write, family, settings, message):
    with pytest.raises(InputError, match=message):
        load(write(family, **settings))


def test_half_precision(write, tmp_path):
    source = write("yolov8")
    expected = load(source).detect(torch.full((1, 3, 32, 64), 0.25), (32, 64))
    graph = tiny_onnx.Graph()
    image = graph("Cast", "image", to=1)
    pixels = np.array([64, 32, 64, 32, 1, 1], np.float32)
    values = graph("Mul", graph("Sigmoid", tiny_onnx.cells(graph, 6, 1, image)), pixels)
    output = graph("Cast", values, to=10)
    shape = [1, CELLS, 6]
    given = ("FLOAT16", [1, 3, 32, 64])
    graph.save(tmp_path / "model.onnx", given, {"output": (output, "FLOAT16", shape)})
    found = load(source).detect(torch.full((1, 3, 32, 64), 0.25), (32, 64))
    assert found.scores.dtype == torch.float32
    assert torch.allclose(found.scores, expected.scores, atol=1e-3)


def test_what_the_files_metadata_contradicts(folder, monkeypatch):
    for metadata, message in [
        ({"names": "{0: 'cat', 1: 'dog'}"}, "labels.0. is 'dog', but .* calls that class 'cat'"),
        ({"names": "['dog']"}, "names 1 classes, and 2 labels were given"),
        ({"names": "{1: 'dog', 2: 'cat'}"}, "numbered 1 to 2, not from 0"),
        ({"stride": "24"}, "no multiple of 24"),
        ({"task": "classify"}, "classifies images"),
    ]:
        monkeypatch.setattr(Session, "metadata", metadata)
        with pytest.raises(InputError, match=message):
            load(f"onnx:{folder}", threads=3)
    for names in ("{0: 'dog', 1: 'Cat'}", '{"0": "dog", "1": "cat"}', "dog, cat", "dog\ncat\n"):
        monkeypatch.setattr(Session, "metadata", {"names": names, "stride": "32"})
        load(f"onnx:{folder}", threads=3)


def test_bytes_need_white_to_be_255(folder, monkeypatch):
    given = SimpleNamespace(name="images", type="tensor(uint8)", shape=[1, 3, 32, 64])
    monkeypatch.setattr(Session, "inputs", (given,))
    load(f"onnx:{folder}", threads=3)
    for more in ("scale: 1", "mean: [1, 2, 3]"):
        text = DESCRIPTION.replace("channels: bgr", f"channels: bgr, {more}")
        (folder / "detector.yaml").write_text(text)
        with pytest.raises(InputError, match="takes bytes .uint8., so input.scale must be 255"):
            load(f"onnx:{folder}", threads=3)


@real_data
def test_contract_with_yolox():
    pytest.importorskip("onnxruntime")
    check_contract(load(f"onnx:{ROOT / 'configs' / 'yolox_nano.yaml'}"))


@real_data
def test_yolox_finds_what_is_annotated(capsys):
    """AP at IoU 0.5 on the images there; published for all of val2017: about 0.41."""
    for module in ("onnxruntime", "torchvision", "pycocotools"):
        pytest.importorskip(module)
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval
    from torchvision.ops import batched_nms

    from vps.data.readers.coco import read_coco

    annotations = DATA / "coco_mini" / "annotations" / "instances_val2017.json"
    detector = load(f"onnx:{ROOT / 'configs' / 'yolox_nano.yaml'}")
    truth = COCO(str(annotations))
    results = []
    for sample in read_coco(annotations, DATA / "coco_mini" / "val2017"):
        pixels = detector.prepare(sample.image)[None]
        found = detector.detect(pixels, sample.image.shape[:2])
        rows, columns = (found.scores[0] > 0.01).nonzero().T
        boxes, scores = found.boxes[0][rows], found.scores[0][rows, columns]
        for index in batched_nms(boxes, scores, columns, 0.65).tolist():
            x1, y1, x2, y2 = boxes[index].tolist()
            (category,) = truth.getCatIds(catNms=[detector.labels[columns[index]]])
            result = {"image_id": sample.image_id, "category_id": category}
            result.update(bbox=[x1, y1, x2 - x1, y2 - y1], score=float(scores[index]))
            results.append(result)
    judge = COCOeval(truth, truth.loadRes(results), "bbox")
    judge.evaluate()
    judge.accumulate()
    judge.summarize()
    assert judge.stats[1] > 0.48

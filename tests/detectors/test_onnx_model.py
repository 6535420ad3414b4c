import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

pytest.importorskip("yaml")

from detectors import load
from detectors.onnx_config import InputConfig, read_config
from detectors.onnx_model import fitted, padded
from tests.detectors.contract import check_contract, picture
from vps.errors import InputError

ROOT = Path(__file__).parents[2]
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

    output_shape = (1, CELLS, 7)

    def __init__(self, path, options, providers):
        assert options.intra_op_num_threads == 3
        self.seen = []

    def get_inputs(self):
        return [SimpleNamespace(name="images", shape=[1, 3, 32, 64])]

    def get_outputs(self):
        return [SimpleNamespace(name="output", shape=list(self.output_shape))]

    def run(self, _, feed):
        image = feed["images"]
        self.seen.append(image)
        output = np.zeros((1, CELLS, 7), np.float32)
        output[..., 4] = 0.5
        output[..., 5] = image[0, 0].max() / 255
        output[..., 6] = image[0, 2].max() / 255
        return [output]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a description and a model, run by a stand-in of onnxruntime."""
    runtime = SimpleNamespace(SessionOptions=SimpleNamespace, InferenceSession=Session)
    monkeypatch.setitem(sys.modules, "onnxruntime", runtime)
    (tmp_path / "model.onnx").write_bytes(b"")
    (tmp_path / "detector.yaml").write_text(DESCRIPTION)
    return tmp_path


def test_contract(folder):
    check_contract(load(f"onnx:{folder}", threads=3))


def test_boxes_start_at_their_cells_and_are_scaled_to_the_image(folder):
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


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((416, 416), (416, 416)),
        ((427, 640), (277, 416)),
        ((100, 50), (416, 208)),
        ((1, 900), (1, 416)),
    ],
)
def test_fitted(size, expected):
    assert fitted(size, (416, 416)) == expected


def test_padded_leaves_rgb_when_told():
    pixels = torch.rand(2, 3, 4, 4)
    batch = padded(pixels, InputConfig((4, 6), "rgb", 1.0, 0.5))
    assert torch.equal(batch[..., :4], pixels)
    assert (batch[..., 4:] == 0.5).all()


def test_larger_pixels_than_the_input_are_rejected(folder):
    detector = load(f"onnx:{folder}", threads=3)
    with pytest.raises(InputError, match="at most"):
        detector.detect(torch.zeros(1, 3, 33, 64), (33, 64))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("labels:", "lables:", "unknown key .*'lables', did you mean 'labels'"),
        ("channels: bgr", "chanels: bgr", "input.*'chanels', did you mean 'channels'"),
        ("channels: bgr", "channels: grb", "input.channels.*'grb'"),
        ("head: yolox", "head: yolo", "did you mean 'yolox'"),
        ("name: stand-in", "", "lacks the key 'name'"),
        ("strides: [16, 32]", "strides: 16", "output.strides must be a list"),
        ("size: [32, 64]", "size: [32]", "input.size must be a list of 2"),
        ("[dog, cat]", "[dog, dog]", "different names"),
        ("channels: bgr", "scale: much", "input.scale must be a number"),
        ("name: stand-in", "name: [", "not valid YAML"),
        ("input: {size: [32, 64], channels: bgr}", "input: 3", "input must be a mapping"),
    ],
)
def test_descriptions_are_checked(tmp_path, old, new, message):
    path = tmp_path / "detector.yaml"
    path.write_text(DESCRIPTION.replace(old, new))
    with pytest.raises(InputError, match=message):
        read_config(path)


def test_a_model_that_does_not_fit_its_description(folder, monkeypatch):
    monkeypatch.setattr(Session, "output_shape", (1, CELLS, 85))
    with pytest.raises(InputError, match="output of shape .*85.*2 labels"):
        load(f"onnx:{folder}", threads=3)
    # A named axis is free.
    monkeypatch.setattr(Session, "output_shape", ("batch", CELLS, 7))
    load(f"onnx:{folder}", threads=3)


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

    from vps.data.coco import read_coco

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

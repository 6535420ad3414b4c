from functools import cache
from pathlib import Path

import pytest
import torch

pytest.importorskip("ultralytics")
from detectors import load, wrap  # noqa: E402
from tests.helpers.contract import assert_same_detections, live, picture, reduce, snapshot  # noqa: E402
from tests.models.tiny_ultralytics import (  # noqa: E402
    HEADS,
    NMS_IOU,
    SIDE,
    build,
    found_by,
    write_yaml,
)
from tests.models.zoo import Reduction  # noqa: E402
from vps.errors import InputError  # noqa: E402

SIZE = (48, 64)


@pytest.fixture(scope="module")
def yolo(tmp_path_factory):
    return cache(lambda head: build(tmp_path_factory.mktemp(head), head))


@pytest.mark.parametrize("head", [head for head in HEADS if head != "segment"])
def test_candidates_hold_what_predict_finds(head, yolo):
    # (A box whose mask is empty is left out by the library: a segmentation model finds fewer.)
    detector = wrap(yolo(head), imgsz=SIDE, floor=0, channels="rgb")
    image = picture(SIZE, seed=1)
    found = detector.detect(detector.prepare(image)[None], SIZE)
    threshold = float(found.scores.amax(-1).quantile(0.8))
    theirs = found_by(yolo(head), image, threshold)
    if head == "obb":
        # The library does its NMS on the turned boxes.
        boxes, scores = live(found)
        for box, score in zip(theirs.boxes, theirs.scores, strict=True):
            near = (boxes - box).abs().amax(-1) < 0.1
            assert (scores[near].amax(-1) - score).abs().min() < 1e-4
        return
    nms = NMS_IOU if head in ("detect", "pose") else None
    if head == "queries":  # The library counts a query once a label that passes.
        ours = reduce(found, Reduction(threshold, None, multi_label=True))
    else:
        ours = reduce(found, Reduction(threshold, nms))
    assert_same_detections(ours, theirs, SIZE, 2e-3)


@pytest.mark.parametrize("head", ["detect", "end2end", "segment"])
def test_all_anchors_are_candidates_and_the_model_is_left_alone(head, yolo):
    model = yolo(head).model
    before = snapshot(model)
    detector = wrap(model, imgsz=SIDE, floor=0, channels="rgb")
    found = detector.detect(detector.prepare(picture(SIZE))[None], SIZE)
    # Strides 8 and 16, of a frame of 64 x 64.
    assert found.boxes.shape == (1, 8 * 8 + 4 * 4, 4)
    assert (found.scores.sum(-1) > found.scores.amax(-1)).any()
    assert snapshot(model) == before


def test_gradients_reach_the_pixels(yolo):
    detector = wrap(yolo("detect"), imgsz=SIDE, channels="rgb")
    pixels = detector.prepare(picture(SIZE))[None].requires_grad_()
    found = detector.detect(pixels, SIZE)
    (found.scores[0, :, 0].max() + found.boxes[0, 0, 2] / SIZE[1]).backward()
    assert pixels.grad.abs().sum() > 0
    assert not detector.detect(pixels.detach(), SIZE).scores.requires_grad


def test_what_is_no_detector_or_does_not_fit(yolo, tmp_path):
    with pytest.raises(InputError, match="scores 3 classes; give as many different labels"):
        wrap(yolo("detect"), labels=["cat"])
    with pytest.raises(InputError, match="imgsz must be one or two whole numbers"):
        wrap(yolo("detect"), imgsz=3)
    from ultralytics import YOLO

    text = (
        write_yaml(tmp_path).read_text().replace("[2, 3], 1, Detect, [nc]", "-1, 1, Classify, [nc]")
    )
    (tmp_path / "classes.yaml").write_text(text)
    with (
        pytest.warns(UserWarning, match="in training mode"),
        pytest.raises(InputError, match="Classify of this model gives no boxes"),
    ):
        wrap(YOLO(str(tmp_path / "classes.yaml"), task="classify"))


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        ("yolov8n.pt", {}, "export it once .*onnx:yolov8n.onnx.*wrap"),
        ("model.yaml", {}, "needs a YAML file and weights"),
        ("model.yaml", {"weights": "none.pt"}, "no weights none.pt; export it once"),
        ("model.yaml", {"weights": "a.pth", "dtype": "float16"}, "run in float32"),
    ],
)
def test_what_cannot_be_loaded(source, options, message):
    with pytest.raises(InputError, match=message):
        load(f"ultralytics:{source}", **options)


def test_a_checkpoint_of_objects_is_not_read(yolo, tmp_path):
    torch.save({"model": yolo("detect").model, "epoch": 1}, tmp_path / "best.pt")
    path = write_yaml(tmp_path)
    with pytest.raises(InputError, match="hold more than weights"):
        load(f"ultralytics:{path}", weights=tmp_path / "best.pt")


def test_weights_of_another_model(yolo, tmp_path):
    torch.save(yolo("segment").model.state_dict(), tmp_path / "a.pth")
    with pytest.raises(InputError, match="do not fit"):
        load(f"ultralytics:{write_yaml(Path(tmp_path))}", weights=tmp_path / "a.pth")

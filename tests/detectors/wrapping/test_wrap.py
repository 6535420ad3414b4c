"""What people have in memory, each in at most three lines to its first explanation."""

import warnings

import numpy as np
import pytest
import torch
from torch import nn

from detectors import wrap
from tests.helpers.contract import batch_of, picture, snapshot
from tests.models import zoo
from vps import detect, explain
from vps.core.detector import Detector, OpenVocabularyDetector
from vps.errors import DetectorError, InputError

SIZE = (48, 64)
IMAGE = picture(SIZE)


def case_of(name, tmp_path):
    """The detector of a case of the zoo, whose model is wrapped anew."""
    case = next(case for case in zoo.all_cases() if case.name == name)
    if case.missing:
        pytest.skip(f"needs {', '.join(case.missing)}")
    case.save(tmp_path)
    return case.load(tmp_path, "cpu")


def assert_same(one, other):
    """Two detectors say the same."""
    assert isinstance(one, Detector)
    batch = batch_of(other, SIZE)
    assert torch.equal(batch_of(one, SIZE), batch)
    mine, theirs = one.detect(batch, SIZE), other.detect(batch, SIZE)
    assert mine.labels == theirs.labels
    assert torch.allclose(mine.scores, theirs.scores, atol=1e-6)
    assert torch.allclose(mine.boxes, theirs.boxes, atol=1e-3)


@pytest.mark.parametrize("family", ["faster-rcnn", "retinanet", "fcos", "ssd"])
def test_torchvision(family, tmp_path):
    known = case_of(f"torchvision {family}", tmp_path)
    model = known.model
    detect(known, IMAGE)  # The library itself notes sizes on its modules at the first image.
    before = snapshot(model)
    detector = wrap(model, labels=known.labels, floor=0)
    assert_same(detector, known)
    assert snapshot(model) == before


@pytest.mark.parametrize("family", ["Detr", "RTDetr"])
def test_closed_sets_of_transformers(family, tmp_path):
    known = case_of(f"hf-closed-set {family}", tmp_path)
    import transformers

    model = transformers.AutoModelForObjectDetection.from_pretrained(tmp_path)
    for options in ({}, {"use_fast": True}):
        processor = transformers.AutoImageProcessor.from_pretrained(tmp_path, **options)
        assert_same(wrap(model, processor), known)
    pipe = transformers.pipeline("object-detection", model=model, image_processor=processor)
    assert_same(wrap(pipe), known)
    named = [f"thing {number}" for number in range(model.config.num_labels)]
    assert wrap(model, processor, labels=named).labels == tuple(named)
    with pytest.raises(InputError, match="needs its processor: wrap"):
        wrap(model)


@pytest.mark.parametrize("name", ["hf-zero-shot owlv2", "hf-zero-shot omdet-turbo"])
def test_zero_shot_models_of_transformers(name, tmp_path):
    known = case_of(name, tmp_path)
    import transformers

    model = transformers.AutoModelForZeroShotObjectDetection.from_pretrained(tmp_path)
    processor = transformers.AutoImageProcessor.from_pretrained(tmp_path)
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path)
    before = snapshot(model)
    detector = wrap(model, processor, tokenizer, labels=known.labels, template=known.template)
    assert_same(detector, known)
    assert snapshot(model) == before
    assert isinstance(detector, OpenVocabularyDetector)
    pipe = transformers.pipeline(
        "zero-shot-object-detection", model=model, image_processor=processor, tokenizer=tokenizer
    )
    assert_same(wrap(pipe, labels=known.labels, template=known.template), known)
    with pytest.raises(InputError, match="finds what it is asked for; say what by labels"):
        wrap(pipe)


def test_grounding_dino_of_transformers(tmp_path):
    known = case_of("hf-grounding-dino", tmp_path)
    import transformers

    model = transformers.AutoModelForZeroShotObjectDetection.from_pretrained(tmp_path)
    before = snapshot(model), type(model.model.text_backbone)
    parts = (
        transformers.AutoImageProcessor.from_pretrained(tmp_path),
        transformers.AutoTokenizer.from_pretrained(tmp_path),
    )
    detector = wrap(model, *parts, labels=known.labels)
    assert_same(detector, known)
    assert (snapshot(model), type(model.model.text_backbone)) == before
    with pytest.raises(InputError, match="by its processor, which takes RGB"):
        wrap(model, *parts, labels=known.labels, channels="bgr")


def test_grounding_dino_of_its_authors(tmp_path):
    known = case_of("groundingdino", tmp_path)
    from tests.models.tiny_groundingdino import SIDES, own_model

    model = own_model(tmp_path)
    before = type(model.bert), type(model.tokenizer)
    detector = wrap(model, labels=known.labels, min_size=SIDES[0], max_size=SIDES[1])
    assert_same(detector, known)
    assert (type(model.bert), type(model.tokenizer)) == before


@pytest.mark.mmdet
def test_mmdet(tmp_path):
    pytest.importorskip("mmdet")
    from mmdet.apis import init_detector

    known = case_of("mmdet retinanet", tmp_path)
    (config,) = tmp_path.glob("*.py")
    (weights,) = tmp_path.glob("*.pth")
    model = init_detector(str(config), str(weights), device="cpu")
    before = snapshot(model)
    assert_same(wrap(model, floor=0, labels=known.labels), known)
    assert snapshot(model) == before


def test_ultralytics(tmp_path):
    known = case_of("ultralytics", tmp_path)
    from tests.models.tiny_ultralytics import SIDE, build

    yolo = build(tmp_path)
    assert_same(wrap(yolo, imgsz=SIDE, floor=0), known)
    assert_same(wrap(yolo.model, imgsz=SIDE, floor=0), known)


def bright(image):
    """A cat on the left, as bright as it is."""
    return np.array([[0.0, 0, 32, 48]]), np.array([image[:, :32].mean() / 255]), np.array([0])


def of_supervision(image):
    sv = pytest.importorskip("supervision")
    boxes, scores, classes = bright(image)
    return sv.Detections(xyxy=boxes, confidence=scores, class_id=classes)


@pytest.mark.parametrize(
    "function",
    [
        bright,
        of_supervision,
        lambda image: {"boxes": [[0, 0, 32, 48]], "scores": [0.5], "labels": ["cat"]},
    ],
    ids=["arrays", "supervision", "dict"],
)
def test_functions(function):
    detector = wrap(function, labels=["cat", "dog"], boxes="xyxy")
    found = detect(detector, IMAGE)
    assert explain(detector, IMAGE, found[0], regions=4).target.label == "cat"


def test_what_functions_take():
    seen = []

    def keep(given):
        seen.append(given)
        return [] if not isinstance(given, torch.Tensor) else [[] for _ in given]

    for takes in ("image", "pil", "batch"):
        detect(wrap(keep, labels=["a"], takes=takes, channels="rgb"), IMAGE)
    array, picture_of_pillow, batch = seen
    assert array.dtype == np.uint8
    assert (array == IMAGE).all()
    assert (np.asarray(picture_of_pillow) == IMAGE).all()
    assert batch.shape == (1, 3, *SIZE)
    with pytest.raises(InputError, match="kind of image"):
        wrap(keep, labels=["a"], takes="path")
    with pytest.raises(DetectorError, match="TypeError.*takes='image'.*'pil', 'batch'"):
        detect(wrap(lambda image: image(), labels=["a"]), IMAGE)


def test_batches_give_boxes_with_an_axis_of_images():
    def all_at_once(batch):
        boxes = torch.tensor([[[0.0, 0, 32, 48], [40, 8, 60, 40]]]).expand(len(batch), 2, 4)
        return boxes, torch.tensor([[[0.9, 0.1], [0.2, 0.4]]]).expand(len(batch), 2, 2)

    found = detect(wrap(all_at_once, labels=["a", "b"], takes="batch"), IMAGE)
    assert [(one.label, round(one.score, 2)) for one in found] == [("a", 0.9), ("b", 0.4)]


@pytest.mark.parametrize(
    ("labels", "classes", "message"),
    [
        (["cat"], [1], "found class 1, .*begin at 0"),
        ({1: "cat"}, [1], None),
        (["cat"], ["Cat"], "found 'Cat', which is none of the labels .did you mean 'cat'"),
        (["cat", "dog"], None, "has no classes, and there are 2 labels"),
        (["cat"], None, None),
    ],
)
def test_classes_are_the_labels(labels, classes, message):
    detector = wrap(
        lambda image: {"boxes": [[1, 2, 30, 40]], "scores": [0.9], "labels": classes},
        labels=labels,
        boxes="xyxy",
    )
    if message is None:
        assert detect(detector, IMAGE)[0].label == "cat"
    else:
        with pytest.raises(DetectorError, match=message):
            detect(detector, IMAGE)


def test_a_model_in_training_mode_is_run_by_a_copy(tmp_path):
    known = case_of("torchvision fcos", tmp_path)
    model = known.model
    model.train()
    model.backbone.eval()
    before = snapshot(model)
    with pytest.warns(UserWarning, match="in training mode: it is run by a copy"):
        detector = wrap(model, labels=known.labels, floor=0)
    twin = detector.inner.model
    assert not any(module.training for module in twin.modules())
    assert {id(one) for one in twin.parameters()} == {id(one) for one in model.parameters()}
    detect(detector, IMAGE)
    assert snapshot(model) == before
    model.eval()
    model.backbone.second.train()
    with pytest.warns(UserWarning, match="in part .backbone.second"):
        wrap(model, labels=known.labels)
    model.eval()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert wrap(model, labels=known.labels).inner.model is model


class Unknown(nn.Module):
    def forward(self, images):
        return [{"boxes": [[0, 0, 32, 48]], "scores": [0.5], "labels": [0]} for _ in images]


def test_what_is_around_a_model_and_modules_that_nobody_knows(tmp_path):
    known = case_of("torchvision fcos", tmp_path)
    assert wrap(nn.DataParallel(known.model), labels=known.labels).inner.model is known.model
    with pytest.raises(InputError, match="is of no library that is known; say what it takes"):
        wrap(Unknown().eval(), labels=["a"])
    found = detect(wrap(Unknown().eval(), labels=["a"], takes="batch", boxes="xyxy"), IMAGE)
    assert found[0].score == 0.5


def test_what_cannot_be_wrapped(tmp_path):
    known = case_of("torchvision fcos", tmp_path)
    assert wrap(known, channels="rgb") is known
    for model, settings, message in (
        (known, {"labels": ["a"]}, "labels of its own"),
        (known, {"floor": 0}, "a detector already: it takes no floor"),
        ("yolov8n.pt", {}, "a str cannot be wrapped"),
        (known.model, {"labels": ["a"]}, "scores 3 classes"),
        (known.model, {"flor": 0}, "option of wrap, for a FCOS, 'flor', did you mean 'floor'"),
        (bright, {}, "give the names as labels"),
        (bright, {"labels": ["a", "a"]}, "different names"),
    ):
        with pytest.raises(InputError, match=message):
            wrap(model, **settings)

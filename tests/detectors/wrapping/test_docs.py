"""The lines that the guide shows for models in memory, on small models of the real classes."""

import re
import warnings

import numpy as np
import pytest

import detectors
import vps
from tests.helpers.contract import picture
from tests.helpers.paths import ROOT
from tests.models import zoo

GUIDE = (ROOT / "detectors" / "README.md").read_text(encoding="utf-8")
PART = GUIDE.split("## Models in memory")[1].split("\n## ")[0]
BLOCKS = re.findall(r"```python\n(.*?)```", PART, re.DOTALL)
IMAGE = picture((48, 64))


def saved(name, folder):
    case = next(case for case in zoo.all_cases() if case.name == name)
    if case.missing:
        pytest.skip(f"needs {', '.join(case.missing)}")
    case.save(folder)
    return case.load(folder, "cpu")


def of_transformers(folder):
    saved("hf-closed-set Detr", folder)
    import transformers

    model = transformers.AutoModelForObjectDetection.from_pretrained(folder)
    processor = transformers.AutoImageProcessor.from_pretrained(folder)
    pipe = transformers.pipeline("object-detection", model=model, image_processor=processor)
    return {"model": model, "processor": processor, "pipe": pipe}


def of_mmdet(folder):
    pytest.importorskip("mmdet")
    saved("mmdet retinanet", folder)
    from mmdet.apis import init_detector

    (config,), (weights,) = folder.glob("*.py"), folder.glob("*.pth")
    return {"model": init_detector(str(config), str(weights), device="cpu")}


def of_groundingdino(folder):
    saved("groundingdino", folder)
    from tests.models.tiny_groundingdino import own_model

    return {"model": own_model(folder)}


def of_ultralytics(folder):
    pytest.importorskip("ultralytics")
    from tests.models.tiny_ultralytics import SIDE, build

    yolo = build(folder)
    yolo.overrides["imgsz"] = SIDE
    return {"yolo": yolo}


def found(image):
    return np.array([[8.0, 8, 40, 40]]), np.array([image.mean() / 255]), np.array([1])


def of_supervision(_):
    sv = pytest.importorskip("supervision")

    def callback(image):
        boxes, scores, classes = found(image)
        return sv.Detections(xyxy=boxes, confidence=scores, class_id=classes)

    return {"callback": callback}


GIVEN = {
    "transformers: a model": of_transformers,
    "transformers: a pipeline": of_transformers,
    "torchvision": lambda folder: {"model": saved("torchvision ssd", folder).model},
    "mmdet": of_mmdet,
    "groundingdino-py": of_groundingdino,
    "Ultralytics": of_ultralytics,
    "a supervision callback": of_supervision,
    "any function": lambda _: {"function": found},
}


def test_all_that_the_guide_shows_is_run():
    assert len(BLOCKS) == len(GIVEN)
    for start, block in zip(GIVEN, BLOCKS, strict=True):
        assert block.startswith(f"# {start}")
        assert len(block.strip().splitlines()) <= 4  # a comment, and at most three lines


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(number, id=start, marks=[pytest.mark.mmdet] if start == "mmdet" else [])
        for number, start in enumerate(GIVEN)
    ],
)
def test_the_lines_of_the_guide(number, tmp_path, monkeypatch):
    def detect(detector, image, threshold=0.05):
        return vps.detect(detector, image, threshold)

    def explain(*given):
        return vps.explain(*given, regions=2, region_method="grid", search="greedy")

    names = {"wrap": detectors.wrap, "detect": detect, "explain": explain, "image": IMAGE}
    names |= list(GIVEN.values())[number](tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(BLOCKS[number], names)  # noqa: S102
    assert names["explanation"].heatmap.shape == IMAGE.shape[:2]

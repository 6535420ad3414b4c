"""The configs that ship, read beside tiny data sets that lie where they say."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image
from torchvision.models.detection import FasterRCNN_ResNet50_FPN_V2_Weights as Weights

from tests.helpers.paths import ROOT
from vps.data.cases.asking import Vocabulary
from vps.study.config import read_config
from vps.study.inputs import asked_labels, open_data

COCO = [
    name for name in Weights.DEFAULT.meta["categories"] if name not in ("N/A", "__background__")
]

VOC = [
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
    *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa"),
    *("train", "tvmonitor"),
]


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def photo(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (200, 100)).save(path)


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """Opens the data set of a config; the labels of its detector, unless it is asked for others."""
    monkeypatch.chdir(tmp_path)

    def open_it(name: str, labels: Sequence[str] = ()):
        config = read_config(ROOT / "configs" / f"{name}.yaml")
        ((key, settings),) = config.datasets.items()
        data = open_data(config, key)
        ours = tuple(labels) or asked_labels(config, data)
        return data, Vocabulary.between(ours, data.labels, settings.rename)

    return open_it


def test_yolo(opened):
    put(Path("data/mine/data.yaml"), "train: images/train\nval: images/val\nnames: [cat, dog]\n")
    photo(Path("data/mine/images/val/a.jpg"))
    put(Path("data/mine/labels/val/a.txt"), "1 .5 .5 .2 .4\n")
    data, words = opened("yolo_grounding_dino")
    (sample,) = data
    assert sample.boxes[0].tolist() == pytest.approx([80, 30, 120, 70])
    assert sample.labels == ("dog",)
    assert words.to_dataset == {"cat": "cat", "dog": "dog"}


def test_voc(opened):
    folder = Path("data/VOCdevkit/VOC2012")
    box = "<xmin>11</xmin><ymin>21</ymin><xmax>50</xmax><ymax>60</ymax>"
    things = "".join(f"<object><name>{n}</name><bndbox>{box}</bndbox></object>" for n in VOC)
    size = "<size><width>200</width><height>100</height></size>"
    for stem in ("2008_000001", "2008_000002"):
        text = f"<annotation><filename>{stem}.jpg</filename>{size}{things}</annotation>"
        put(folder / "Annotations" / f"{stem}.xml", text)
        photo(folder / "JPEGImages" / f"{stem}.jpg")
    put(folder / "ImageSets/Main/val.txt", "2008_000002\n")
    data, words = opened("voc_torchvision", COCO)
    assert data.image_ids == ("2008_000002",)
    assert data[0].boxes[0].tolist() == [10, 20, 50, 60]
    # All twenty classes are among those of COCO, some under other names.
    assert set(words.to_detector) == set(VOC)
    assert words.to_detector["sofa"] == "couch"


def test_open_images(opened):
    folder = Path("data/open_images")
    columns = "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsGroupOf"
    rows = "a,x,/m/1,1,.1,.5,.2,.6,0\nelsewhere,x,/m/1,1,0,1,0,1,0\n"
    put(folder / "validation-annotations-bbox.csv", f"{columns}\n{rows}")
    classes = "LabelName,DisplayName\n/m/1,Person\n/m/2,Car\n/m/3,Sofa bed\n"
    put(folder / "oidv7-class-descriptions-boxable.csv", classes)
    verified = "ImageID,Source,LabelName,Confidence\na,v,/m/2,0\n"
    put(folder / "validation-annotations-human-imagelabels-boxable.csv", verified)
    photo(folder / "validation/a.jpg")
    data, words = opened("open_images_grounding_dino")
    (sample,) = data
    assert sample.boxes[0].tolist() == pytest.approx([20, 20, 100, 60])
    assert sample.verified == {"Person", "Car"}
    assert words.to_detector == {"Person": "person", "Car": "car"}

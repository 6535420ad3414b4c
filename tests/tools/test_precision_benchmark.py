import json

import pytest
import torch
from PIL import Image

pytest.importorskip("pycocotools")

from tests.helpers.benchmarks import arguments
from tools.benchmarks import precision
from vps.core.candidates import Candidates
from vps.errors import InputError

BOXES = [[8.0, 8.0, 40.0, 40.0], [8.0, 8.0, 40.0, 38.0], [44.0, 4.0, 60.0, 20.0]]


class Fixed:
    """Finds the same in each image: a dog, the dog again, and a cat where there is none."""

    name, labels, device = "fixed", ("dog", "cat"), torch.device("cpu")

    def prepare(self, image):
        return torch.from_numpy(image.copy()).permute(2, 0, 1).float() / 255

    def detect(self, pixels, size):
        scores = torch.tensor([[0.9, 0.0], [0.8, 0.0], [0.0, 0.7]])
        return Candidates(torch.tensor([BOXES]), scores[None], self.labels)


@pytest.fixture
def data(tmp_path):
    """One image with a dog and another dog that is not found."""
    (tmp_path / "val2017").mkdir()
    (tmp_path / "annotations").mkdir()
    Image.new("RGB", (64, 48)).save(tmp_path / "val2017" / "1.png")
    boxes = [[8, 8, 32, 32], [2, 2, 4, 4]]
    content = {
        "images": [{"id": 1, "file_name": "1.png", "width": 64, "height": 48}],
        "categories": [{"id": 18, "name": "dog"}, {"id": 17, "name": "cat"}],
        "annotations": [
            {"id": n, "image_id": 1, "category_id": 18, "bbox": box, "area": 99, "iscrowd": 0}
            for n, box in enumerate(boxes, 1)
        ],
    }
    (tmp_path / "annotations" / "instances_val2017.json").write_text(json.dumps(content))
    return tmp_path


def test_average_precision(data, monkeypatch, capsys):
    # One of two dogs is found first: precision 1 up to recall 0.5, at 51 of the 101 points.
    assert precision.average_precision(Fixed(), data, nms_iou=0.5) == pytest.approx([51 / 101] * 2)
    monkeypatch.setattr(precision, "load", lambda name: Fixed())
    given = arguments(precision, "--detector", "fixed", "--data", str(data))
    precision.run(given)
    assert capsys.readouterr().out == "fixed: AP 0.505, AP50 0.505\n"


def test_data_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="there is no .*instances_val2017.json"):
        precision.average_precision(Fixed(), tmp_path)

import warnings

import numpy as np
import pytest
import torch
from PIL import Image

from detectors.function import FunctionDetector
from vps.core import images, needed
from vps.core.detect import detect
from vps.core.images import open_image
from vps.core.needed import needed_by, open_for


class OnItsGrid(FunctionDetector):
    """Finds the bright part of an image, which it sees 40 pixels wide."""

    def prepare(self, image):
        height, width = image.shape[:2]
        grid = torch.nn.functional.interpolate(
            torch.from_numpy(image.copy()).permute(2, 0, 1)[None].float(),
            (max(round(40 * height / width), 1), 40),
            mode="area",
        )
        return grid[0] / 255


def find(pixels):
    boxes = np.zeros((len(pixels), 1, 4))
    for row, plane in enumerate(np.asarray(pixels).mean(1)):
        y, x = np.nonzero(plane > 0.5)
        boxes[row, 0] = x.min(), y.min(), x.max() + 1, y.max() + 1
    return boxes, np.full((len(pixels), 1, 1), 0.9)


@pytest.fixture
def large(tmp_path, monkeypatch):
    """A photo of 1200 x 600 pixels, large here, which is stored turned by a quarter."""
    monkeypatch.setattr(images, "LARGE", 100_000)
    monkeypatch.setattr(needed, "_PROBES", (160, 240))
    pixels = np.zeros((600, 1200, 3), np.uint8)
    pixels[120:240, 600:900] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = Image.fromarray(pixels).transpose(Image.Transpose.ROTATE_90)
    stored.save(tmp_path / "large.jpg", exif=exif, quality=90)
    return tmp_path / "large.jpg"


def test_a_large_image_is_read_at_the_resolution_that_the_detector_needs(large):
    detector = OnItsGrid(find, ["lamp"])
    opened = open_for(detector, large)
    assert (opened.size, opened.orientation) == ((600, 1200), 6)
    assert 120 <= opened.pixels.shape[1] <= 240
    (found,) = detect(detector, large)
    assert np.allclose(found.box, (600, 120, 900, 240), atol=1200 / 40)


def test_a_detector_that_sees_the_image_as_it_is_gets_all_of_it(large):
    assert needed_by(FunctionDetector(find, ["lamp"]), (600, 1200)) is None
    assert open_for(FunctionDetector(find, ["lamp"]), large).pixels.shape == (600, 1200, 3)


def test_images_of_the_usual_size_are_read_whole(large, monkeypatch):
    monkeypatch.setattr(images, "LARGE", 720_000)
    assert open_for(OnItsGrid(find, ["lamp"]), large).pixels.shape == (600, 1200, 3)


def test_how_deep_greys_were_read_is_told_once(tmp_path):
    Image.fromarray(np.full((8, 8), 30000, np.uint16)).save(tmp_path / "deep.png")
    detector = FunctionDetector(find, ["lamp"])
    with pytest.warns(UserWarning, match="deep.png: its grey values, 30000 to 30000"):
        opened = open_for(detector, tmp_path / "deep.png")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert open_for(detector, opened) is opened
        assert open_image(opened) is opened

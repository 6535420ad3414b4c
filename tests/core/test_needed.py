import warnings

import numpy as np
import pytest
from PIL import Image

from detectors.function import FunctionDetector
from tests.helpers.large import LAMP, OnItsGrid, find_lamp, large_photo
from vps.core import images
from vps.core.detect import detect
from vps.core.images import open_image
from vps.core.needed import needed_by, open_for


@pytest.fixture
def large(tmp_path, monkeypatch):
    return large_photo(tmp_path, monkeypatch)


def test_a_large_image_is_read_at_the_resolution_that_the_detector_needs(large):
    detector = OnItsGrid()
    opened = open_for(detector, large)
    assert (opened.size, opened.orientation) == ((600, 1200), 6)
    assert 120 <= opened.pixels.shape[1] <= 240
    (found,) = detect(detector, large)
    assert np.allclose(found.box, LAMP, atol=1200 / 40)


def test_a_detector_that_sees_the_image_as_it_is_gets_all_of_it(large):
    assert needed_by(FunctionDetector(find_lamp, ["lamp"]), (600, 1200)) is None
    assert open_for(FunctionDetector(find_lamp, ["lamp"]), large).pixels.shape == (600, 1200, 3)


def test_images_of_the_usual_size_are_read_whole(large, monkeypatch):
    monkeypatch.setattr(images, "LARGE", 720_000)
    assert open_for(OnItsGrid(), large).pixels.shape == (600, 1200, 3)


def test_how_deep_greys_were_read_is_told_once(tmp_path):
    Image.fromarray(np.full((8, 8), 30000, np.uint16)).save(tmp_path / "deep.png")
    detector = FunctionDetector(find_lamp, ["lamp"])
    with pytest.warns(UserWarning, match="deep.png: its grey values, 30000 to 30000"):
        opened = open_for(detector, tmp_path / "deep.png")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert open_for(detector, opened) is opened
        assert open_image(opened) is opened

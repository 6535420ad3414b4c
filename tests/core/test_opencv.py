import sys
from types import SimpleNamespace

import numpy as np
import pytest

from tests.helpers.region_methods import blobs, needs_ximgproc
from vps.core.regions import check_region_method, make_regions
from vps.errors import MissingExtraError


class StandIn:
    """OpenCV's superpixels, which note what is asked of them and cut quarters."""

    SLICO = 101

    def __init__(self):
        self.asked = []

    def createSuperpixelSLIC(self, image, **settings):  # noqa: N802
        self.image, self.settings = image, settings
        return self

    def iterate(self, times):
        self.asked.append(times)

    def getLabels(self):  # noqa: N802
        labels = np.full(self.image.shape[:2], 7, np.int32)
        labels[:2, :2] = labels[-2:, -2:] = 3
        return labels


@pytest.fixture
def opencv(monkeypatch):
    stand_in = StandIn()
    monkeypatch.setitem(sys.modules, "cv2", SimpleNamespace(ximgproc=stand_in))
    return stand_in


def test_opencv_is_asked_as_the_authors_of_vps_ask_it(opencv):
    pixels = blobs(60, 80)
    pixels[:, 0, 0] = 1.0, 0.5, 0.0
    regions = make_regions(pixels, 12, "opencv-slico")
    assert opencv.image.dtype == np.uint8
    assert opencv.image.flags.c_contiguous
    assert opencv.image[0, 0].tolist() == [0, 128, 255]  # blue, green, red
    bgr = opencv.image[..., ::-1].transpose(2, 0, 1) / 255
    assert np.abs(bgr - pixels).max() <= 0.5 / 255 + 1e-6
    side = int((60 * 80 / 12) ** 0.5)
    assert opencv.settings == {"algorithm": 101, "region_size": side, "ruler": 20.0}
    assert opencv.asked == [20]
    # Two pieces of one number are one region, and numbers that do not occur are none.
    assert regions.count == 2
    assert regions.label_map[0, 0] == regions.label_map[-1, -1] == 0
    assert regions.label_map[30, 40] == 1
    assert regions.method == "opencv-slico"


@pytest.mark.parametrize(
    ("shape", "count", "side"), [((4, 100), 1, 7), ((4, 100), 9, 6), ((1, 9), 1, 1)]
)
def test_opencv_is_not_asked_for_what_crashes_it(opencv, shape, count, side):
    make_regions(blobs(*shape), count, "opencv-slico")
    assert opencv.settings["region_size"] == side


def test_without_opencv_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'visual-precision-search\[opencv\]'"):
        check_region_method("opencv-slico")
    check_region_method("slico")


def test_opencv_without_its_contributed_modules_is_told_from_none(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", SimpleNamespace(__version__="4.9.0"))
    message = (
        r"OpenCV 4\.9\.0 is installed without ximgproc.*overwrite each other.*pip uninstall -y "
        r"opencv-python opencv-python-headless .*pip install 'visual-precision-search\[opencv\]'"
    )
    with pytest.raises(MissingExtraError, match=message):
        make_regions(blobs(), 12, "opencv-slico")


@needs_ximgproc
@pytest.mark.parametrize(
    ("shape", "count"), [((40, 300), 1), ((3, 200), 4), ((2, 90), 1), ((480, 640), 1), ((9, 9), 81)]
)
def test_no_shape_crashes_opencv(shape, count):
    assert make_regions(blobs(*shape), count, "opencv-slico").count <= 2 * max(count, 100)

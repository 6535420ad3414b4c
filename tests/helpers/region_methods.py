"""An image to cut, and the ways to cut one that can be tried here."""

import numpy as np
import pytest
from scipy import ndimage

from vps.core.opencv import contrib_opencv
from vps.core.regions import REGION_METHODS
from vps.errors import MissingExtraError


def _has_ximgproc():
    try:
        return bool(contrib_opencv())
    except MissingExtraError:
        return False


needs_ximgproc = pytest.mark.skipif(not _has_ximgproc(), reason="needs OpenCV's ximgproc")

EVERY_METHOD = [
    pytest.param(name, marks=needs_ximgproc if name == "opencv-slico" else ())
    for name in REGION_METHODS
]


def blobs(height: int = 60, width: int = 80) -> np.ndarray:
    """(3, h, w) smooth noise, which has something to segment."""
    noise = np.random.default_rng(0).random((3, height, width))
    smooth = ndimage.gaussian_filter(noise, (0, 4, 4))
    return ((smooth - smooth.min()) / np.ptp(smooth)).astype(np.float32)

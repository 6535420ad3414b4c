"""The ways to cut an image that can be tried here."""

import pytest

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

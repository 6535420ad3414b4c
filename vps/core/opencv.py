"""SLICO superpixels as OpenCV cuts them, which Visual Precision Search was published with."""

from __future__ import annotations

import math
from types import ModuleType

import numpy as np

from vps.core.extras import install_command, require
from vps.errors import MissingExtraError

RULER = 20.0
ITERATIONS = 20
"""The settings of Chen et al. (CVPR 2025)."""

_WHEELS = (
    "opencv-python opencv-python-headless opencv-contrib-python opencv-contrib-python-headless"
)


def contrib_opencv() -> ModuleType:
    """OpenCV with its module `ximgproc`.

    Raises:
        MissingExtraError: OpenCV is not installed, or only a build without contributed modules.
    """
    cv2 = require("cv2", extra="opencv")
    if hasattr(cv2, "ximgproc"):
        return cv2
    # pip knows these four as different packages, which write the same files.
    raise MissingExtraError(
        f"OpenCV {cv2.__version__} is installed without ximgproc, which cuts these superpixels: "
        "opencv-python and opencv-contrib-python overwrite each other, and the one installed last "
        f"is there. The latter has all that the former has: pip uninstall -y {_WHEELS}, then "
        f"{install_command('opencv')}"
    )


def opencv_slico(image: np.ndarray, count: int) -> np.ndarray:
    """SLICO (Zero parameter SLIC) of OpenCV, about `count` superpixels of even size.

    As its authors call it: of uint8 BGR pixels, with superpixels of int(sqrt(h w / count)) pixels a
    side. A superpixel may consist of several pieces, of which some are a pixel or two.

    Args:
        image: (h, w, 3) RGB in [0, 1].
        count: how many to aim for.

    Returns:
        (h, w) int32, the number of each pixel's superpixel; not all numbers need occur.

    Raises:
        MissingExtraError: as for `contrib_opencv`.
    """
    cv2 = contrib_opencv()
    height, width = image.shape[:2]
    # OpenCV crashes where a superpixel would be twice as large as the image, or more.
    side = min(int(math.sqrt(height * width / count)), 2 * min(height, width) - 1)
    bgr = np.ascontiguousarray((image[..., ::-1] * 255).round().clip(0, 255).astype(np.uint8))
    superpixels = cv2.ximgproc.createSuperpixelSLIC(
        bgr, algorithm=cv2.ximgproc.SLICO, region_size=side, ruler=RULER
    )
    superpixels.iterate(ITERATIONS)
    labels: np.ndarray = superpixels.getLabels()
    return labels

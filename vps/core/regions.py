"""An image cut into regions: one label map, never a stack of masks."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from numbers import Integral

import numpy as np
from torch import Tensor

from vps.core.names import choose
from vps.core.opencv import contrib_opencv, opencv_slico
from vps.core.targets import Box
from vps.errors import InputError, quoted

MOST_REGIONS = 100_000
"""A table of their subsets has a row for each, and as many columns."""

NUMBERINGS = ("scan", "distance")
"""How regions are numbered: as they were cut, row by row; or by `numbered_by_distance`."""
PIXEL_STEPS = "pixel-steps"
"""The method of regions that are no regions but steps of a map's pixels
(`vps.engine.pixel_steps`)."""


@dataclass(frozen=True, eq=False)
class Regions:
    """A partition of the detector's grid.

    Attributes:
        label_map: (h, w) int32, the region of each pixel; each of 0..m-1 occurs.
        method: how it was made.
        numbering: one of `NUMBERINGS`.

    Raises:
        InputError: another shape or type, or a number that is missing.
    """

    label_map: np.ndarray
    method: str
    numbering: str = "scan"

    def __post_init__(self) -> None:
        try:
            labels = np.asarray(self.label_map)
        except ValueError:  # Rows of several lengths.
            labels = np.empty(0)
        if labels.ndim != 2 or labels.size == 0 or labels.dtype.kind not in "iu":
            raise InputError(
                f"a label map must be (h, w) integers, got {labels.dtype} {labels.shape}"
            )
        # The bound on the maximum keeps bincount from growing with one stray large number, and
        # numbers of more bits from wrapping.
        inside = labels.min() >= 0 and labels.max() < labels.size
        labels = np.array(labels, np.int32)
        if not inside or not np.bincount(labels.flat).all():
            raise InputError("a label map must use each of the numbers 0..m-1 at least once")
        labels.setflags(write=False)
        object.__setattr__(self, "label_map", labels)

    @cached_property
    def count(self) -> int:
        """The number of regions, m."""
        return int(self.label_map.max()) + 1

    @cached_property
    def areas(self) -> np.ndarray:
        """(m,) float64, the share of the grid's pixels that each region covers; they add to 1."""
        shares: np.ndarray = np.bincount(self.label_map.ravel()) / self.label_map.size
        shares.setflags(write=False)
        return shares


def make_regions(pixels: Tensor | np.ndarray, count: int, method: str = "slico") -> Regions:
    """Cut an image into about `count` regions; the same image gives the same regions.

    Args:
        pixels: (3, h, w) RGB in [0, 1] on the detector's grid, as `Detector.prepare` gives it.
        count: how many regions to aim for, 1..h*w; the image decides how many come out.
        method: "slico" (superpixels of even shape, the paper's choice), "slic" (superpixels that
            follow colour more closely), "grid" (rectangles), "felzenszwalb" (segments of very
            uneven size, with edges on a grid of at most 400 pixels a side) or "opencv-slico" (as
            in the paper's code, `vps.core.opencv.opencv_slico`).

    Returns:
        Regions on the same grid; superpixels and rectangles are connected, except OpenCV's.

    Raises:
        InputError: wrong shape of pixels, count out of range, unknown method.
        MissingExtraError: OpenCV is asked for and not installed, or without its `ximgproc`.
    """
    make = choose(REGION_METHODS, method, "region method")
    image = pixels.detach().cpu().numpy() if isinstance(pixels, Tensor) else np.asarray(pixels)
    if image.ndim != 3 or image.shape[0] != 3 or image.size == 0 or image.dtype.kind not in "fiu":
        raise InputError(f"pixels must be numbers (3, h, w), got {image.dtype} {image.shape}")
    if not np.isfinite(image).all():
        raise InputError("pixels must be finite, got NaN or infinity")
    area = image.shape[1] * image.shape[2]
    if not isinstance(count, Integral) or not 1 <= count <= area:
        raise InputError(
            f"the number of regions must lie in 1..{area}, the number of pixels; got "
            f"{quoted(count)}"
        )
    image = np.ascontiguousarray(image.transpose(1, 2, 0), dtype=np.float32)
    return Regions(_contiguous(make(image, int(count))), method)


def check_region_method(method: str) -> None:
    """Raise InputError for an unknown method, MissingExtraError for one that lacks a library."""
    choose(REGION_METHODS, method, "region method")
    if method == "opencv-slico":
        contrib_opencv()


def numbered_by_distance(regions: Regions, box: Box, size: tuple[int, int]) -> Regions:
    """The same regions, numbered by how far their centre is from that of a box.

    Of regions that are worth the same, a search takes the lower number, so now the nearer one.
    A centre is the mean of all pixels of a region.

    Args:
        regions: on a grid (h, w).
        box: xyxy, pixels of the original image.
        size: (H, W) of the original image, in whose pixels distances are measured.

    >>> regions = Regions(np.array([[0, 1, 2, 3]]), "grid")
    >>> numbered_by_distance(regions, (2.0, 0.0, 3.0, 1.0), (1, 4)).label_map
    array([[3, 1, 0, 2]], dtype=int32)
    """
    labels = regions.label_map.ravel()
    rows, columns = np.indices(regions.label_map.shape)
    centre = []
    for places, grid, length in zip((rows, columns), regions.label_map.shape, size, strict=True):
        sums = np.bincount(labels, (places.ravel() + 0.5) * (length / grid))
        centre.append(sums / np.bincount(labels))
    x1, y1, x2, y2 = box
    distance = np.hypot(centre[0] - (y1 + y2) / 2, centre[1] - (x1 + x2) / 2)
    # Distances that are equal but for rounding keep their order.
    rank = np.argsort(np.argsort(distance.round(6), kind="stable"))
    return dataclasses.replace(regions, label_map=rank[regions.label_map], numbering="distance")


def regions_from_masks(masks: np.ndarray) -> Regions:
    """Regions from masks that the caller has, for instance of a segmentation model.

    Where masks overlap the earlier one wins. Pixels that no mask covers become one last region.

    Args:
        masks: (k, h, w) bool on the detector's grid.

    Raises:
        InputError: another shape or type, or a mask that is left without a pixel of its own.
    """
    try:
        masks = np.asarray(masks)
    except ValueError:  # Of several sizes.
        masks = np.empty(0)
    if masks.ndim != 3 or masks.dtype != np.bool_ or masks.size == 0:
        raise InputError(f"masks must be (k, h, w) bool, got {masks.dtype} {masks.shape}")
    labels = np.full(masks.shape[1:], len(masks), np.int32)
    for index in reversed(range(len(masks))):
        labels[masks[index]] = index
    left = np.bincount(labels.ravel(), minlength=len(masks))
    if (left == 0)[: len(masks)].any():
        raise InputError(
            f"mask {int(np.argmin(left))} is empty or wholly covered by earlier masks; "
            "put small masks first or leave it out"
        )
    return Regions(labels, "masks")


def _slico(image: np.ndarray, count: int) -> np.ndarray:
    return _superpixels(image, count, slic_zero=True)


def _slic(image: np.ndarray, count: int) -> np.ndarray:
    # Where colour outweighs distance, superpixels fall apart and their shreds are merged away.
    for compactness in (10, 30, 100):
        labels = _superpixels(image, count, compactness=compactness)
        if labels.max() + 1 >= 0.75 * count:
            break
    return labels


def _superpixels(image: np.ndarray, count: int, **settings: float) -> np.ndarray:
    from skimage.segmentation import slic

    labels: np.ndarray = slic(image, count, enforce_connectivity=True, start_label=0, **settings)
    return labels


def _grid(image: np.ndarray, count: int) -> np.ndarray:
    height, width = image.shape[:2]
    rows = min(max(round(math.sqrt(count * height / width)), 1), height, count)
    columns = min(max(round(count / rows), 1), width)
    row, column = np.arange(height) * rows // height, np.arange(width) * columns // width
    labels: np.ndarray = row[:, None] * columns + column
    return labels


def _felzenszwalb(image: np.ndarray, count: int) -> np.ndarray:
    from skimage.segmentation import felzenszwalb

    # Some ten attempts at full resolution would take longer than many a search.
    step = math.ceil(max(image.shape[:2]) / 400)
    coarse = image[::step, ::step]
    # Specks would use up the count, so a segment has at least an eighth of the mean area.
    smallest = max(coarse.shape[0] * coarse.shape[1] // (8 * count), 1)
    low, high = 1.0, 1e4
    best: np.ndarray | None = None
    miss = math.inf
    for _ in range(10):
        scale = math.sqrt(low * high)
        labels = felzenszwalb(coarse, scale=scale, sigma=0.8, min_size=smallest)
        found = int(labels.max()) + 1
        if abs(found - count) < miss:
            best, miss = labels, abs(found - count)
        if miss <= 0.15 * count:
            break
        # A larger scale merges more.
        low, high = (scale, high) if found > count else (low, scale)
    assert best is not None
    return best.repeat(step, axis=0).repeat(step, axis=1)[: image.shape[0], : image.shape[1]]


REGION_METHODS: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
    "slico": _slico,
    "slic": _slic,
    "grid": _grid,
    "felzenszwalb": _felzenszwalb,
    "opencv-slico": opencv_slico,
}
"""How to cut an image, by name: (h, w, 3) float32 and a count -> (h, w) integers."""


def _contiguous(labels: np.ndarray) -> np.ndarray:
    inverse: np.ndarray = np.unique(labels, return_inverse=True)[1]
    return inverse.reshape(labels.shape)

"""Regions from a file: a label map that another program has made, one number a pixel."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path, PurePath

import numpy as np

from vps.core.files import check_file, shown_path
from vps.core.images import read_numbers
from vps.core.numbers import check_whole
from vps.core.regions import MOST_REGIONS, Regions
from vps.engine.attribution import resized
from vps.errors import InputError, one_line

_SUFFIXES = (".npy", ".png")


def check_label_maps(path: str | PathLike[str]) -> None:
    """Raise InputError unless a path is that of a label map, or of a folder."""
    path = Path(path)
    if path.is_dir():
        return
    if path.suffix.lower() not in _SUFFIXES:
        raise InputError(
            f"label map {shown_path(path)} is neither a .npy nor a .png file, nor a folder of them "
            "(and a number of regions is a whole number)"
        )
    check_file(path, "label map")


def label_map_of(path: str | PathLike[str], image_name: str | None) -> Path:
    """The file of an image: the path itself, or that of the image's name in a folder.

    An image "val/7.jpg" has "val/7.npy" or "val/7.png" there.

    Raises:
        InputError: there is none, or there are two.
    """
    path = Path(path)
    if not path.is_dir():
        return path
    if image_name is None:
        raise InputError(f"an image without a name has no label map in {shown_path(path)}")
    name = PurePath(image_name)
    if name.is_absolute() or ".." in name.parts:
        raise InputError(f"image {image_name!r} has no label map: its name leaves the folder")
    choices = [path / name.with_suffix(suffix) for suffix in _SUFFIXES]
    found = [choice for choice in choices if choice.is_file()]
    if len(found) != 1:
        what = "both there" if found else "not there"
        listed = " and ".join(shown_path(choice) for choice in choices)
        raise InputError(f"image {image_name} needs one label map: {listed} are {what}")
    return found[0]


def read_label_map(
    path: str | PathLike[str], grid: tuple[int, int], size: tuple[int, int]
) -> Regions:
    """Regions as a file has them: each whole number in it is a region, numbered in ascending order.

    Args:
        path: a .npy array (h, w) of whole numbers, or a .png of one channel, of 8 or 16 bits or
            with a palette.
        grid: (h, w) that the detector sees.
        size: (H, W) of the image. A label map of that size is looked up at the nearest pixel;
            a region that no pixel of the grid shows is left out.

    Raises:
        InputError: no such file, or one of another size, of other values or too many.
    """
    path = Path(path)
    check_label_maps(path)
    what = f"label map {shown_path(path)}"

    def check(shape: tuple[int, ...]) -> None:
        if shape not in (grid, size):
            wanted = " or ".join(f"{height} x {width}" for height, width in sorted({grid, size}))
            raise InputError(
                f"{what} must have a number for each pixel of the image or of the detector's grid, "
                f"{wanted} (height x width); it is of shape {tuple(shape)}"
            )

    if path.suffix.lower() == ".npy":
        labels = _read_array(path, what, check)
    else:
        labels = read_numbers(path, what, check)
    if labels.min() < 0:
        raise InputError(f"{what} has negative numbers; regions are numbered from 0 up")
    if labels.shape != grid:
        labels = resized(labels, grid)
    values, numbers = np.unique(labels, return_inverse=True)
    check_whole(f"{what}: the number of its regions", len(values), 1, MOST_REGIONS)
    return Regions(numbers.reshape(labels.shape), f"file:{path.name}")


def _read_array(path: Path, what: str, check: Callable[[tuple[int, ...]], None]) -> np.ndarray:
    try:
        # Its head is checked before a number is read.
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # A damaged head may raise anything.
        raise InputError(f"{what} cannot be read: {one_line(error, 200)}") from None
    if array.dtype.kind not in "iu":
        raise InputError(f"{what} must hold whole numbers, got {array.dtype}")
    check(array.shape)
    return np.array(array)

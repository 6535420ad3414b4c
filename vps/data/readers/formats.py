"""Formats of data sets by name."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any

from vps.core.names import choose
from vps.data.dataset import Dataset
from vps.data.readers.files import existing_file
from vps.data.turning import BY_SIZES, Turning

FORMATS: dict[str, str] = {
    "coco": "vps.data.readers.coco:read_coco",
    "lvis": "vps.data.readers.lvis:read_lvis",
    "open-images": "vps.data.readers.open_images:read_open_images",
    "refcoco": "vps.data.readers.refcoco:read_refcoco",
    "refcoco-mdetr": "vps.data.readers.mdetr:read_mdetr",
    "refcoco-tsv": "vps.data.readers.tsv:read_tsv",
    "voc": "vps.data.readers.voc:read_voc",
    "yolo": "vps.data.readers.yolo:read_yolo",
}
"""Reader of each format: takes the annotation file, the image folder, a name and options."""

FILES: dict[str, str] = {
    "open-images": "vps.data.readers.open_images:open_images_files",
    "voc": "vps.data.readers.voc:voc_files",
    "yolo": "vps.data.readers.yolo:yolo_files",
}
"""Of formats with more annotation files than one: what names them all, from the same arguments."""

READING = ("exif", "max_pixels")
"""Options that every format has: how images are read."""


def open_dataset(
    format: str,
    annotations: str | PathLike[str],
    images: str | PathLike[str] | None = None,
    *,
    name: str = "",
    exif: str = BY_SIZES,
    max_pixels: int | None = None,
    **options: Any,
) -> Dataset:
    """Open a data set; its images are read when they are asked for.

    Args:
        format: a key of `FORMATS`.
        annotations: the annotation file, or the folder of "voc" or "yolo".
        images: the folder of the images; formats that hold them need none.
        name: of the data set; by default, the format's.
        exif, max_pixels: how the images are read, see `vps.data.turning.Turning`.
        options: of the format's reader, e.g. `split` of "refcoco".

    Raises:
        InputError: unknown format or option, or what the reader raises.
        MissingExtraError: a library that the format needs is not installed.
    """
    known = options_of(format)
    for option in options:
        choose(known, option, f"option of {format}")
    turning = Turning(exif, max_pixels)
    dataset = _reader(format)(annotations, images, name=name or format, **options)
    dataset.turning = turning
    return dataset


def options_of(format: str) -> dict[str, None]:
    """The names of a format's options; InputError where there is no such format."""
    parameters = inspect.signature(_reader(format)).parameters
    own = [key for key in parameters if key not in ("annotations", "images", "name")]
    return dict.fromkeys([*own, *READING])


def annotation_files(
    format: str,
    annotations: str | PathLike[str],
    images: str | PathLike[str] | None = None,
    **options: Any,
) -> list[Path]:
    """The files that a data set's annotations are read from; as for `open_dataset`."""
    if format not in FILES:
        return [existing_file(annotations)]
    own = {key: value for key, value in options.items() if key not in READING}
    found: list[Path] = _imported(FILES[format])(annotations, images, **own)
    return found


def _reader(format: str) -> Callable[..., Dataset]:
    return _imported(choose(FORMATS, format, "format"))


def _imported(place: str) -> Callable[..., Any]:
    module, function = place.split(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return found

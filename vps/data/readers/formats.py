"""Formats of data sets by name."""

from __future__ import annotations

import importlib
import inspect
from os import PathLike
from typing import Any

from vps.core.names import choose
from vps.data.dataset import Dataset
from vps.data.turning import BY_SIZES, Turning

FORMATS: dict[str, str] = {
    "coco": "vps.data.readers.coco:read_coco",
    "lvis": "vps.data.readers.lvis:read_lvis",
    "refcoco": "vps.data.readers.refcoco:read_refcoco",
    "refcoco-mdetr": "vps.data.readers.mdetr:read_mdetr",
    "refcoco-tsv": "vps.data.readers.tsv:read_tsv",
}
"""Reader of each format: takes the annotation file, the image folder, a name and options."""


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
        annotations: the annotation file.
        images: the folder of the images; formats that hold them need none.
        name: of the data set; by default, the format's.
        exif, max_pixels: how the images are read, see `vps.data.turning.Turning`.
        options: of the format's reader, e.g. `split` of "refcoco".

    Raises:
        InputError: unknown format or option, or what the reader raises.
        MissingExtraError: a library that the format needs is not installed.
    """
    module, function = choose(FORMATS, format, "format").split(":")
    reader = getattr(importlib.import_module(module), function)
    parameters = inspect.signature(reader).parameters
    known = {key: None for key in parameters if key not in ("annotations", "images", "name")}
    for option in options:
        choose({**known, "exif": None, "max_pixels": None}, option, f"option of {format}")
    turning = Turning(exif, max_pixels)
    dataset: Dataset = reader(annotations, images, name=name or format, **options)
    dataset.turning = turning
    return dataset

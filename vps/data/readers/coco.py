"""Detection data sets in COCO's format, as its authors and as other tools write it."""

from __future__ import annotations

from os import PathLike

from vps.core.extras import require
from vps.data.dataset import Dataset
from vps.data.left_out import LeftOut
from vps.data.readers.categories import read_categories, used_categories
from vps.data.readers.coco_records import collect, image_records, list_of
from vps.data.readers.files import (
    check_switch,
    checked_format,
    existing_file,
    existing_folder,
    read_json,
)


def read_coco(
    annotations: str | PathLike[str],
    images: str | PathLike[str] | None,
    *,
    strict: bool = False,
    outside: bool = False,
    name: str = "coco",
) -> Dataset:
    """Read a COCO annotation file.

    Crowds, and what is marked `ignore`, are kept as ignored. What cannot be used of the annotations
    of other tools is left out and told in `Dataset.left_out`: see `vps.data.readers.coco_records`
    and `vps.data.readers.categories`.

    Args:
        annotations: the JSON file, e.g. instances_val2017.json.
        images: the folder that its images lie in, e.g. val2017. A file that is not there by its
            name is looked for by what the name ends in, where only one image's does.
        strict: whether anything that would be left out is an error.
        outside: whether images may lie outside that folder, by their names or behind links.
        name: of the data set.

    Returns:
        Labels are the names of all categories, in the order of their ids; images without objects
        are among the samples.

    Raises:
        InputError: file or folder is missing, or the file is not in COCO's detection format, or
            nothing in it can be used.
        MissingExtraError: pycocotools is not installed.
    """
    path, folder = existing_file(annotations), existing_folder(images, outside)
    require("pycocotools.mask", extra="eval")
    left_out = LeftOut(path.name, strict=check_switch(strict, "strict"))
    with checked_format(path, "COCO's detection format"):
        content = read_json(path)
        used = used_categories(list_of(content, "annotations"))
        names = read_categories(content.get("categories"), used, left_out)
        records = image_records(list_of(content, "images"), left_out)
        entries = collect(content, records, folder, names, left_out)
        labels = tuple(dict.fromkeys(names.values()))
        return Dataset(name, entries, labels=labels, left_out=left_out)

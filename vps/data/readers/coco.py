"""Detection data sets in COCO's format."""

from __future__ import annotations

import contextlib
import io
import math
from collections import Counter
from collections.abc import Mapping
from os import PathLike
from typing import Any

from vps.core.extras import require
from vps.data.dataset import Annotation, Dataset, ImageEntry
from vps.data.image_files import ImageFile, ImageFolder
from vps.data.readers.files import checked_format, existing_file, existing_folder, image_names
from vps.data.readers.masks import pack_mask
from vps.data.sample import Id

EMPTY_BOX = "box without area"


def read_coco(
    annotations: str | PathLike[str],
    images: str | PathLike[str] | None,
    *,
    outside: bool = False,
    name: str = "coco",
) -> Dataset:
    """Read a COCO annotation file.

    Crowds, and what is marked `ignore`, are kept as ignored; boxes without area are left out and
    counted in `Dataset.skipped`.

    Args:
        annotations: the JSON file, e.g. instances_val2017.json.
        images: the folder that its images lie in, e.g. val2017.
        outside: whether images may lie outside that folder, by their names or behind links.
        name: of the data set.

    Returns:
        Labels are the names of all categories, in the order of their ids; images without objects
        are among the samples.

    Raises:
        InputError: file or folder is missing, or the file is not in COCO's detection format.
        MissingExtraError: pycocotools is not installed.
    """
    path, folder = existing_file(annotations), existing_folder(images, outside)
    coco = require("pycocotools.coco", extra="eval")
    with checked_format(path, "COCO's detection format"):
        # It reports its progress by print.
        with contextlib.redirect_stdout(io.StringIO()):
            content = coco.COCO(str(path)).dataset
        names = {entry["id"]: str(entry["name"]) for entry in content["categories"]}
        entries, skipped = collect(content, folder, names)
        labels = tuple(names[key] for key in sorted(names))
        return Dataset(name, entries, labels=labels, skipped=skipped)


def collect(
    content: Mapping[str, Any], folder: ImageFolder, names: Mapping[Id, str]
) -> tuple[list[ImageEntry], Counter[str]]:
    """The images of a file in COCO's format with their annotations, by id, and what was left out.

    Args:
        content: of the file.
        folder: where the images lie.
        names: label of each category id.

    Raises:
        KeyError, TypeError, ValueError: another format.
    """
    found: dict[Id, list[Annotation]] = {record["id"]: [] for record in content["images"]}
    skipped: Counter[str] = Counter()
    for entry in sorted(content["annotations"], key=lambda entry: entry["id"]):
        annotation = read_annotation(entry, names[entry["category_id"]])
        own = found[entry["image_id"]]
        if annotation is None:
            skipped[EMPTY_BOX] += 1
        else:
            own.append(annotation)
    entries = [make_entry(record, folder, found[record["id"]]) for record in content["images"]]
    return entries, skipped


def make_entry(
    record: Mapping[str, Any], folder: ImageFolder, found: list[Annotation]
) -> ImageEntry:
    """An image record of COCO with its annotations; errors as for `collect`."""
    size = (int(record["height"]), int(record["width"]))
    return ImageEntry(record["id"], ImageFile(folder, image_names(record)), tuple(found), size)


def read_annotation(entry: Mapping[str, Any], label: str) -> Annotation | None:
    """An annotation record of COCO; None for a box without area. Errors as for `collect`."""
    x, y, width, height = (float(value) for value in entry["bbox"])
    box = (x, y, x + width, y + height)
    if not (all(map(math.isfinite, box)) and width > 0 and height > 0):
        return None
    return Annotation(
        id=entry["id"],
        label=label,
        box=box,
        area=float(entry.get("area", width * height)),
        ignored=bool(entry.get("iscrowd") or entry.get("ignore")),
        segmentation=pack_mask(entry.get("segmentation")),
    )

"""LVIS (Gupta et al., CVPR 2019), v0.5 and v1."""

from __future__ import annotations

import dataclasses
from os import PathLike

from vps.core.extras import require
from vps.data.dataset import Dataset
from vps.data.left_out import LeftOut
from vps.data.readers.coco_records import collect
from vps.data.readers.files import (
    check_switch,
    checked_format,
    existing_file,
    existing_folder,
    read_json,
)


def read_lvis(
    annotations: str | PathLike[str],
    images: str | PathLike[str] | None,
    *,
    strict: bool = False,
    outside: bool = False,
    name: str = "lvis",
) -> Dataset:
    """Read an LVIS annotation file.

    A sample's `verified` labels are those annotated in the image and its negative categories: of
    others, LVIS does not know whether they are there. Its `partial` labels are the categories
    that are not exhaustively annotated.

    Args:
        annotations: the JSON file, e.g. lvis_v1_val.json.
        images: the folder of the images, or the one above, with train2017/ and val2017/ in it.
            Both of COCO's file names are tried, see `vps.data.readers.image_names`.
        strict: whether an annotation that would be left out is an error.
        outside: whether images may lie outside that folder, by their names or behind links.
        name: of the data set.

    Returns:
        Labels are the names of all categories, in the order of their ids, with spaces for
        underscores: "baseball_bat" is "baseball bat", "crab_(animal)" is "crab (animal)".

    Raises:
        InputError: file or folder is missing, or the file is not in LVIS's format.
        MissingExtraError: pycocotools is not installed.
    """
    path, folder = existing_file(annotations), existing_folder(images, outside)
    require("pycocotools.mask", extra="eval")
    left_out = LeftOut(path.name, strict=check_switch(strict, "strict"))
    with checked_format(path, "LVIS's format"):
        content = read_json(path)
        categories = sorted(content["categories"], key=lambda entry: entry["id"])
        names = {entry["id"]: str(entry["name"]).replace("_", " ") for entry in categories}
        frequencies = {names[entry["id"]]: entry["frequency"] for entry in categories}
        unknown = set(frequencies.values()) - {"r", "c", "f"}
        if unknown:
            raise ValueError(f"frequencies are r, c or f, not {', '.join(map(str, unknown))}")
        records = {record["id"]: record for record in content["images"]}
        entries = collect(content, folder, names, left_out)
        checked = []
        for entry in entries:
            record = records[entry.image_id]
            present = {item.label for item in entry.annotations}
            absent = {names[number] for number in record["neg_category_ids"]}
            partial = {names[number] for number in record["not_exhaustive_category_ids"]}
            checked.append(
                dataclasses.replace(
                    entry, verified=frozenset(present | absent), partial=frozenset(partial)
                )
            )
        return Dataset(
            name,
            checked,
            labels=tuple(names.values()),
            frequencies=frequencies,
            left_out=left_out,
        )

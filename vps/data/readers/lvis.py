"""LVIS (Gupta et al., CVPR 2019), v0.5 and v1."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike

from vps.core.extras import require
from vps.data.dataset import Dataset
from vps.data.readers.coco import collect
from vps.data.readers.files import checked_format, existing_file, existing_folder


def read_lvis(
    annotations: str | PathLike[str],
    images: str | PathLike[str] | None,
    *,
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
            Both of COCO's file names are tried, see `vps.data.readers.files.image_names`.
        outside: whether images may lie outside that folder, by their names or behind links.
        name: of the data set.

    Returns:
        Labels are the names of all categories, in the order of their ids, with spaces for
        underscores: "baseball_bat" is "baseball bat", "crab_(animal)" is "crab (animal)".

    Raises:
        InputError: file or folder is missing, or the file is not in LVIS's format.
        MissingExtraError: lvis is not installed.
    """
    path, folder = existing_file(annotations), existing_folder(images, outside)
    with _root_logger_kept():
        lvis = require("lvis", extra="eval")
    with checked_format(path, "LVIS's format"):
        content = lvis.LVIS(str(path)).dataset
        categories = sorted(content["categories"], key=lambda entry: entry["id"])
        names = {entry["id"]: str(entry["name"]).replace("_", " ") for entry in categories}
        frequencies = {names[entry["id"]]: entry["frequency"] for entry in categories}
        unknown = set(frequencies.values()) - {"r", "c", "f"}
        if unknown:
            raise ValueError(f"frequencies are r, c or f, not {', '.join(map(str, unknown))}")
        records = {record["id"]: record for record in content["images"]}
        entries, skipped = collect(content, folder, names)
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
            skipped=skipped,
        )


@contextmanager
def _root_logger_kept() -> Iterator[None]:
    """Undo what importing lvis does to the root logger, which is the program's affair."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)

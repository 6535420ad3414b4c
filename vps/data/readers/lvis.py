"""LVIS (Gupta et al., CVPR 2019), v0.5 and v1."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any

from vps.core.extras import require
from vps.core.names import choose
from vps.data.dataset import Dataset
from vps.data.left_out import LeftOut, in_brief
from vps.data.readers.categories import read_categories, used_categories
from vps.data.readers.coco_records import Record, collect, image_records, list_of
from vps.data.readers.files import (
    check_switch,
    checked_format,
    existing_file,
    existing_folder,
    read_json,
)
from vps.data.readers.values import IdTable, plain_id
from vps.data.sample import Id
from vps.errors import InputError

NO_FREQUENCY = "category whose frequency is none of r, c, f"
NOT_CHECKED = "image without lists of negative and of not exhaustively annotated categories"
UNKNOWN = "id of no category in a list of an image"

_FREQUENCIES = ("r", "c", "f")
_CHECKED = ("neg_category_ids", "not_exhaustive_category_ids")


def read_lvis(
    annotations: str | PathLike[str],
    images: str | PathLike[str] | None,
    *,
    frequencies: tuple[str, ...] = _FREQUENCIES,
    strict: bool = False,
    outside: bool = False,
    name: str = "lvis",
) -> Dataset:
    """Read an LVIS annotation file.

    A sample's `verified` labels are those annotated in the image and its negative categories: of
    others, LVIS does not know whether they are there. Its `partial` labels are the categories
    that are not exhaustively annotated. An odd annotation, image or category is left out and told
    in `Dataset.left_out`.

    Args:
        annotations: the JSON file, e.g. lvis_v1_val.json.
        images: the folder of the images, or the one above, with train2017/ and val2017/ in it.
            Both of COCO's file names are tried, see `vps.data.readers.image_names`.
        frequencies: the categories that are read, with their annotations: of ("r",), a detector is
            asked for rare ones alone; "c" is common, "f" frequent.
        strict: whether anything that would be left out is an error.
        outside: whether images may lie outside that folder, by their names or behind links.
        name: of the data set.

    Returns:
        Labels are the names of all these categories, in the order of their ids, with spaces for
        underscores: "baseball_bat" is "baseball bat", "crab_(animal)" is "crab (animal)".

    Raises:
        InputError: file or folder is missing, or the file is not in LVIS's format, or nothing in it
            can be used.
        MissingExtraError: pycocotools is not installed.
    """
    path, folder = existing_file(annotations), existing_folder(images, outside)
    require("pycocotools.mask", extra="eval")
    left_out = LeftOut(path.name, strict=check_switch(strict, "strict"))
    asked = _asked(frequencies)
    with checked_format(path, "LVIS's format"):
        content = read_json(path)
        used = used_categories(list_of(content, "annotations"))
        categories = [_spaced(record) for record in list_of(content, "categories")]
        names = read_categories(categories, used, left_out)
        found = _frequencies(categories, names, left_out)
        read = frozenset(label for label, one in found.items() if one in asked)
        if asked == frozenset(_FREQUENCIES):
            read |= frozenset(names.values())
        records = image_records(list_of(content, "images"), left_out)
        known = _checked_labels(records, names, left_out)
        records = {image_id: records[image_id] for image_id in known}
        entries = []
        for entry in collect(content, records, folder, names, left_out):
            absent, partial = known[entry.image_id]
            own = tuple(item for item in entry.annotations if item.label in read)
            present = {item.label for item in own}
            entries.append(
                dataclasses.replace(
                    entry,
                    annotations=own,
                    verified=(absent | present) & read,
                    partial=partial & read,
                )
            )
        return Dataset(
            name,
            entries,
            labels=tuple(label for label in dict.fromkeys(names.values()) if label in read),
            frequencies={label: one for label, one in found.items() if label in read},
            left_out=left_out,
        )


def _asked(frequencies: Sequence[str]) -> frozenset[str]:
    """The frequencies that are read; InputError where one is none, or there are none."""
    known = dict.fromkeys(_FREQUENCIES)
    for one in frequencies:
        choose(known, one, "frequency")
    if isinstance(frequencies, str) or not frequencies:
        raise InputError(f"frequencies must be a list of {', '.join(known)}, got {frequencies!r}")
    return frozenset(frequencies)


def _spaced(record: Any) -> Any:
    """A category record with spaces for underscores in its name."""
    if not isinstance(record, Mapping) or not isinstance(record.get("name"), str):
        return record
    return {**record, "name": record["name"].replace("_", " ")}


def _frequencies(
    categories: list[Any], names: Mapping[Id, str], left_out: LeftOut
) -> dict[str, str]:
    """Label -> "r", "c" or "f"."""
    found: dict[str, str] = {}
    for record in categories:
        key = plain_id(record.get("id")) if isinstance(record, Mapping) else None
        if key is None or key not in names:
            continue
        frequency = record.get("frequency")
        if frequency in _FREQUENCIES:
            found.setdefault(names[key], frequency)
        else:
            place = f"category {key} {names[key]!r}, frequency {in_brief(frequency)}"
            left_out.add(NO_FREQUENCY, place, unit="category")
    if not found:
        raise ValueError("none of its categories has a frequency: r, c or f")
    return found


def _checked_labels(
    records: Mapping[Id, Record], names: Mapping[Id, str], left_out: LeftOut
) -> dict[Id, tuple[frozenset[str], frozenset[str]]]:
    """Of the images of which it can be told: the labels that are absent, and those in part."""
    categories = IdTable(names)
    found = {}
    for image_id, record in records.items():
        lists = [numbers for key in _CHECKED if isinstance(numbers := record.get(key), list)]
        if len(lists) < len(_CHECKED):
            fields = ", ".join(f"{key} {in_brief(record.get(key))}" for key in _CHECKED)
            left_out.add(NOT_CHECKED, f"image {image_id}: {fields}", unit="image")
            continue
        labels = []
        for key, numbers in zip(_CHECKED, lists, strict=True):
            known = [categories.find(number) for number in numbers]
            for number, one in zip(numbers, known, strict=True):
                if one is None:
                    place = f"image {image_id}, {key}: {in_brief(number)}"
                    left_out.add(UNKNOWN, place, unit="id")
            labels.append(frozenset(names[one] for one in known if one is not None))
        found[image_id] = labels[0], labels[1]
    if not found:
        raise ValueError("; ".join(["none of its images can be used", *left_out.lines()]))
    return found

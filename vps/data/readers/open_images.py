"""Open Images (Kuznetsova et al., IJCV 2020), boxes as CSV."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from os import PathLike
from pathlib import Path, PurePosixPath
from typing import Any

from vps.core.files import open_file, shown_path
from vps.data.dataset import Annotation, Dataset, ImageEntry
from vps.data.image_files import ImageFile
from vps.data.left_out import LeftOut, in_brief
from vps.data.readers.categories import plain_name
from vps.data.readers.coco_records import EMPTY_BOX, OddRecordError
from vps.data.readers.files import check_switch, checked_format, existing_file, existing_folder
from vps.data.readers.values import as_flag, as_number
from vps.errors import InputError

NOT_IN_FOLDER = "box of an image that is not in the folder"
NO_LABEL_NAME = "LabelName that has no name"
NO_EDGES = "XMin, XMax, YMin, YMax that are not four fractions"
NO_GROUP_FLAG = "IsGroupOf that is neither 0 nor 1"

_BOX = ("XMin", "YMin", "XMax", "YMax")
_CLASS_FILES = ("*class-descriptions-boxable.csv", "*class-descriptions.csv")


def read_open_images(
    annotations: str | PathLike[str],
    images: str | PathLike[str] | None,
    *,
    classes: str | PathLike[str] | None = None,
    verified: str | PathLike[str] | None = None,
    strict: bool = False,
    outside: bool = False,
    name: str = "open-images",
) -> Dataset:
    """Read a table of boxes of Open Images; groups (`IsGroupOf`) are kept as ignored.

    Only images that lie in the folder are read; the boxes of others are counted. Open Images says
    of few labels whether they are in an image: of those that were verified. A sample's `verified`
    labels are these, or, without the table of them, those of its boxes.

    Args:
        annotations: the table, e.g. validation-annotations-bbox.csv: ImageID, LabelName, XMin,
            XMax, YMin, YMax (fractions of the image) and more.
        images: the folder of the images, which are called as their ids.
        classes: the table of LabelName and name, e.g. oidv7-class-descriptions-boxable.csv; by
            default, the one of that name beside the annotations.
        verified: the table of verified labels, e.g.
            validation-annotations-human-imagelabels-boxable.csv.
        strict: whether anything that would be left out is an error; images that are not in the
            folder are none.
        outside: whether images may lie outside that folder, behind links.
        name: of the data set.

    Returns:
        Labels are the names of all classes, in the order of their table; ids of annotations count
        the rows of the table.

    Raises:
        InputError: a file or folder is missing or of another form, or nothing in it can be used.
    """
    path, folder = existing_file(annotations), existing_folder(images, outside)
    left_out = LeftOut(path.name, strict=check_switch(strict, "strict"))
    names = _names(path, classes)
    files = {PurePosixPath(file).stem: file for file in folder.names()}
    found: dict[str, list[Annotation]] = {}
    with checked_format(path, "the form of Open Images"):
        for number, row in _rows(path, ("ImageID", "LabelName", *_BOX)):
            image_id = row["ImageID"]
            if image_id not in files:
                left_out.note(NOT_IN_FOLDER, unit="box", count=1)
                continue
            own = found.setdefault(image_id, [])
            try:
                own.append(_object(row, number, names))
            except OddRecordError as error:
                left_out.add(error.reason, f"row {number} of image {image_id}, {error}")
        if not any(found.values()):
            raise ValueError("; ".join(["none of its rows can be used", *left_out.lines()]))
    seen = {key: {item.label for item in own} for key, own in found.items()}
    if verified is not None:
        for image_id, label in _verified(existing_file(verified, "table of labels"), names):
            if image_id in seen:
                seen[image_id].add(label)
    entries = [
        ImageEntry(
            image_id,
            ImageFile(folder, (files[image_id],)),
            tuple(own),
            verified=frozenset(seen[image_id]),
            fractions=True,
        )
        for image_id, own in found.items()
    ]
    return Dataset(name, entries, labels=tuple(dict.fromkeys(names.values())), left_out=left_out)


def open_images_files(
    annotations: str | PathLike[str],
    images: str | PathLike[str] | None = None,
    *,
    classes: str | PathLike[str] | None = None,
    verified: str | PathLike[str] | None = None,
    **_: Any,
) -> list[Path]:
    """The files that `read_open_images` reads its annotations from."""
    path = existing_file(annotations)
    more = [] if verified is None else [existing_file(verified, "table of labels")]
    return [path, _class_file(path, classes), *more]


def _rows(path: Path, needed: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a table with a header, counted from 1."""
    with (
        open_file(path, "annotation file") as file,
        io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as text,
    ):
        table = csv.DictReader(text)
        missing = [column for column in needed if column not in (table.fieldnames or ())]
        if missing:
            raise ValueError(f"it has no column {', '.join(missing)}")
        try:
            for number, row in enumerate(table, start=1):
                # What a short row lacks is None.
                yield number, {key: value or "" for key, value in row.items() if key is not None}
        except csv.Error as error:
            raise ValueError(str(error)) from None


def _object(row: dict[str, str], number: int, names: dict[str, str]) -> Annotation:
    label = names.get(row["LabelName"])
    if label is None:
        raise OddRecordError(NO_LABEL_NAME, f"LabelName {in_brief(row['LabelName'])}")
    try:
        x1, y1, x2, y2 = box = tuple(as_number(row[column], column) for column in _BOX)
    except InputError as error:
        raise OddRecordError(NO_EDGES, str(error)) from None
    if not all(math.isfinite(value) and -0.5 <= value <= 1.5 for value in box):
        raise OddRecordError(NO_EDGES, in_brief(box))
    if not (x2 > x1 and y2 > y1):
        raise OddRecordError(EMPTY_BOX, in_brief(box))
    try:
        group = as_flag(row.get("IsGroupOf"), "IsGroupOf")
    except InputError as error:
        raise OddRecordError(NO_GROUP_FLAG, str(error)) from None
    return Annotation(number, label, (x1, y1, x2, y2), (x2 - x1) * (y2 - y1), group)


def _class_file(path: Path, given: str | PathLike[str] | None) -> Path:
    if given is not None:
        return existing_file(given, "table of classes")
    for pattern in _CLASS_FILES:
        for file in sorted(path.parent.glob(pattern)):
            return file
    raise InputError(
        f"{shown_path(path)} has labels such as /m/01g317: name the table of their names, "
        "class-descriptions-boxable.csv, as the option classes"
    )


def _names(path: Path, given: str | PathLike[str] | None) -> dict[str, str]:
    """LabelName -> name; of old tables without a header, too."""
    file = _class_file(path, given)
    with checked_format(file, "the form of Open Images' classes"), open_file(file, "table") as raw:
        text = raw.read().decode("utf-8-sig")
        rows = [row for row in csv.reader(io.StringIO(text)) if row]
        names = {row[0]: plain_name(row[1]) for row in rows if row[0] != "LabelName"}
        if not all(names.values()) or not names:
            raise ValueError("it has no two columns of LabelName and name")
    return names


def _verified(path: Path, names: dict[str, str]) -> Iterator[tuple[str, str]]:
    with checked_format(path, "the form of Open Images' labels"):
        for _, row in _rows(path, ("ImageID", "LabelName")):
            if row["LabelName"] in names:
                yield row["ImageID"], names[row["LabelName"]]

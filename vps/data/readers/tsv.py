"""Referring expressions in the TSV form of OFA (Wang et al., ICML 2022) and ONE-PEACE."""

from __future__ import annotations

import base64
import binascii
import io
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import BinaryIO, TypeVar

import numpy as np

from vps.core.files import open_file
from vps.core.images import (
    ImageHeader,
    ImageReading,
    Needed,
    OpenedImage,
    decode_header,
    decode_image,
)
from vps.data.dataset import Annotation, Dataset, ImageEntry, Picture
from vps.data.image_files import ImageFolder
from vps.data.left_out import LeftOut, in_brief
from vps.data.readers.coco_records import EMPTY_BOX, NO_BOX, OddRecordError
from vps.data.readers.files import (
    as_id,
    check_switch,
    checked_format,
    existing_file,
    existing_folder,
)
from vps.data.readers.image_names import image_files
from vps.data.readers.phrases import Phrases
from vps.data.sample import Id
from vps.errors import InputError, one_line

OFA = ("uniq_id", "image_id", "text", "region_coord", "image")
Found = TypeVar("Found")
NEEDED = {"text", "region_coord", "image"}


@dataclass(frozen=True)
class EmbeddedImage:
    """An image within a table, as base64.

    Attributes:
        path: the table.
        start, length: of the base64 text in it, bytes.
        name: for people.
    """

    path: Path
    start: int
    length: int
    name: str

    def __str__(self) -> str:
        return f"image {self.name} in {self.path}"

    def read(self, reading: ImageReading | None = None) -> np.ndarray:
        """(H, W, 3) uint8 RGB; InputError if it is corrupt, or the table no longer there."""
        return self._decoded(lambda file: decode_image(file, "it", reading))

    def open(
        self, reading: ImageReading | None = None, needed: Needed | None = None
    ) -> OpenedImage:
        """The same; always all of it, since it is in memory anyway."""
        pixels = self.read(reading)
        return OpenedImage(pixels, (pixels.shape[0], pixels.shape[1]), self.name)

    def header(self) -> ImageHeader:
        """Its size and orientation; errors as for `read`."""
        return self._decoded(lambda file: decode_header(file, "it"))

    def _decoded(self, decode: Callable[[BinaryIO], Found]) -> Found:
        with open_file(self.path, "annotation file") as file:
            file.seek(self.start)
            text = file.read(self.length)
        try:
            # Both alphabets occur.
            payload = base64.b64decode(text.translate(bytes.maketrans(b"-_", b"+/")), validate=True)
            return decode(io.BytesIO(payload))
        except (binascii.Error, InputError) as error:
            raise InputError(
                f"{self} is truncated, or no image, or a file name whose folder was not given: "
                f"{one_line(error)}"
            ) from None


@dataclass(frozen=True)
class _Row:
    number: int
    values: dict[str, str]
    start: int
    length: int


def read_tsv(
    annotations: str | PathLike[str],
    images: str | PathLike[str] | None = None,
    *,
    columns: tuple[str, ...] = OFA,
    strict: bool = False,
    outside: bool = False,
    name: str = "refcoco",
) -> Dataset:
    """Read a table of referring expressions, one a line, columns separated by tabs.

    OFA's has no header and five columns: `uniq_id`, `image_id`, `text`, `region_coord` ("x0,y0,
    x1,y1", pixels) and `image` (a JPEG as base64). ONE-PEACE's begins with a line that names its
    columns, `image`, `text` and `region_coord` among them, and its images are files. Images in a
    table are found by their place in it, and never all in memory.

    Args:
        annotations: the TSV file, e.g. refcoco_val.tsv.
        images: the folder that the column `image` names files in; without it, the column holds the
            images themselves.
        columns: names of the columns of a table without a header.
        strict: whether a phrase that would be left out is an error.
        outside: whether images may lie outside that folder, by their names or behind links.
        name: of the data set.

    Returns:
        A grounding set. Phrases are brought together by `image_id`, or by the file name where
        there is no such column, or else are on an image each; their ids are `uniq_id`, or the
        number of the line, from 1.

    Raises:
        InputError: file or folder is missing, or a line is of another form.
    """
    path = existing_file(annotations)
    folder = None if images is None else existing_folder(images, outside)
    left_out = LeftOut(path.name, strict=check_switch(strict, "strict"))
    pictures: dict[Id, Picture | str] = {}
    phrases = Phrases(left_out)
    with checked_format(path, "the TSV form of OFA and ONE-PEACE"):
        for row in _rows(path, tuple(columns)):
            image_id, picture = _picture(path, folder, row)
            pictures.setdefault(image_id, picture)
            phrase_id = as_id(row.values.get("uniq_id", str(row.number)))
            phrases.add(image_id, phrase_id, row.values["text"], _object(row))
        found = phrases.by_image()
    entries = [
        ImageEntry(key, picture, tuple(found[key])) for key, picture in _files(pictures, folder)
    ]
    return Dataset(name, entries, grounding=True, left_out=left_out)


def _picture(path: Path, folder: ImageFolder | None, row: _Row) -> tuple[Id, Picture | str]:
    """The id of an image, and the image itself or its name in the folder."""
    given = row.values.get("image_id")
    if folder is None:
        image_id = as_id(given or row.values.get("uniq_id") or str(row.number))
        return image_id, EmbeddedImage(path, row.start, row.length, str(image_id))
    if "image" not in row.values:
        raise ValueError(f"line {row.number} holds the image itself: leave the image folder out")
    file_name = row.values["image"]
    return as_id(given or file_name), file_name


def _files(
    pictures: Mapping[Id, Picture | str], folder: ImageFolder | None
) -> Iterator[tuple[Id, Picture]]:
    """The images by id, those in the folder as files."""
    names = [(key, (name,)) for key, name in pictures.items() if isinstance(name, str)]
    for key, picture in pictures.items():
        if not isinstance(picture, str):
            yield key, picture
    if folder is not None:
        files = image_files(folder, [own for _, own in names])
        yield from zip((key for key, _ in names), files, strict=True)


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[_Row]:
    """The lines of a table; the column `image` is given by its place only, unless it is short."""
    offset = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            fields = line.rstrip(b"\r\n").split(b"\t")
            if number == 1 and set(_text(fields)) >= NEEDED:
                columns = _text(fields)
            elif len(fields) != len(columns):
                raise ValueError(
                    f"line {number} has {len(fields)} columns, expected {len(columns)}: "
                    f"{', '.join(columns)}; is the file truncated?"
                )
            else:
                place = columns.index("image")
                start = offset + sum(len(field) + 1 for field in fields[:place])
                # A path is short, and an image need not be decoded as text.
                values = {
                    column: field.decode()
                    for column, field in zip(columns, fields, strict=True)
                    if column != "image" or len(field) < 4096
                }
                yield _Row(number, values, start, len(fields[place]))
            offset += len(line)
    if offset == 0:
        raise ValueError("it is empty")


def _text(fields: list[bytes]) -> tuple[str, ...]:
    return tuple(field.decode("utf-8", "replace") for field in fields)


def _object(row: _Row) -> Annotation | OddRecordError:
    """The object of a line, or why it is none."""
    given = row.values["region_coord"]
    try:
        x1, y1, x2, y2 = (float(value) for value in given.split(","))
    except ValueError:
        return OddRecordError(NO_BOX, f"line {row.number}, region_coord {in_brief(given)}")
    if not (all(map(math.isfinite, (x1, y1, x2, y2))) and x2 > x1 and y2 > y1):
        return OddRecordError(EMPTY_BOX, f"line {row.number}, region_coord {in_brief(given)}")
    return Annotation(0, "", (x1, y1, x2, y2), (x2 - x1) * (y2 - y1))

"""Detection data sets in the form of Pascal VOC: an XML file for each image."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ElementTree
from os import PathLike
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from vps.core.files import open_file, shown_path
from vps.core.names import choose
from vps.data.dataset import Annotation, Dataset, ImageEntry
from vps.data.left_out import LeftOut, in_brief
from vps.data.readers.categories import plain_name
from vps.data.readers.coco_records import EMPTY_BOX, OddRecordError
from vps.data.readers.files import check_switch, existing_folder, existing_path
from vps.data.readers.frames import Placed, drop_fractions
from vps.data.readers.image_names import image_files
from vps.data.readers.values import as_flag, as_number, as_size
from vps.errors import InputError, one_line

NO_XML = "XML file that cannot be read"
NO_OBJECT_NAME = "object without a name"
NO_CORNERS = "bndbox that is not four numbers"
NO_DIFFICULT = "difficult that is neither 0 nor 1"

_CORNERS = ("xmin", "ymin", "xmax", "ymax")


def read_voc(
    annotations: str | PathLike[str],
    images: str | PathLike[str] | None = None,
    *,
    split: str | None = None,
    first_pixel: int | None = None,
    strict: bool = False,
    outside: bool = False,
    name: str = "voc",
) -> Dataset:
    """Read a folder of XML files as Pascal VOC (Everingham et al., IJCV 2010) and labelImg write.

    Objects marked `difficult` are kept as ignored. An image is the file of the folder that is
    called as the XML file, or else what the XML file says.

    Args:
        annotations: the folder of the XML files, or the one above with Annotations/ in it.
        images: the folder of the images; by default, JPEGImages/ beside Annotations/, or else the
            folder of the XML files.
        split: "train", "val", ...: only what ImageSets/Main/<split>.txt beside the folder names.
        first_pixel: the number of the first pixel: 1 in VOC itself, whose corners are pixels that
            belong to the object, or 0, where they are its edges. By default, 0 where a coordinate
            of the data set is 0, and else 1; it is told in `Dataset.left_out`.
        strict: whether anything that would be left out is an error.
        outside: whether images may lie outside that folder, by their names or behind links.
        name: of the data set.

    Returns:
        Labels are all names that occur, in the order of the alphabet; ids of images are the names
        of the XML files without .xml, and those of annotations count the objects of an image.

    Raises:
        InputError: a file or folder is missing, or nothing in it can be used.
    """
    files = voc_files(annotations, split=split)
    folder = existing_folder(images or _images_beside(files[0].parent), outside)
    left_out = LeftOut(shown_path(files[0].parent.name), strict=check_switch(strict, "strict"))
    read = [one for file in files if (one := _read(file, left_out)) is not None]
    placed = [placed for one in read for placed in one.placed()]
    kept = iter(drop_fractions(placed, left_out))
    if not placed:
        why = ["there is no object that can be used", *left_out.lines()]
        raise InputError(f"{left_out.source}: {'; '.join(why)}")
    first = _first_pixel(first_pixel, placed, left_out)
    names = folder.names()
    stems = {PurePosixPath(image).with_suffix("").as_posix(): image for image in names}
    own = image_files(folder, [one.names(stems) for one in read])
    entries = [
        ImageEntry(
            one.stem,
            file,
            tuple(_moved(item, first) for item in one.objects if next(kept)),
            one.size,
        )
        for one, file in zip(read, own, strict=True)
    ]
    labels = sorted({item.label for entry in entries for item in entry.annotations})
    return Dataset(name, entries, labels=tuple(labels), left_out=left_out)


def voc_files(
    annotations: str | PathLike[str],
    images: str | PathLike[str] | None = None,
    *,
    split: str | None = None,
    **_: Any,
) -> list[Path]:
    """The XML files that `read_voc` reads, in order.

    Raises:
        InputError: there are none, or no such split.
    """
    folder = existing_path(annotations)
    if not folder.is_dir():
        raise InputError(
            f"{shown_path(folder)} is a file: this format takes the folder of the XML files"
        )
    if (folder / "Annotations").is_dir():
        folder = folder / "Annotations"
    found = sorted(file for file in folder.glob("*.xml") if not file.name.startswith("."))
    if split is not None:
        wanted = _split(folder.parent / "ImageSets" / "Main", split)
        found = [file for file in found if file.stem in wanted]
    if not found:
        raise InputError(
            f"there is no XML file in {shown_path(folder)}" + (f" of {split}" if split else "")
        )
    return found


class _Page(NamedTuple):
    """An XML file."""

    stem: str
    file_name: str
    size: tuple[int, int] | None
    objects: list[Annotation]

    def names(self, stems: dict[str, str]) -> tuple[str, ...]:
        """The names that its image may have, likeliest first."""
        said = self.file_name.replace("\\", "/")
        by_said = stems.get(PurePosixPath(said).with_suffix("").name) if said else None
        found = [stems.get(self.stem), self.file_name, by_said, f"{self.stem}.jpg"]
        return tuple(dict.fromkeys(one for one in found if one))

    def placed(self) -> list[Placed]:
        return [
            Placed(item.box, self.size, f"object {item.id} of {self.stem}.xml")
            for item in self.objects
        ]


class _NoDoctype(ElementTree.TreeBuilder):
    """Refuses a document type: entities that it may define grow without bounds."""

    def doctype(self, name: str, pubid: str, system: str) -> None:
        raise InputError("it declares a document type, which annotations have no use for")


def _read(file: Path, left_out: LeftOut) -> _Page | None:
    try:
        with open_file(file, "annotation file") as opened:
            parser = ElementTree.XMLParser(target=_NoDoctype())
            root = ElementTree.parse(opened, parser).getroot()
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        left_out.add(NO_XML, f"{shown_path(file.name)}: {one_line(error)}", unit="file")
        return None
    objects = []
    for number, element in enumerate(root.findall("object"), start=1):
        try:
            objects.append(_object(element, number))
        except OddRecordError as error:
            left_out.add(error.reason, f"object {number} of {shown_path(file.name)}, {error}")
    height, width = as_size(root.findtext("size/height")), as_size(root.findtext("size/width"))
    size = None if height is None or width is None else (height, width)
    return _Page(file.stem, (root.findtext("filename") or "").strip(), size, objects)


def _object(element: ElementTree.Element, number: int) -> Annotation:
    label = plain_name(element.findtext("name"))
    if not label:
        raise OddRecordError(NO_OBJECT_NAME, f"name {in_brief(element.findtext('name'))}")
    try:
        corners = [as_number(element.findtext(f"bndbox/{one}"), one) for one in _CORNERS]
    except InputError as error:
        raise OddRecordError(NO_CORNERS, str(error)) from None
    x1, y1, x2, y2 = corners
    if not (all(map(math.isfinite, corners)) and x2 > x1 and y2 > y1):
        raise OddRecordError(EMPTY_BOX, f"bndbox {in_brief(corners)}")
    try:
        ignored = as_flag(element.findtext("difficult"), "difficult")
    except InputError as error:
        raise OddRecordError(NO_DIFFICULT, str(error)) from None
    return Annotation(number, label, (x1, y1, x2, y2), (x2 - x1) * (y2 - y1), ignored)


def _first_pixel(given: int | None, placed: list[Placed], left_out: LeftOut) -> int:
    if given is not None:
        if given not in (0, 1) or isinstance(given, bool):
            raise InputError(f"first_pixel must be 0 or 1, got {given!r}")
        return given
    zero = [one for one in placed if min(one.box) <= 0]
    if not zero:
        left_out.note("first pixel taken to be number 1, as in VOC itself", unit="data set")
        return 1
    left_out.note(
        "first pixel taken to be number 0, since it occurs", zero[0].place, unit="data set"
    )
    return 0


def _moved(item: Annotation, first: int) -> Annotation:
    """A box of pixels that belong to it, as one between its edges."""
    x1, y1, x2, y2 = item.box
    box = (x1 - first, y1 - first, x2, y2)
    return item._replace(box=box, area=(box[2] - box[0]) * (box[3] - box[1]))


def _images_beside(folder: Path) -> Path:
    beside = folder.parent / "JPEGImages"
    return beside if folder.name == "Annotations" and beside.is_dir() else folder


def _split(folder: Path, split: str) -> set[str]:
    found = {file.stem: file for file in sorted(folder.glob("*.txt"))}
    if not found:
        raise InputError(f"there are no splits: {shown_path(folder)} holds no text files")
    file = choose(found, split, "split")
    with open_file(file, "list of images") as opened:
        lines = opened.read().decode("utf-8", "replace").splitlines()
    # Lists of one class have a second column.
    return {line.split()[0] for line in lines if line.strip()}

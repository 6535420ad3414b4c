"""Images and annotations of COCO's format: one odd record is left out, and the others are read."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from vps.data.dataset import Annotation, ImageEntry
from vps.data.image_files import ImageFolder
from vps.data.left_out import LeftOut, in_brief
from vps.data.readers.frames import Placed, drop_fractions, refuse_corners
from vps.data.readers.image_names import image_files, image_names
from vps.data.readers.masks import pack_mask
from vps.data.readers.values import IdTable, as_flag, as_number, as_numbers, as_size, plain_id
from vps.data.sample import Id
from vps.errors import InputError

EMPTY_BOX = "box without area"
NO_RECORD = "record that is none"
NO_BOX = "bbox that is not four numbers"
NO_FLAG = "iscrowd or ignore that is neither 0 nor 1"
NO_IMAGE = "image_id that is none of the images"
NO_CATEGORY = "category_id that is none of the categories"
TWICE = "annotation that is there twice"
NO_ID = "id that is missing or another annotation's: numbered anew"
NO_AREA = "area that is no number: that of the box is taken"
IMAGE_WITHOUT_ID = "image without an id or a file name"
IMAGE_TWICE = "image that is there twice"
IMAGE_ID_TWICE = "id of several images"

Record = Mapping[str, Any]


class OddRecordError(InputError):
    """A record that cannot be used; its text says what is odd.

    Attributes:
        reason: why, the same for all of a kind.
    """

    def __init__(self, reason: str, value: str = "") -> None:
        super().__init__(value)
        self.reason = reason


def list_of(content: Any, key: str) -> list[Any]:
    """A list of a file in COCO's format.

    Raises:
        TypeError, ValueError: the file holds no such list, or an empty one.
    """
    if not isinstance(content, Mapping):
        raise TypeError(f"it holds a {type(content).__name__} instead of {key} and the rest")
    if not isinstance(content.get(key), list):
        raise TypeError(f"it has no list of {key}")
    if not content[key]:
        raise ValueError(f"it has no {key}: its list of them is empty")
    found: list[Any] = content[key]
    return found


def collect(
    content: Any,
    records: Mapping[Id, Record],
    folder: ImageFolder,
    names: Mapping[Id, str],
    left_out: LeftOut,
) -> list[ImageEntry]:
    """The images of a file in COCO's format with their annotations, by id.

    Args:
        content: of the file.
        records: those of its images, see `image_records`.
        folder: where the images lie.
        names: label of each category id.
        left_out: added to: annotations without a box, an image or a category, or with values that
            are none; ids that are given twice.

    Raises:
        TypeError, ValueError: another format, or nothing that can be used.
        InputError: boxes that are no pixels; or something is left out, and that is not allowed.
    """
    found: dict[Id, list[Annotation]] = {image_id: [] for image_id in records}
    for image_id, annotation in _annotations(content, records, names, left_out):
        found[image_id].append(annotation)
    return make_entries(records, folder, found)


def image_records(
    given: list[Any], left_out: LeftOut, content_of: Callable[[Record], object] = image_names
) -> dict[Id, Record]:
    """The image records by id.

    Args:
        given: what the file holds as `images`.
        left_out: added to: images without an id or a name, and ids of several images.
        content_of: records of one id that agree in this are one image; by default, in its names.

    Raises:
        ValueError: none can be used.
        InputError: one is left out, and that is not allowed.
    """
    records: dict[Id, Record] = {}
    spoilt: dict[str, Id] = {}
    texts: dict[str, Id] = {}
    for number, record in enumerate(given):
        image_id = plain_id(record.get("id")) if isinstance(record, Mapping) else None
        if image_id is None or not _has_name(record):
            left_out.add(IMAGE_WITHOUT_ID, f"images[{number}]: {in_brief(record)}", unit="image")
            continue
        # Results lie in folders of that name, so 1 and "1" are one.
        known = texts.setdefault(str(image_id), image_id)
        if known not in records:
            records[known] = record
        elif content_of(records[known]) == content_of(record):
            left_out.note(IMAGE_TWICE, f"image {image_id}", unit="image")
        else:
            spoilt[str(image_id)] = known
    for image_id in spoilt.values():
        count = sum(
            isinstance(record, Mapping) and str(plain_id(record.get("id"))) == str(image_id)
            for record in given
        )
        left_out.add(IMAGE_ID_TWICE, f"image id {image_id}", unit="image", count=count)
        del records[image_id]
    if not records:
        raise ValueError("; ".join(["none of its images can be used", *left_out.lines()]))
    return records


def _has_name(record: Record) -> bool:
    try:
        return bool(image_names(record))
    except KeyError:
        return False


def make_entries(
    records: Mapping[Id, Record], folder: ImageFolder, found: Mapping[Id, list[Annotation]]
) -> list[ImageEntry]:
    """Image records with their annotations; `found` has those that are wanted."""
    files = image_files(folder, [image_names(record) for record in records.values()])
    return [
        ImageEntry(image_id, file, tuple(found[image_id]), image_size(record))
        for (image_id, record), file in zip(records.items(), files, strict=True)
        if image_id in found
    ]


def image_size(record: Record) -> tuple[int, int] | None:
    """(H, W) of an image record; None where it does not tell."""
    height, width = as_size(record.get("height")), as_size(record.get("width"))
    return None if height is None or width is None else (height, width)


def read_annotation(entry: Any, label: str, left_out: LeftOut) -> Annotation:
    """An annotation record of COCO, under the id that it has; `None` is no id.

    Raises:
        OddRecordError: it cannot be used.
    """
    if not isinstance(entry, Mapping):
        raise OddRecordError(NO_RECORD, in_brief(entry))
    try:
        x, y, width, height = as_numbers(entry.get("bbox"), 4, "bbox")
    except InputError as error:
        raise OddRecordError(NO_BOX, str(error)) from None
    box = (x, y, x + width, y + height)
    if not (all(map(math.isfinite, box)) and width > 0 and height > 0):
        raise OddRecordError(EMPTY_BOX, f"bbox {in_brief(entry['bbox'])}")
    try:
        ignored = as_flag(entry.get("iscrowd"), "iscrowd") or as_flag(entry.get("ignore"), "ignore")
    except InputError as error:
        raise OddRecordError(NO_FLAG, str(error)) from None
    return Annotation(
        id=plain_id(entry.get("id")),  # type: ignore[arg-type]  # the caller sees to it
        label=label,
        box=box,
        area=_area(entry, width * height, left_out),
        ignored=ignored,
        segmentation=pack_mask(entry.get("segmentation")),
    )


def place_of(entry: Any, number: int) -> str:
    """Where an annotation stands, for messages: by its ids, or by its number in the list."""
    if not isinstance(entry, Mapping):
        return f"annotations[{number}]"
    key = entry.get("id")
    name = f"annotations[{number}]" if key is None else f"annotation {in_brief(key)}"
    return f"{name} of image {in_brief(entry.get('image_id'))}"


def _area(entry: Record, default: float, left_out: LeftOut) -> float:
    given = entry.get("area")
    if given is None:
        return default
    try:
        area = as_number(given, "area")
    except InputError:
        area = math.nan
    if math.isfinite(area) and area >= 0:
        return area
    left_out.note(NO_AREA, f"{place_of(entry, 0)}, area {in_brief(given)}")
    return default


def _annotations(
    content: Any, records: Mapping[Id, Record], names: Mapping[Id, str], left_out: LeftOut
) -> list[tuple[Id, Annotation]]:
    """What can be used of the annotations, each with the id of its image; ordered by their ids."""
    images, categories = IdTable(records), IdTable(names)
    given = list_of(content, "annotations")
    found: list[tuple[Id, Annotation]] = []
    placed: list[Placed] = []
    repeated = _repeated(given)
    for number, entry in enumerate(given):
        place = place_of(entry, number)
        if number in repeated:
            left_out.add(TWICE, place)
            continue
        try:
            annotation = read_annotation(entry, "", left_out)
            image_id = images.find(entry.get("image_id"))
            if image_id is None:
                raise OddRecordError(NO_IMAGE, f"image_id {in_brief(entry.get('image_id'))}")
            category = categories.find(entry.get("category_id"))
            if category is None:
                raise OddRecordError(
                    NO_CATEGORY, f"category_id {in_brief(entry.get('category_id'))}"
                )
        except OddRecordError as error:
            left_out.add(error.reason, f"{place}, {error}")
            continue
        found.append((image_id, annotation._replace(label=names[category])))
        placed.append(Placed(annotation.box, image_size(records[image_id]), place))
    refuse_corners(placed, left_out.source)
    found = list(itertools.compress(found, drop_fractions(placed, left_out)))
    if not found:
        raise ValueError("; ".join(["none of its annotations can be used", *left_out.lines()]))
    return sorted(
        numbered(found, left_out), key=lambda one: (isinstance(one[1].id, str), one[1].id)
    )


def _repeated(given: list[Any]) -> set[int]:
    """The numbers of the records that stand there before, with all that is in them."""
    first: dict[str, int] = {}
    repeated = set()
    for number, entry in enumerate(given):
        key = entry.get("id") if isinstance(entry, Mapping) else None
        earlier = number if key is None else first.setdefault(str(key), number)
        if earlier != number and given[earlier] == entry:
            repeated.add(number)
    return repeated


def numbered(
    found: list[tuple[Id, Annotation]], left_out: LeftOut
) -> Iterator[tuple[Id, Annotation]]:
    """The same with ids where they are missing, or another annotation of the image has them."""
    numbers = [one.id for _, one in found if isinstance(one.id, int)]
    free = itertools.count(max(numbers, default=0) + 1)
    taken: set[tuple[Id, str]] = set()
    for image_id, annotation in found:
        key = image_id, str(annotation.id)
        if annotation.id is None or key in taken:
            left_out.note(NO_ID, f"annotation {annotation.id} of image {image_id}")
            annotation = annotation._replace(id=next(free))
        taken.add(key)
        yield image_id, annotation

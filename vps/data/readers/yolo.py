"""Detection data sets in the form of YOLO: a text file of boxes for each image, and data.yaml."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from vps.core.schema import build
from vps.data.dataset import Annotation, Dataset, ImageEntry
from vps.data.image_files import ImageFile
from vps.data.left_out import LeftOut, in_brief
from vps.data.readers.categories import plain_name
from vps.data.readers.coco_records import EMPTY_BOX, OddRecordError
from vps.data.readers.files import as_id, check_switch, checked_format, existing_path
from vps.data.readers.values import as_number
from vps.data.readers.yolo_folders import (
    YoloImage,
    data_file,
    find_images,
    label_files,
    lonely_labels,
    read_data_file,
)
from vps.errors import InputError

NO_LINE = "line that is no box"
NO_CLASS = "class that has no name"
NO_FRACTIONS = "box that leaves the image by far, perhaps in pixels"
NO_LABELS = "image without a text file, taken as one without objects"
LONELY = "text file without an image"

_LEAST, _MOST = -0.5, 1.5  # of the image's size: boxes may leave it a little


def read_yolo(
    annotations: str | PathLike[str],
    images: str | PathLike[str] | None = None,
    *,
    split: str = "val",
    labels: str | PathLike[str] | None = None,
    strict: bool = False,
    outside: bool = False,
    name: str = "yolo",
) -> Dataset:
    """Read images with a text file each: lines of class, x, y, width, height.

    x and y are of the centre, and all four are fractions of the image, which are made pixels when
    it is read. A line of a class and at least three points is an outline (segmentation, oriented
    boxes): its box is the least around it. Where data.yaml has `kpt_shape` (poses), what follows
    the box is passed over.

    Args:
        annotations: data.yaml, or the folder that it lies in; it has `names`, and perhaps `path`
            and the folders of the splits.
        images: the folder of the images; by default, that of the split in data.yaml.
        split: "train", "val" or "test", or another key of data.yaml.
        labels: the folder of the text files; by default, the images' with "labels" for "images" in
            its path, as Ultralytics has it, or else the images' own.
        strict: whether anything that would be left out is an error.
        outside: whether images may lie outside their folder, and the folder of the split outside
            that of data.yaml.
        name: of the data set.

    Returns:
        Ids of images are their names in the folder; those of annotations count the lines of the
        image's text file. Images without a text file have no objects.

    Raises:
        InputError: a file or folder is missing or of another form, or nothing in it can be used.
        MissingExtraError: PyYAML is not installed.
    """
    path = data_file(existing_path(annotations))
    left_out = LeftOut(path.name, strict=check_switch(strict, "strict"))
    content = read_data_file(path)
    found = find_images(path, content, images, split=split, labels=labels, outside=outside)
    classes = _classes(content["names"], path)
    poses = content.get("kpt_shape") is not None
    read = {image: list(_objects(image, classes, poses, left_out)) for image in found}
    _refuse_pixels(read, left_out)
    for file in lonely_labels(found):
        left_out.add(LONELY, file.name, unit="file")
    several = len({image.folder for image in found}) > 1
    entries = [
        ImageEntry(
            f"{image.folder.path.name}/{image.name}" if several else image.name,
            ImageFile(image.folder, (image.name,)),
            tuple(own),
            fractions=True,
        )
        for image, own in read.items()
    ]
    names = tuple(dict.fromkeys(classes[number] for number in sorted(classes)))
    return Dataset(name, entries, labels=names, left_out=left_out)


def yolo_files(
    annotations: str | PathLike[str],
    images: str | PathLike[str] | None = None,
    *,
    split: str = "val",
    labels: str | PathLike[str] | None = None,
    outside: bool = False,
    **_: Any,
) -> list[Path]:
    """The files that `read_yolo` reads its annotations from."""
    path = data_file(existing_path(annotations))
    content = read_data_file(path)
    found = find_images(path, content, images, split=split, labels=labels, outside=outside)
    return label_files(path, found)


def _classes(given: Any, path: Path) -> dict[int, str]:
    """The name of each class by its number."""
    pairs = given.items() if isinstance(given, Mapping) else enumerate(build(list, given, "names"))
    names = {}
    for key, value in pairs:
        number, name = as_id(str(key)), plain_name(value)
        if not isinstance(number, int):
            raise InputError(f"{path.name}: names: the class {in_brief(key)} is no number")
        if not name:
            raise InputError(
                f"{path.name}: names: class {number} is {in_brief(value)}, which is no name; put a "
                "word such as no or on in quotes"
            )
        names[number] = name
    return names


def _objects(
    image: YoloImage, classes: Mapping[int, str], poses: bool, left_out: LeftOut
) -> Iterator[Annotation]:
    if image.labels is None:
        left_out.note(NO_LABELS, image.name, unit="image")
        return
    with checked_format(image.labels, "YOLO's form"):
        lines = image.labels.read_text(encoding="utf-8-sig").splitlines()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield _object(line.split(), number, classes, poses)
        except OddRecordError as error:
            left_out.add(error.reason, f"line {number} of {image.labels.name}, {error}")


def _object(words: list[str], number: int, classes: Mapping[int, str], poses: bool) -> Annotation:
    try:
        kind, *values = (as_number(word, "it") for word in words)
    except InputError as error:
        raise OddRecordError(NO_LINE, str(error)) from None
    if kind not in classes:
        raise OddRecordError(NO_CLASS, f"class {kind:g}")
    outline = len(values) >= 6 and len(values) % 2 == 0 and not poses
    if not outline and (len(values) < 4 or len(values) > 4 and not poses):
        raise OddRecordError(NO_LINE, f"it has {len(words)} values: class, x, y, width, height?")
    if outline:
        xs, ys = values[::2], values[1::2]
        box = min(xs), min(ys), max(xs), max(ys)
    else:
        x, y, width, height = values[:4]
        box = x - width / 2, y - height / 2, x + width / 2, y + height / 2
    if not (box[2] > box[0] and box[3] > box[1]):
        raise OddRecordError(EMPTY_BOX, in_brief(" ".join(words)))
    area = (box[2] - box[0]) * (box[3] - box[1])
    return Annotation(
        number, classes[int(kind)], box, area, segmentation=[values] if outline else None
    )


def _refuse_pixels(read: dict[YoloImage, list[Annotation]], left_out: LeftOut) -> None:
    """Leave out boxes that are no fractions; InputError where most are none, or there are none."""
    total = sum(map(len, read.values()))
    if not total:
        why = ["none of its lines can be used", *left_out.lines()]
        raise InputError(f"{left_out.source}: {'; '.join(why)}")
    far = {
        image: [not all(_LEAST <= value <= _MOST for value in one.box) for one in own]
        for image, own in read.items()
    }
    count = sum(map(sum, far.values()))
    for image, flags in far.items():
        for one in itertools.compress(read[image], flags):
            place = f"line {one.id} for {image.name}"
            if 2 * count > total:
                raise InputError(
                    f"{left_out.source}: {count} of {total} boxes leave their image by far, e.g. "
                    f"{place}: they seem to be pixels, where fractions of the image belong"
                )
            left_out.add(NO_FRACTIONS, place)
        read[image] = [one for one, odd in zip(read[image], flags, strict=True) if not odd]

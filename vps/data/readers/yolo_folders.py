"""Where the images of a YOLO data set lie, and the text file of each."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from os import PathLike
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from vps.core.extras import require
from vps.core.files import shown_path
from vps.core.names import choose
from vps.core.schema import build
from vps.data.image_files import ImageFolder
from vps.data.readers.files import existing_file, existing_folder
from vps.errors import InputError, one_line

_SPLITS = {"val": ("val", "valid", "validation"), "train": ("train",), "test": ("test",)}
_DATA_FILES = ("data.yaml", "data.yml", "dataset.yaml", "dataset.yml")
_LISTS = {"classes.txt", "labels.txt", "obj.names", "train.txt", "val.txt", "test.txt"}


class YoloImage(NamedTuple):
    """An image of a data set.

    Attributes:
        folder: the image folder.
        name: of its file in it.
        labels: its text file; None where there is none.
    """

    folder: ImageFolder
    name: str
    labels: Path | None


def data_file(path: Path) -> Path:
    """The YAML file of a data set that is named by it or by its folder.

    Raises:
        InputError: there is none.
    """
    if not path.is_dir():
        return path
    for name in _DATA_FILES:
        if (path / name).is_file():
            return path / name
    raise InputError(
        f"folder {shown_path(path)} holds no data.yaml, which names the classes: name that file as "
        "annotations"
    )


def read_data_file(path: Path) -> Mapping[str, Any]:
    """What a YAML file holds.

    Raises:
        InputError: no YAML, or no keys and values.
        MissingExtraError: PyYAML is not installed.
    """
    yaml = require("yaml", extra="eval")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise InputError(f"{shown_path(path)} cannot be read: {one_line(error)}") from error
    if not isinstance(content, Mapping) or "names" not in content:
        raise InputError(f"{shown_path(path)} is no data.yaml of YOLO: it has no names of classes")
    return content


def find_images(
    path: Path,
    content: Mapping[str, Any],
    images: str | PathLike[str] | None,
    *,
    split: str,
    labels: str | PathLike[str] | None,
    outside: bool,
) -> list[YoloImage]:
    """The images of a split with their text files, see `vps.data.readers.yolo.read_yolo`.

    Args:
        path: of data.yaml.
        content: of it.
        images, split, labels, outside: see there.

    Raises:
        InputError: a folder is not there, or lies where it may not, or holds no image.
    """
    if images is not None:
        folders = [existing_folder(images, outside)]
    else:
        folders = [
            _folder_of(path, content, given, outside) for given in _given(path, content, split)
        ]
    texts = None if labels is None else existing_folder(labels).path
    found = [
        YoloImage(folder, name, _labels_of(folder.path, name, texts))
        for folder in folders
        for name in folder.names()
    ]
    where = ", ".join(shown_path(folder.path) for folder in folders)
    if not found:
        raise InputError(f"there is no image in {where}")
    if all(image.labels is None for image in found):
        raise InputError(
            f"no image in {where} has a text file of labels; name their folder as the option labels"
        )
    return found


def lonely_labels(found: list[YoloImage]) -> Iterator[Path]:
    """Text files beside those of the images that belong to no image."""
    used = {image.labels for image in found if image.labels is not None}
    for folder in sorted({file.parent for file in used}):
        for file in sorted(folder.glob("*.txt")):
            if file not in used and file.name not in _LISTS:
                yield file


def _given(path: Path, content: Mapping[str, Any], split: str) -> tuple[str, ...]:
    """The folders that data.yaml names for a split."""
    keys = [key for key in _SPLITS.get(split, (split,)) if content.get(key)]
    if not keys:
        known = [key for key, value in content.items() if isinstance(value, (str, list))]
        choose(dict.fromkeys(known), split, f"split of {shown_path(path)}")
    value = build(str | tuple[str, ...], content[(keys or [split])[0]], f"{path.name}: {split}")
    return (value,) if isinstance(value, str) else value


def _folder_of(path: Path, content: Mapping[str, Any], given: str, outside: bool) -> ImageFolder:
    """A folder of images that data.yaml names: by its `path`, by its own place, or in it.

    Roboflow writes ../valid/images for what lies in valid/images.
    """
    base = path.parent
    root = base / build(str, content.get("path") or "", f"{path.name}: path")
    inner = "/".join(part for part in PurePosixPath(given).parts if part not in ("..", "/"))
    places = [root / given, base / given, base / inner]
    there = [place for place in places if os.path.isdir(place)]
    home = os.path.realpath(base)
    kept = [one for one in there if outside or Path(os.path.realpath(one)).is_relative_to(home)]
    if kept:
        return existing_folder(kept[0], outside)
    if there:
        raise InputError(
            f"{shown_path(there[0])}, which {path.name} names, lies outside the folder of that "
            "file; name it as images, or set the data set's option outside to true"
        )
    raise InputError(
        f"image folder {shown_path(places[0])}, which {path.name} names, does not exist; name the "
        "folder as images"
    )


def _labels_of(folder: Path, name: str, texts: Path | None) -> Path | None:
    """The text file of an image: in the folder that was named, or where it may lie."""
    inner = Path(name).with_suffix(".txt")
    if texts is not None:
        places = [texts / inner]
    else:
        parts = (folder / inner).parts
        swapped = [number for number, part in enumerate(parts[:-1]) if part == "images"]
        places = [Path(*parts[:number], "labels", *parts[number + 1 :]) for number in swapped[-1:]]
        places += [folder.parent / "labels" / inner, folder / "labels" / inner, folder / inner]
    return next((place for place in places if place.is_file()), None)


def label_files(path: Path, found: list[YoloImage]) -> list[Path]:
    """All that the annotations of a data set depend on."""
    return [existing_file(path), *(image.labels for image in found if image.labels is not None)]

"""Of which image and entry of a list a result of VPS is, by the name of its files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from vps.core.images import read_header
from vps.data.image_files import ImageFolder
from vps.data.readers.files import existing_folder
from vps.data.readers.vps_list import VpsEntry

_COCO = re.compile(r"(COCO_[A-Za-z]+[0-9]{4}_[0-9]{12})(?:_(.+))?")


@dataclass(frozen=True)
class FoundImage:
    """The image of a result: the stem of its name, where it lies, and its size (H, W)."""

    stem: str
    path: Path
    size: tuple[int, int]


class Images:
    """The images of a folder by their names without suffix.

    Args:
        folder: looked through, with those below it; None for no images.

    Raises:
        InputError: there is no such folder.
    """

    def __init__(self, folder: Path | None) -> None:
        self._paths: dict[str, Path | None] = {}
        if folder is None:
            return
        found: ImageFolder = existing_folder(folder)
        for name in found.names():
            stem = PurePath(name).stem
            # What may be one of several is none.
            self._paths[stem] = None if stem in self._paths else found.path / name

    def find(self, name: str) -> FoundImage | None:
        """The image of a result: the longest name that the result's begins with.

        Raises:
            InputError: it cannot be read.
        """
        parts = name.split("_")
        stems = ("_".join(parts[:count]) for count in range(len(parts), 0, -1))
        stem = next((one for one in stems if self._paths.get(one)), None)
        path = None if stem is None else self._paths[stem]
        if stem is None or path is None:
            return None
        return FoundImage(stem, path, read_header(path).turned)


def split_name(name: str, stem: str | None = None) -> tuple[str, str]:
    """The image and the id in the name of a result; "1" where it bears no id.

    >>> split_name("000000000139_7"), split_name("COCO_train2014_000000000139")
    (('000000000139', '7'), ('COCO_train2014_000000000139', '1'))

    Args:
        name: of the result.
        stem: of the image's name, where that is known.
    """
    if stem is not None:
        return stem, name[len(stem) + 1 :] or "1"
    coco = _COCO.fullmatch(name)
    if coco:
        return coco[1], coco[2] or "1"
    image, _, own = name.rpartition("_")
    return (image, own) if image and own else (name, "1")


def entries_by_name(entries: Sequence[VpsEntry]) -> dict[str, VpsEntry]:
    """Entries by the names that results of them bear: <image>_<id>, and <image>_<class> or <image>
    of the only one of its class or image."""
    found: dict[str, list[VpsEntry]] = {}
    for entry in entries:
        for stem in {PurePath(name).stem for name in entry.files} or {str(entry.image_id)}:
            found.setdefault(stem, []).append(entry)
            found.setdefault(f"{stem}_{entry.label}", []).append(entry)
            if entry.annotation_id is not None:
                found.setdefault(f"{stem}_{entry.annotation_id}", []).append(entry)
    # An entry may stand in a list twice.
    return {
        name: own[0]
        for name, own in found.items()
        if len({(one.label, one.truth) for one in own}) == 1
    }

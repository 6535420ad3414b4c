"""Image files by the names that annotations give them, in one folder and nowhere else."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path, PurePath

import numpy as np

from vps.core.files import shown_path
from vps.core.images import (
    ImageHeader,
    ImageReading,
    Needed,
    OpenedImage,
    open_image,
    read_header,
)
from vps.errors import InputError

SUFFIXES = (
    ".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".avif", ".ppm", ".pgm",
)  # fmt: skip
"""Of image files, in small letters: where a folder is looked through for them."""


@dataclass(frozen=True)
class ImageFolder:
    """Where the images of a data set lie.

    Attributes:
        path: of the folder.
        outside: whether its files may lie elsewhere, too: under names like ../a.jpg, absolute ones,
            or behind links. Whoever writes the annotations could have any image of this machine
            shown, and so published with the results.
    """

    path: Path
    outside: bool = False

    def names(self) -> list[str]:
        """The image files in it and in the folders below, by their suffixes; ordered."""
        found = []
        for place, _, files in os.walk(self.path):
            below = Path(place).relative_to(self.path)
            found += [(below / name).as_posix() for name in files if _is_image(name)]
        return sorted(found)


@dataclass(frozen=True)
class ImageFile:
    """An image file under one of several names.

    Attributes:
        folder: the image folder.
        names: relative to it, likeliest first.
        hint: for the message where none of them is there.
    """

    folder: ImageFolder
    names: tuple[str, ...]
    hint: str = ""

    @property
    def name(self) -> str:
        """The likeliest name, without folders."""
        return Path(self.names[0]).name or self.names[0]

    def __str__(self) -> str:
        return f"image {shown_path(self.folder.path / self.names[0])}"

    def read(self, reading: ImageReading | None = None) -> np.ndarray:
        """(H, W, 3) uint8 RGB; InputError if it is missing, corrupt or outside its folder."""
        return self.open(reading).pixels

    def open(
        self, reading: ImageReading | None = None, needed: Needed | None = None
    ) -> OpenedImage:
        """The same, a large image only as finely as is needed; see `vps.core.images.open_image`."""
        return open_image(self._find(), needed, reading)

    def header(self) -> ImageHeader:
        """Its size and orientation; errors as for `read`."""
        return read_header(self._find())

    def _find(self) -> Path:
        away = None
        for name in self.names:
            if not self.folder.outside and _leads_out(name):
                # Not even looked for; what lies in the folder under a shorter name may be meant.
                away = away or name
                continue
            path = self.folder.path / name
            # Not Path.exists, which raises where a name is too long.
            if os.path.exists(path):
                if not self.folder.outside and not _lies_in(path, self.folder.path):
                    raise self._outside(name)
                return path
        if away is not None:
            raise self._outside(away)
        rest = ", ".join(map(shown_path, self.names[1:]))
        others = f", nor do {rest} in that folder" if rest else ""
        raise InputError(f"{self} does not exist{others}{self.hint}")

    def _outside(self, name: str) -> InputError:
        return InputError(
            f"image {shown_path(name)} lies outside the image folder {shown_path(self.folder.path)}"
            f"; if it may be read, set the data set's option outside to true{self.hint}"
        )


def _is_image(name: str) -> bool:
    # Of macOS' "._a.jpg", the rest lies in a.jpg.
    return name.lower().endswith(SUFFIXES) and not name.startswith(".")


def _leads_out(name: str) -> bool:
    """Whether a name is absolute or climbs out of its folder, told without a look at the disk."""
    return bool(PurePath(name).anchor) or os.path.normpath(name).split(os.sep)[0] == os.pardir


def _lies_in(path: Path, folder: Path) -> bool:
    """Whether a path leads into a folder once all links are followed."""
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))

"""Photos that are turned to be looked at: whether annotations are of them as turned or as stored.

A camera stores its pixels as they come and notes in EXIF how it was held. Some tools turn an image
before it is annotated, others show and write it as it is stored.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from vps.core.images import EXIF, ImageHeader, ImageReading, Needed, OpenedImage
from vps.core.names import choose
from vps.errors import InputError

if TYPE_CHECKING:
    from vps.data.dataset import ImageEntry

BY_SIZES = "auto"
_MOST = 2000  # images whose headers are read to find out about those that do not tell
_SLACK = 1.5  # pixels by which a box may stick out of an image


@runtime_checkable
class PhotoFile(Protocol):
    """A `vps.data.dataset.Picture` in a file, which may say that it is to be turned."""

    def open(
        self, reading: ImageReading | None = None, needed: Needed | None = None
    ) -> OpenedImage:
        """The image, see `vps.core.images.open_image`; InputError if it is missing or corrupt."""
        ...

    def header(self) -> ImageHeader:
        """Its size and orientation; errors as for `read`."""
        ...


class Turning:
    """How the images of a data set are read, so that they fit their annotations.

    Args:
        exif: "applied" or "stored", see `vps.core.images.ImageReading`; or "auto": as each image's
            annotated size says, or else its boxes, or else the other images of the data set; where
            nothing tells, "applied", and a UserWarning says so, once.
        max_pixels: the most that an image may have, likewise.

    Raises:
        InputError: another value.
    """

    def __init__(self, exif: str = BY_SIZES, max_pixels: int | None = None) -> None:
        choose({**EXIF, BY_SIZES: None}, exif, "exif")
        self._exif = exif
        self._readings = {name: ImageReading(name, max_pixels) for name in EXIF}
        self._of_others: str | None = None
        self._asked = self._voiced = False

    def read(
        self, entry: ImageEntry, entries: Iterable[ImageEntry], needed: Needed | None = None
    ) -> OpenedImage:
        """An image in the frame of its annotations.

        Args:
            entry: of the image.
            entries: of all images of the data set.
            needed: what is needed of a large one, see `vps.core.images.open_image`.

        Raises:
            InputError: its file is missing, or no image.
        """
        if not isinstance(entry.picture, PhotoFile):
            pixels = entry.picture.read()
            return OpenedImage(pixels, (pixels.shape[0], pixels.shape[1]), entry.picture.name)
        frame = self._exif if self._exif != BY_SIZES else self._frame_of(entry, entries)
        return entry.picture.open(self._readings[frame], needed)

    def _frame_of(self, entry: ImageEntry, entries: Iterable[ImageEntry]) -> str:
        header = _header_of(entry)
        if header is None or header.orientation == 1:
            return "applied"
        if entry.size not in (None, header.stored, header.turned):
            return "applied"  # It is another image, which is told when it is read.
        told = told_by(entry, header) or self._told_by_others(entries)
        if told is None and not self._voiced:
            self._voiced = True
            warnings.warn(
                f"{entry.picture} is turned as its EXIF orientation ({header.orientation}) says, "
                "and nothing tells whether its boxes are of the image as turned or as stored: if "
                "as stored, set the data set's option exif to stored, else to applied",
                stacklevel=2,
            )
        return told or "applied"

    def _told_by_others(self, entries: Iterable[ImageEntry]) -> str | None:
        """What all images say that say anything; None where none does, or they do not agree."""
        if not self._asked:
            self._asked = True
            found = set()
            every = list(entries)
            for entry in every[:: -(-len(every) // _MOST)]:
                with contextlib.suppress(InputError):  # It is told when it is to be read.
                    header = _header_of(entry)
                    found.add(told_by(entry, header) if header else None)
            found.discard(None)
            self._of_others = found.pop() if len(found) == 1 else None
        return self._of_others


def told_by(entry: ImageEntry, header: ImageHeader) -> str | None:
    """The frame that the annotations of an image are in, a key of `EXIF`; None if nothing tells.

    Where the turn changes the size, that is told by the annotated size, or, where there is none,
    by boxes that lie within one of the two frames only.
    """
    if not header.tells:
        return None
    frames = {"applied": header.turned, "stored": header.stored}
    if entry.size is not None:
        return next((name for name, size in frames.items() if size == entry.size), None)
    if entry.fractions:
        return None
    fitting = [name for name, size in frames.items() if _holds(size, entry)]
    return fitting[0] if len(fitting) == 1 else None


def turned_hint(entry: ImageEntry) -> str:
    """For a message about an image of another size than annotated: what EXIF has to do with it."""
    header = _header_of(entry)
    if header is None or header.orientation == 1:
        return ""
    (height, width), (turned_height, turned_width) = header.stored, header.turned
    return (
        f" It is stored as {height} x {width}, and {turned_height} x {turned_width} once turned as "
        f"its EXIF orientation ({header.orientation}) says: see the data set's option exif"
    )


def _header_of(entry: ImageEntry) -> ImageHeader | None:
    return entry.picture.header() if isinstance(entry.picture, PhotoFile) else None


def _holds(size: tuple[int, int], entry: ImageEntry) -> bool:
    height, width = size
    return all(
        x2 <= width + _SLACK and y2 <= height + _SLACK
        for _, _, x2, y2 in (annotation.box for annotation in entry.annotations)
    )

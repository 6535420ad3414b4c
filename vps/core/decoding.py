"""What Pillow is to do with an image file: its limits, size and orientation, what is decoded."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from PIL import ExifTags, Image, PngImagePlugin

from vps.core.greys import DEEP, eight_bits

LONGEST_TEXT = 64 << 20
"""Bytes of text that a PNG may hold, as programs that generate images write it."""

_SMOOTH = ("L", "RGB", "CMYK", "YCbCr")
"""Pillow's modes that can be resized as they are."""

_WORTH = 1.5  # by which an image has more pixels than needed before it is made smaller
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""By EXIF orientation, how pixels are turned to be looked at."""

_UNDONE_BY = {6: 8, 8: 6}
"""Orientations whose turn another undoes; the rest undo their own."""


@dataclass(frozen=True)
class ImageHeader:
    """What an image file says of itself before its pixels are read.

    Attributes:
        stored: (H, W) of the pixels as they are stored.
        orientation: of EXIF, 1 to 8: how they are turned to be looked at; 1 where it does not say.
    """

    stored: tuple[int, int]
    orientation: int = 1

    @property
    def turned(self) -> tuple[int, int]:
        """(H, W) once they are turned."""
        return self.stored if self.orientation < 5 else self.stored[::-1]

    @property
    def tells(self) -> bool:
        """Whether the size of an image tells if it was turned."""
        return self.turned != self.stored

    @property
    def pixels(self) -> int:
        """How many there are."""
        return self.stored[0] * self.stored[1]


def decoded(
    image: Image.Image,
    header: ImageHeader,
    *,
    turned: bool = True,
    enough: tuple[int, int] | None = None,
) -> tuple[Image.Image, str]:
    """The pixels of an image, and what has to be said of them.

    Args:
        image: of Pillow; the pixels of a file are read now.
        header: likewise.
        turned: whether they are turned as EXIF says.
        enough: (h, w) at which they may be read where they are more, in the frame of the result.

    Returns:
        An image in mode RGB, and a note or "".
    """
    box = (0.0, 0.0, float(image.width), float(image.height))
    if enough is not None and image.format in ("JPEG", "MPO"):
        # The decoder leaves out fine detail, on which neither time nor memory is spent.
        height, width = enough[::-1] if turned and header.orientation >= 5 else enough
        drafted = image.draft(None, (width, height))
        box = drafted[1] if drafted else box
    image.load()
    pending = orientation_of(image)
    done = header.orientation if pending == 1 else 1  # Of TIFF, Pillow has turned them already.
    turn = pending if turned else _UNDONE_BY.get(done, done)
    note = ""
    if image.mode.startswith(DEEP):
        image, note = eight_bits(image)
    elif image.mode not in _SMOOTH:
        image = image.convert("RGB")
    if enough is not None:
        height, width = enough[::-1] if turn >= 5 else enough
        if image.height > _WORTH * height and image.width > _WORTH * width:
            image = image.resize((width, height), Image.Resampling.BOX, box)
    if turn != 1:
        image = image.transpose(_TURNS[turn])
    return image.convert("RGB"), note


def header_of(image: Image.Image) -> ImageHeader:
    """The header of an image whose pixels are not yet read."""
    # A PNG without EXIF at its start would be read as a whole to look for it at the end.
    known = image.format != "PNG" or any("exif" in str(key) for key in image.info)
    orientation = orientation_of(image) if known else 1
    size = image.height, image.width
    # Of TIFF, Pillow gives the size that it will have when it is turned.
    swapped = image.format == "TIFF" and orientation >= 5
    return ImageHeader(size[::-1] if swapped else size, orientation)


def orientation_of(image: Image.Image) -> int:
    """The EXIF orientation that the pixels still have to be turned by; 1 for as they are."""
    found = image.getexif().get(ExifTags.Base.Orientation, 1)
    return found if found in _TURNS else 1


class _WideLimits:
    """Pillow's limits of the process, wide as long as any thread is within the context.

    How many pixels an image has is checked where it is opened; long texts are no reason not to look
    at a picture.
    """

    def __init__(self) -> None:
        self._lock, self._within = threading.Lock(), 0
        self._usual: tuple[int | None, int] = (None, 0)

    def __enter__(self) -> int | None:
        """How many pixels an image may have where the user does not say."""
        with self._lock:
            if not self._within:
                self._usual = Image.MAX_IMAGE_PIXELS, PngImagePlugin.MAX_TEXT_CHUNK
                Image.MAX_IMAGE_PIXELS, PngImagePlugin.MAX_TEXT_CHUNK = None, LONGEST_TEXT
            self._within += 1
            return None if self._usual[0] is None else 2 * self._usual[0]

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._within -= 1
            if not self._within:
                Image.MAX_IMAGE_PIXELS, PngImagePlugin.MAX_TEXT_CHUNK = self._usual


LIMITS = _WideLimits()

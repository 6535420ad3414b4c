"""Images at the edge: whatever comes in leaves as RGB uint8 (H, W, 3)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from os import PathLike
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError

from vps.core.decoding import LIMITS, LONGEST_TEXT, ImageHeader, decoded, header_of
from vps.core.files import open_file, shown_path
from vps.core.names import choose
from vps.errors import InputError, one_line

PHOTOGRAPHS = ("JPEG", "PNG", "WEBP", "AVIF", "BMP", "GIF", "TIFF", "PPM")
"""The formats that are read, as Pillow calls them; a phone's MPO opens as JPEG.

Others that Pillow knows run programs (EPS is given to Ghostscript), or are seldom read and so
seldom looked after. What a file holds decides, not what it is called.
"""


LARGE = 25_000_000
"""The pixels above which an image is read at no more than the resolution that is needed."""

EXIF = {"applied": True, "stored": False}
"""Whether an image is turned as its EXIF orientation says, by the name of the setting."""

Needed = Callable[[tuple[int, int]], tuple[int, int] | None]
"""From the size (H, W) of a large image to the least (h, w) that will do; None for all of it."""


@dataclass(frozen=True)
class ImageReading:
    """How image files are read.

    Attributes:
        exif: "applied", turned as their EXIF orientation says, or "stored", as they are.
        max_pixels: the most that an image may have; by default twice `PIL.Image.MAX_IMAGE_PIXELS`.

    Raises:
        InputError: another value.
    """

    exif: str = "applied"
    max_pixels: int | None = None

    def __post_init__(self) -> None:
        choose(EXIF, self.exif, "exif")
        most = self.max_pixels
        if most is not None and (not isinstance(most, int) or isinstance(most, bool) or most < 1):
            raise InputError(f"max_pixels must be a whole number of at least 1, got {most!r}")

    def size_of(self, header: ImageHeader) -> tuple[int, int]:
        """(H, W) of an image file as it is read."""
        return header.turned if EXIF[self.exif] else header.stored


@dataclass(frozen=True, eq=False)
class OpenedImage:
    """An image, perhaps at a lower resolution than it is stored with.

    Attributes:
        pixels: (h, w, 3) uint8 RGB.
        size: (H, W) of the image itself, in whose pixels boxes are given.
        name: of its file, without folders; None if it was none.
        notes: what has to be said of how it was read.
        orientation: of EXIF, by which it was turned; 1 for not at all.
    """

    pixels: np.ndarray
    size: tuple[int, int]
    name: str | None = None
    notes: tuple[str, ...] = ()
    orientation: int = 1


AnyImage = np.ndarray | Image.Image | str | PathLike[str] | OpenedImage
"""What becomes an image: an array, a PIL image, the path of a file, or what `open_image` gave."""


def read_image(path: str | PathLike[str], reading: ImageReading | None = None) -> np.ndarray:
    """Read an image file as (H, W, 3) uint8 RGB, by default turned as its EXIF orientation says.

    Of several frames, the first is read. Grey values of more than 8 bits, and floating point ones,
    become 8 bits by the rule of `vps.core.greys.grey_range`.

    Raises:
        InputError: the file is missing or no regular one, truncated, too large, or no image of a
            format in `PHOTOGRAPHS`.
    """
    return open_image(Path(path), reading=reading).pixels


def decode_image(file: BinaryIO, what: str, reading: ImageReading | None = None) -> np.ndarray:
    """As `read_image`, out of an open file or a buffer; `what` names it in messages."""
    return _decode(file, what, None, reading or ImageReading()).pixels


def open_image(
    image: AnyImage, needed: Needed | None = None, reading: ImageReading | None = None
) -> OpenedImage:
    """Any image; a large file may be read at the resolution that is needed, which saves memory.

    Args:
        image: as `AnyImage` says.
        needed: what is needed of an image file with more than `LARGE` pixels; by default, all.
        reading: how a file is read.

    Raises:
        InputError: as for `read_image` and `as_rgb`.
    """
    if isinstance(image, OpenedImage):
        return image
    if not isinstance(image, (str, PathLike)):
        pixels = as_rgb(image)
        return OpenedImage(pixels, (pixels.shape[0], pixels.shape[1]))
    path, reading = Path(image), reading or ImageReading()
    enough = None
    if needed is not None:
        # Before the file is opened to be decoded: what a detector raises is no fault of the file.
        header = read_header(path)
        enough = needed(reading.size_of(header)) if header.pixels > LARGE else None
    with open_file(path, "image") as file:
        return _decode(file, f"image {shown_path(path)}", path.name, reading, enough)


def read_header(path: str | PathLike[str]) -> ImageHeader:
    """The size and orientation of an image file, whose pixels are not read.

    Raises:
        InputError: the file is missing, or no image.
    """
    path = Path(path)
    with open_file(path, "image") as file:
        return decode_header(file, f"image {shown_path(path)}")


def decode_header(file: BinaryIO, what: str) -> ImageHeader:
    """As `read_header`, out of an open file or a buffer; `what` names it in messages."""
    with _opened(file, what, max_pixels=_ANY) as (_, header):
        return header


def stored_size(path: str | PathLike[str]) -> tuple[int, int]:
    """(H, W) of an image file as it is stored; errors as for `read_header`."""
    return read_header(path).stored


def read_numbers(
    path: str | PathLike[str], what: str, check: Callable[[tuple[int, ...]], None]
) -> np.ndarray:
    """The whole numbers (H, W) of a PNG file of one channel as they are stored, no colours.

    Args:
        path: of the file.
        what: names it in messages.
        check: raises InputError for a size (H, W) that is not wanted, before pixels are read.

    Raises:
        InputError: the file is missing or cannot be read, or is another kind of image.
    """
    with open_file(Path(path), what) as file, _opened(file, what, max_pixels=_ANY) as (image, _):
        if image.format != "PNG" or image.mode not in ("L", "P", "I", "I;16"):
            kind = f"{image.format}, mode {image.mode}"
            raise InputError(f"{what} must be a PNG with one whole number a pixel, got {kind}")
        check((image.height, image.width))
        return np.array(image)


def as_rgb(image: np.ndarray | Image.Image) -> np.ndarray:
    """An image as (H, W, 3) uint8 RGB.

    Args:
        image: a PIL image of any mode, or an array: (H, W) or (H, W, 1) grey, or (H, W, 3) RGB,
            uint8. An array in BGR order must be turned round by the caller: nothing in it tells.

    Raises:
        InputError: another shape or type, or a PIL image whose file cannot be read.
    """
    if isinstance(image, Image.Image):
        try:
            return _array(decoded(image, header_of(image))[0])
        except InputError:
            raise
        except Exception as error:  # Pillow reads the pixels only when they are asked for.
            raise InputError(f"the image cannot be read: {one_line(error)}") from None
    try:
        array = np.asarray(image)
    except ValueError:  # Rows of several lengths.
        array = np.empty(0)
    if array.ndim == 2:
        array = array[..., None]
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] not in (1, 3):
        raise InputError(
            f"an image must be uint8 RGB of shape (H, W, 3), got {array.dtype} {array.shape}"
        )
    return np.ascontiguousarray(np.broadcast_to(_not_empty(array), (*array.shape[:2], 3)))


@cache
def _pillow_open() -> Callable[..., Image.Image]:
    """Pillow's own `open`: ultralytics puts another in its place when it is imported, which
    installs a package where a file is no image."""
    patches = sys.modules.get("ultralytics.utils.patches")
    own: Callable[..., Image.Image] = getattr(patches, "_image_open", Image.open)
    return own


def _formats() -> tuple[str, ...]:
    """Those of `PHOTOGRAPHS` that this Pillow has: it came to AVIF late."""
    Image.init()
    return tuple(name for name in PHOTOGRAPHS if name in Image.OPEN)


_ANY = 1 << 62
"""More pixels than any image has."""


def _decode(
    file: BinaryIO,
    what: str,
    name: str | None,
    reading: ImageReading,
    enough: tuple[int, int] | None = None,
) -> OpenedImage:
    turned = EXIF[reading.exif]
    with _opened(file, what, reading.max_pixels) as (image, header):
        size = reading.size_of(header)
        picture, note = decoded(image, header, turned=turned, enough=enough)
        pixels = _array(picture)
    if enough is None:  # Of some files, only the pixels tell for certain.
        size = pixels.shape[0], pixels.shape[1]
    notes = (f"{what}: {note}",) if note else ()
    return OpenedImage(pixels, size, name, notes, header.orientation if turned else 1)


@contextmanager
def _opened(
    file: BinaryIO, what: str, max_pixels: int | None = None
) -> Iterator[tuple[Image.Image, ImageHeader]]:
    """An image out of an open file, and its header; its pixels are not yet read.

    Whatever a decoder raises within the context becomes an InputError, too.

    Args:
        file: open to be read as bytes, or a buffer.
        what: names it in messages.
        max_pixels: the most that an image may have; by default as many as Pillow reads without an
            error, twice `PIL.Image.MAX_IMAGE_PIXELS`.

    Raises:
        InputError: no image of a format in `PHOTOGRAPHS`, one that cannot be read, or one with too
            many pixels.
    """
    try:
        with LIMITS as usual, _pillow_open()(file, formats=_formats()) as image:
            header = header_of(image)
            most = usual if max_pixels is None else max_pixels
            if most is not None and header.pixels > most:
                raise InputError(_too_many(what, header, most))
            yield image, header
    except InputError as error:
        raise (error if what in str(error) else InputError(f"{what}: {error}")) from None
    except UnidentifiedImageError:
        raise InputError(
            f"{what} is not an image of a format that is read ({', '.join(_formats())})"
        ) from None
    except MemoryError:
        raise InputError(f"{what} is too large for the memory of this machine") from None
    except (OSError, SyntaxError) as error:
        # Errors of the system have a number; those of a decoder have none.
        reason = getattr(error, "strerror", None) or f"is it truncated? ({one_line(error)})"
        raise InputError(f"{what} cannot be read: {reason}") from None
    except Exception as error:  # Decoders raise errors of nearly any class.
        raise InputError(f"{what} cannot be read: {_reason(error)}") from None


def _too_many(what: str, header: ImageHeader, most: int) -> str:
    height, width = header.turned
    return (
        f"{what} is too large to be opened unasked: {height} x {width} pixels (height x width), "
        f"more than {most}; if it is what it should be, allow them: --max-pixels {header.pixels}, "
        f"max_pixels: {header.pixels} among a data set's options, or in Python "
        f"PIL.Image.MAX_IMAGE_PIXELS = {header.pixels}"
    )


def _reason(error: Exception) -> str:
    text = one_line(error)
    if "MAX_TEXT" in text:
        size = LONGEST_TEXT >> 20
        return f"it holds more than {size} MiB of text or colour profiles; save it without"
    return text


def _array(picture: Image.Image) -> np.ndarray:
    return _not_empty(np.array(picture))


def _not_empty(array: np.ndarray) -> np.ndarray:
    if array.size == 0:
        raise InputError(f"an image needs at least one pixel, got shape {array.shape}")
    return array

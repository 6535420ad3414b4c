"""Inputs that attack, each small and harmless itself."""

from __future__ import annotations

import io
import os
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

POSTSCRIPT = b"""%!PS-Adobe-3.0 EPSF-3.0
%%BoundingBox: 0 0 8 8
%%EndComments
0 0 8 8 rectfill
showpage
%%EOF
"""
"""An EPS image, a program that an interpreter would run; it paints a square."""


def picture(form: str = "PNG", size: tuple[int, int] = (8, 6)) -> bytes:
    """The bytes of a picture of noise in a format of Pillow's."""
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, form)
    return buffer.getvalue()


def _chunk(kind: bytes, payload: bytes) -> bytes:
    check = zlib.crc32(kind + payload).to_bytes(4, "big")
    return len(payload).to_bytes(4, "big") + kind + payload + check


def swollen_png() -> bytes:
    """A PNG whose text is far larger than it looks."""
    whole = picture()
    text = b"Comment\0\0" + zlib.compress(bytes(80_000_000), 9)
    return whole[:33] + _chunk(b"zTXt", text) + whole[33:]


def _write(payload: bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / "attack.jpg"
        path.write_bytes(payload)
        return path

    return make


def _pipe(folder: Path) -> Path:
    os.mkfifo(folder / "pipe.jpg")
    return folder / "pipe.jpg"


def _folder(folder: Path) -> Path:
    (folder / "folder.jpg").mkdir()
    return folder / "folder.jpg"


BAD_IMAGES: dict[str, Callable[[Path], Path]] = {
    "postscript": _write(POSTSCRIPT),
    "nothing": _write(b""),
    "half a picture": _write(picture("JPEG")[:300]),
    "huge text": _write(swollen_png()),
    "broken numbers": _write(b"P6\n8 x\n255\n" + bytes(99)),
    "endless number": _write(b"P6\n" + b"9" * 5000 + b" 6\n255\n" + bytes(99)),
    "no pixels": _write(b"P6\n0 0\n255\n"),
    "folder": _folder,
    "missing": lambda folder: folder / "none.jpg",
    "long name": lambda folder: folder / ("x" * 5000 + ".jpg"),
    "name with a NUL": lambda folder: folder / "a\0.jpg",
    **({"pipe": _pipe} if hasattr(os, "mkfifo") else {}),
}
"""What is no image: a function that makes it in a folder and gives its path."""


def _grown(start: str, step: str) -> str:
    """Ten values in YAML, each of several of the one before: a file of a few lines, and 9^9."""
    lines = [f"&a0 {start}"]
    for number in range(1, 10):
        lines.append(f"&a{number} " + step.format(", ".join([f"*a{number - 1}"] * 9)))
    return f"[{', '.join(lines)}]"


BAD_YAML = {
    "no date": "2024-13-45",
    "a date": "!!timestamp 2024-01-01",
    "5000 digits": "9" * 5000,
    "5000 hexadecimal digits": "0x" + "f" * 5000,
    "a number to the base 60": "1" + ":59" * 5000,
    "5000 lists": "[" * 5000 + "]" * 5000,
    "5000 lists by aliases": "[&a0 [], "
    + ", ".join(f"&a{number} [*a{number - 1}]" for number in range(1, 5000))
    + "]",
    "a list that holds itself": "&a [*a]",
    "a mapping that holds itself": "&a {b: *a}",
    "a mapping that is merged into itself": "&a {<<: *a}",
    "billion laughs": _grown("[ha]", "[{}]"),
    "billion merged laughs": _grown("{ha: 1}", "{{<<: [{}]}}"),
    "a class": "!!python/object/apply:os.system [echo]",
    "no number": "!!int ''",
    "no truth": "!!bool maybe",
    "a key that is a list": "{[a]: b}",
    "bytes": "!!binary AAAA",
    "a name with a NUL": '"a\\0b"',
    "half a character": '"\\ud800"',
    "too much": "[" + "1, " * 110_000 + "]",
    "too large": "x" * (2 << 20),
}
"""Values in YAML that no setting has, each as text."""

"""Files that are read only if they are files, and written so that they are whole or absent."""

from __future__ import annotations

import contextlib
import os
import re
import stat
import uuid
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import BinaryIO

from vps.errors import InputError, OutputError, one_line

_SHOWN = 200  # characters of a path in a message
_ADDRESS = re.compile(r"\w{2,}:/")  # `Path` makes one slash of two


def open_file(path: str | PathLike[str], what: str) -> BinaryIO:
    """A regular file, opened to be read as bytes; errors as for `check_file`."""
    check_file(path, what)
    try:
        return open(path, "rb")
    except OSError as error:
        raise InputError(f"{what} {shown_path(path)} cannot be read: {error.strerror}") from None


def check_file(path: str | PathLike[str], what: str) -> None:
    """Refuse what is no regular file: a read of a pipe or a device may never come to an end.

    Args:
        path: where it should lie.
        what: what it should be, for the message, e.g. "image".

    Raises:
        InputError: there is nothing, something else, or a path that no system takes.
    """
    start = f"{what} {shown_path(path)}"
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        if is_address(path):
            raise InputError(
                f"{start} is an address on the web, which nothing is fetched from: download the "
                "file, and give its path"
            ) from None
        raise InputError(f"{start} does not exist") from None
    except (OSError, ValueError) as error:  # Too long a name; or one with a NUL in it.
        reason = getattr(error, "strerror", None) or one_line(error)
        raise InputError(f"{start} cannot be read: {reason}") from None
    if not stat.S_ISREG(mode):
        found = "a folder" if stat.S_ISDIR(mode) else "a pipe or a device"
        raise InputError(f"{start} is no file, but {found}")


def is_address(path: str | PathLike[str]) -> bool:
    """Whether a path is an address on the web."""
    return _ADDRESS.match(os.fspath(path)) is not None


def shown_path(path: str | PathLike[str]) -> str:
    """A path as a part of a message: without what does not print, and not too long."""
    text = os.fspath(path)
    if not text.isprintable():
        text = "".join(letter if letter.isprintable() else "?" for letter in text)
    if len(text) <= _SHOWN:
        return text
    return f"{text[: _SHOWN // 2]}...{text[-_SHOWN // 2 :]}"


def write_atomically(path: Path, payload: bytes) -> None:
    """Write a file so that at any moment it is absent, old or whole; missing folders are made.

    Raises:
        OutputError: it cannot be written.
    """
    with written_atomically(path) as file:
        file.write(payload)


@contextlib.contextmanager
def written_atomically(path: Path) -> Iterator[BinaryIO]:
    """A file to be written piece by piece, which takes its place when the context ends.

    Raises:
        OutputError: it cannot be written; whatever the context raises leaves the old one.
    """
    # In the same folder, because a replacement is atomic only within one file system.
    temporary = path.parent / f".{path.name}.{uuid.uuid4().hex}.tmp"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            yield file
        os.replace(temporary, path)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def encoded(text: str) -> bytes:
    """UTF-8; what no text is, such as a part of a file's name in another encoding, as "\\udce9"."""
    return text.encode(errors="backslashreplace")

"""Files that are read only if they are files, and pairs of them that are whole or absent.

A pair is <path>.npz and <path>.json, written so that the JSON means complete.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import stat
import uuid
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from vps.errors import InputError, OutputError, one_line

_SHOWN = 200  # characters of a path in a message


def open_file(path: Path, what: str) -> BinaryIO:
    """A regular file, opened to be read as bytes; errors as for `check_file`."""
    check_file(path, what)
    try:
        return path.open("rb")
    except OSError as error:
        raise InputError(f"{what} {shown_path(path)} cannot be read: {error.strerror}") from None


def check_file(path: Path, what: str) -> None:
    """Refuse what is no regular file: a read of a pipe or a device may never come to an end.

    Args:
        path: where it should lie.
        what: what it should be, for the message, e.g. "image".

    Raises:
        InputError: there is nothing, something else, or a path that no system takes.
    """
    start = f"{what} {shown_path(path)}"
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise InputError(f"{start} does not exist") from None
    except (OSError, ValueError) as error:  # Too long a name; or one with a NUL in it.
        reason = getattr(error, "strerror", None) or one_line(error)
        raise InputError(f"{start} cannot be read: {reason}") from None
    if not stat.S_ISREG(mode):
        found = "a folder" if stat.S_ISDIR(mode) else "a pipe or a device"
        raise InputError(f"{start} is no file, but {found}")


def shown_path(path: str | PathLike[str]) -> str:
    """A path as a part of a message: without what does not print, and not too long."""
    text = "".join(letter if letter.isprintable() else "?" for letter in os.fspath(path))
    if len(text) <= _SHOWN:
        return text
    return f"{text[: _SHOWN // 2]}...{text[-_SHOWN // 2 :]}"


def pair_paths(path: str | PathLike[str]) -> tuple[Path, Path]:
    """The .npz and .json that belong to `path`, which may bear either suffix or none.

    For a folder these are explanation.npz and explanation.json in it.
    """
    path = Path(path)
    if path.is_dir():
        path = path / "explanation"
    elif path.suffix in (".npz", ".json"):
        path = path.with_suffix("")
    # Not with_suffix: the name itself may hold a dot, as in "street.v2".
    return path.parent / f"{path.name}.npz", path.parent / f"{path.name}.json"


def write_pair(
    path: str | PathLike[str], arrays: Mapping[str, np.ndarray], record: Mapping[str, Any]
) -> Path:
    """Write arrays and a JSON record; a kill at any moment leaves no pair that looks complete.

    The old JSON goes first and the new one comes last, with the digest of the arrays it belongs
    to.

    Returns:
        The path of the JSON.

    Raises:
        OutputError: the folder or the files cannot be written.
    """
    npz_path, json_path = pair_paths(path)
    buffer = io.BytesIO()
    # The type stub takes the first keyword for allow_pickle.
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    payload = buffer.getvalue()
    record = {**record, "arrays_sha256": hashlib.sha256(payload).hexdigest()}
    try:
        json_path.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{json_path} cannot be written: {error.strerror}") from error
    write_atomically(npz_path, payload)
    # The default turns numpy's numbers into plain ones.
    text = json.dumps(record, indent=1, default=np.generic.item)
    write_atomically(json_path, text.encode())
    return json_path


def read_pair(path: str | PathLike[str]) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The arrays and the record that `write_pair` wrote.

    Raises:
        InputError: a file is missing or corrupt, or the two are of different saves.
    """
    npz_path, json_path = pair_paths(path)
    text, payload = _read(json_path), _read(npz_path)
    try:
        record = json.loads(text)
        digest = record.pop("arrays_sha256")
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise InputError(f"{json_path} is corrupt or no explanation: {error}") from error
    if digest != hashlib.sha256(payload).hexdigest():
        raise InputError(f"{npz_path} is corrupt or not of the same save as {json_path.name}")
    try:
        with np.load(io.BytesIO(payload), allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}, record
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"{npz_path} is no archive of arrays: {error}") from error


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


def _read(path: Path) -> bytes:
    if not os.path.exists(path):
        raise InputError(f"{shown_path(path)} does not exist; was the run that writes it stopped?")
    with open_file(path, "result") as file:
        return file.read()

"""A pair of files, <path>.npz and <path>.json, written so that the JSON means complete."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import uuid
import zipfile
import zlib
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from vps.errors import InputError, OutputError


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
    # In the same folder, because a replacement is atomic only within one file system.
    temporary = path.parent / f".{path.name}.{uuid.uuid4().hex}.tmp"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(payload)
        os.replace(temporary, path)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; was the run that writes it stopped?") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error

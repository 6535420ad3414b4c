"""Pairs of files that are whole or absent: arrays in <path>.npz, all else in <path>.json.

They are written so that the JSON means complete.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from vps.core.arrays import MOST_BYTES, ArraySchema, read_arrays
from vps.core.files import open_file, shown_path, write_atomically
from vps.core.json_files import parse_json_record
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


def read_pair(
    path: str | PathLike[str], schema: Mapping[str, ArraySchema]
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The arrays and the record that `write_pair` wrote.

    Args:
        path: as for `write_pair`.
        schema: what arrays there may be, and what they hold.

    Raises:
        InputError: a file is missing, too large or corrupt, the two are of different saves, or the
            arrays are not those of the schema.
    """
    npz_path, json_path = pair_paths(path)
    text, payload = _read(json_path), _read(npz_path)
    record = parse_json_record(text, f"result {shown_path(json_path)}")
    digest = record.pop("arrays_sha256", None)
    if digest is None:
        raise InputError(f"{json_path} is corrupt or no explanation: arrays_sha256 is missing")
    if digest != hashlib.sha256(payload).hexdigest():
        raise InputError(f"{npz_path} is corrupt or not of the same save as {json_path.name}")
    return read_arrays(payload, schema, shown_path(npz_path)), record


def _read(path: Path) -> bytes:
    if not os.path.exists(path):
        raise InputError(f"{shown_path(path)} does not exist; was the run that writes it stopped?")
    with open_file(path, "result") as file:
        payload = file.read(MOST_BYTES + 1)
    if len(payload) > MOST_BYTES:
        raise InputError(
            f"{shown_path(path)} has more than {MOST_BYTES} bytes, which no result has"
        )
    return payload

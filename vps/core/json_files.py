"""JSON files that others may have written or damaged: read within bounds, with one error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from vps.core.files import open_file, shown_path
from vps.errors import InputError, one_line

MOST_JSON_BYTES = 1 << 30
"""Of a JSON file that is read: the annotations of LVIS, the largest known, are 1.1e9 bytes."""


def read_json_record(path: Path, what: str, most: int = MOST_JSON_BYTES) -> dict[str, Any]:
    """The keys and values of a JSON file.

    Args:
        path: of the file.
        what: what it should be, for messages, e.g. "case list".
        most: bytes that it may have.

    Raises:
        InputError: it is missing, no file, too large, no JSON, nested too deeply for Python, or it
            holds something else than keys and values; one line that names the file.
    """
    with open_file(path, what) as file:
        try:
            text = file.read(most + 1)
        except OSError as error:
            raise InputError(
                f"{what} {shown_path(path)} cannot be read: {error.strerror}"
            ) from None
    return parse_json_record(text, f"{what} {shown_path(path)}", most)


def parse_json_record(text: bytes, what: str, most: int = MOST_JSON_BYTES) -> dict[str, Any]:
    """The same of bytes that are read already; `what` names them in messages."""
    if len(text) > most:
        raise InputError(f"{what} has more than {most} bytes, which none of them needs")
    try:
        record = json.loads(text)
    except RecursionError:
        raise InputError(f"{what} cannot be read: it is nested too deeply") from None
    except ValueError as error:  # No JSON, no text, or a number of thousands of digits.
        raise InputError(f"{what} cannot be read: {one_line(error)}") from None
    if not isinstance(record, dict):
        raise InputError(f"{what} holds no keys and values, but a {type(record).__name__}")
    return record

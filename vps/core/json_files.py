"""JSON files that others may have written or damaged: read within bounds, with one error."""

from __future__ import annotations

import contextlib
import functools
import json
import os
from os import PathLike
from typing import Any

from vps.core.compiled import compiled
from vps.core.files import open_file, shown_path
from vps.core.schema import build
from vps.errors import InputError, one_line

MOST_JSON_BYTES = 1 << 30
"""Of a JSON file that is read: the annotations of LVIS, the largest known, are 1.1e9 bytes."""

_ROOM = 1 << 16  # bytes, for files that tell no size


def read_json_record(
    path: str | PathLike[str], what: str, most: int = MOST_JSON_BYTES
) -> dict[str, Any]:
    """The keys and values of a JSON file.

    Args:
        path: of the file.
        what: what it should be, for messages, e.g. "case list".
        most: bytes that it may have.

    Raises:
        InputError: it is missing, no file, too large, no JSON, nested too deeply for Python, or it
            holds something else than keys and values; one line that names the file.
    """
    return parse_json_record(_read(path, what, most), f"{what} {shown_path(path)}", most)


def read_typed_json(
    kind: Any, path: str | PathLike[str], what: str, most: int = MOST_JSON_BYTES
) -> Any:
    """A value of a TypedDict from a JSON file: `build` of `read_json_record`, and as strict.

    What is as the program writes it is parsed and checked in one go, in a sixth of the time;
    all else, by those two.

    Args:
        kind: the TypedDict; it may hold others.
        path, what, most: as for `read_json_record`.

    Raises:
        InputError: as both of them do.
    """
    text = _read(path, what, most)
    if len(text) <= most:
        with contextlib.suppress(ValueError):  # Of which pydantic's are.
            return compiled(kind).validate_json(text)
    return build(kind, parse_json_record(text, f"{what} {shown_path(path)}", most))


def indented(value: Any, level: int = 1) -> str:
    """JSON with every key on a line of its own: what `json.dumps` writes with indent=1.

    That is Python code, and takes seconds where compiled code takes a tenth of one.

    Args:
        value: dicts with texts as keys, lists, texts and finite numbers.
        level: how deep it stands.

    Raises:
        ValueError: a number is not finite.
    """
    if not (value and isinstance(value, (dict, list))):
        return _encoder().encode(value)
    line = "\n" + " " * level
    items = value.values() if isinstance(value, dict) else value
    if not any(isinstance(item, (dict, list)) for item in items):
        inner = _encoder(f",{line}").encode(value)[1:-1]
    elif isinstance(value, dict):
        names = map(_encoder().encode, value)
        parts = (indented(item, level + 1) for item in items)
        inner = f",{line}".join(map("{}: {}".format, names, parts))
    else:
        inner = f",{line}".join(indented(item, level + 1) for item in items)
    first, last = "{}" if isinstance(value, dict) else "[]"
    return f"{first}{line}{inner}{line[:-1]}{last}"


@functools.cache
def _encoder(comma: str = ",") -> json.JSONEncoder:
    return json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(comma, ": "))


def _read(path: str | PathLike[str], what: str, most: int) -> bytes:
    """At most a byte more than may be there."""
    with open_file(path, what) as file:
        try:
            # Room is made for all that is asked for.
            size = max(os.fstat(file.fileno()).st_size, _ROOM)
            return file.read(min(size, most) + 1)
        except OSError as error:
            raise InputError(
                f"{what} {shown_path(path)} cannot be read: {error.strerror}"
            ) from None


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

"""Pickles of plain values, read so that nothing in them can run."""

from __future__ import annotations

import pickle
from os import PathLike
from pathlib import Path
from typing import Any

from vps.errors import InputError, one_line


class _PlainUnpickler(pickle.Unpickler):
    """Knows no classes and no functions; numbers, text and containers need none."""

    def find_class(self, module: str, name: str) -> Any:
        raise InputError(
            f"it asks for {module}.{name}, and a file of annotations may hold only lists, dicts, "
            "text and numbers; do not trust it, or convert it to JSON where it comes from"
        )


def read_plain_pickle(path: str | PathLike[str]) -> Any:
    """The content of a pickle that holds lists, tuples, dicts, text and numbers only.

    Whatever would import or call something is refused before it does. Byte strings of Python 2
    become text, as Latin-1.

    Raises:
        InputError: the file is missing or truncated, no pickle, or holds anything else.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            return _PlainUnpickler(file, encoding="latin1").load()
    except FileNotFoundError:
        raise InputError(f"{path} does not exist") from None
    except InputError as error:
        raise InputError(f"{path} is refused: {error}") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    except Exception as error:  # Broken bytes lead to errors of nearly any class.
        raise InputError(f"{path} is truncated, or no pickle: {one_line(error)}") from error

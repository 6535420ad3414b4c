"""Pickles of plain values, read so that nothing in them can run."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from vps.errors import InputError, one_line


class _NumberType:
    """Stands for a dtype of numpy: knows numbers and text, and nothing that holds objects."""

    def __init__(self, code: Any, *_: Any) -> None:
        if not isinstance(code, str) or not re.fullmatch(r"[biuf][1248]|U\d{1,6}", code):
            raise InputError(f"it holds values of numpy's type {code!r}, which is no number")
        self._code, self._order = code, "<"

    def __setstate__(self, state: Any) -> None:
        order = state[1]
        if order not in ("<", ">", "|", "="):
            raise InputError(f"it holds numbers of an unknown order of bytes, {order!r}")
        self._order = order

    def value(self, payload: Any) -> Any:
        """The Python value of the bytes of one number."""
        raw = payload.encode("latin1") if isinstance(payload, str) else bytes(payload)
        kind = np.dtype(self._order + self._code)
        if len(raw) != kind.itemsize:
            raise InputError(f"it holds a number of {len(raw)} bytes instead of {kind.itemsize}")
        return np.frombuffer(raw, kind)[0].item()


def _scalar(kind: Any, payload: Any) -> Any:
    if not isinstance(kind, _NumberType) or not isinstance(payload, (bytes, str)):
        raise InputError("it holds a number of numpy without its type or its bytes")
    return kind.value(payload)


def _encode(text: Any, encoding: Any = "latin1") -> bytes:
    """How bytes stand in pickles that Python 2 can read."""
    if not isinstance(text, str) or encoding != "latin1":
        raise InputError("it holds bytes in an unknown encoding")
    return text.encode("latin1")


class _Function:
    """What a pickle may call, and cannot change: functions have attributes, which it could set."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call

    def __call__(self, *arguments: Any) -> Any:
        return self._call(*arguments)

    def __setstate__(self, state: Any) -> None:
        raise InputError("it holds changes to a function of this project")


_ALLOWED = {
    ("numpy.core.multiarray", "scalar"): _Function(_scalar),
    ("numpy._core.multiarray", "scalar"): _Function(_scalar),
    ("numpy", "dtype"): _Function(_NumberType),
    ("_codecs", "encode"): _Function(_encode),
}
"""What a pickle may ask for, and what it gets: own functions, never those of that name."""


class _PlainUnpickler(pickle.Unpickler):
    """Knows numbers of numpy, and no other classes and functions."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _ALLOWED:
            return _ALLOWED[module, name]
        raise InputError(
            f"it asks for {module}.{name}, and a file of annotations may hold only lists, dicts, "
            "text and numbers; do not trust it, or convert it to JSON where it comes from"
        )


def read_plain_pickle(path: str | PathLike[str]) -> Any:
    """The content of a pickle that holds lists, tuples, dicts, text and numbers only.

    Numbers and text of numpy become Python's. Whatever else would import or call something is
    refused before it does. Byte strings of Python 2 become text, as Latin-1.

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

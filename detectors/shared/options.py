"""Options of a kind of detector: known by its loader's signature, and of the right type."""

from __future__ import annotations

import ast
import contextlib
import inspect
import typing
from collections.abc import Callable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from vps.core.names import choose
from vps.errors import InputError

# What `detectors.load` itself hands to every loader.
COMMON = ("source", "labels", "device", "dtype")


def fit_options(
    loader: Callable[..., Any], options: Mapping[str, Any], kind: str
) -> dict[str, Any]:
    """The options as the loader takes them; text becomes a number where one is wanted.

    Args:
        loader: takes the options by name, with type hints of plain types.
        options: by name.
        kind: of detector, for the messages.

    Raises:
        InputError: an option that the loader does not know, or a value of another type.
    """
    known = [name for name in inspect.signature(loader).parameters if name not in COMMON]
    hints = typing.get_type_hints(loader)
    fitted = {}
    for name, value in options.items():
        if not known:
            raise InputError(f"{kind} has no options, got {name!r}")
        choose(dict.fromkeys(known), name, f"option of {kind}")
        hint = hints[name]
        types = tuple(typing.get_origin(part) or part for part in typing.get_args(hint) or (hint,))
        fitted[name] = _fitted(value, types, f"option {name} of {kind}")
    return fitted


def describe(options: Mapping[str, Any]) -> str:
    """Options in a few words, for the name of a detector: of a path, the file's name."""
    return ", ".join(
        f"{name}={Path(value).name if _is_path(value) else value}"
        for name, value in options.items()
    )


def _is_path(value: Any) -> bool:
    return isinstance(value, PathLike) or (isinstance(value, str) and Path(value).exists())


def _fitted(value: Any, types: tuple[type, ...], what: str) -> Any:
    if isinstance(value, str) and str not in types:
        # What is no number stays a text, and is refused below.
        with contextlib.suppress(ValueError, SyntaxError):
            value = ast.literal_eval(value)
    if isinstance(value, int) and not isinstance(value, bool) and int not in types:
        value = float(value) if float in types else value
    right = isinstance(value, types) and (bool in types or not isinstance(value, bool))
    if not right:
        names = {type(None): "None", PathLike: "path"}
        wanted = " or ".join(names.get(kind, kind.__name__) for kind in types)
        raise InputError(f"{what} must be {wanted}, got {value!r}")
    return value

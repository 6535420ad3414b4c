"""Options of a kind of detector: known by its loader's signature, and of the right type."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from vps.core.names import choose
from vps.core.schema import build, read_literal
from vps.errors import InputError

# What `detectors.load` itself hands to every loader.
COMMON = ("source", "labels", "device", "dtype")


def fit_options(
    loader: Callable[..., Any],
    options: Mapping[str, Any],
    kind: str,
    common: Sequence[str] = COMMON,
) -> dict[str, Any]:
    """The options as the loader takes them; text becomes a number where one is wanted.

    Args:
        loader: takes the options by name, with type hints that `vps.core.schema.build` knows, or
            without; one with `**options` takes any.
        options: by name.
        kind: of detector, for the messages.
        common: parameters that are no options.

    Raises:
        InputError: an option that the loader does not know, or a value of another type.
    """
    hints = typing.get_type_hints(loader.__init__ if inspect.isclass(loader) else loader)
    parameters = inspect.signature(loader).parameters
    named = [one for one in parameters.values() if one.kind not in (one.VAR_KEYWORD,)]
    takes_any = len(named) < len(parameters)
    known = {one.name: hints.get(one.name, Any) for one in named if one.name not in common}
    fitted = {}
    for name, value in options.items():
        if not known and not takes_any:
            raise InputError(f"{kind} has no options, got {name!r}")
        hint = Any
        if name in known or not takes_any:
            hint = choose(known, name, f"option of {kind}")
        value = read_literal(hint, value) if isinstance(value, str) else value
        fitted[name] = build(hint, value, f"option {name} of {kind}")
    return fitted


def describe(options: Mapping[str, Any]) -> str:
    """Options in a few words, for the name of a detector: of a path, the file's name."""
    return ", ".join(
        f"{name}={Path(value).name if _is_path(value) else value}"
        for name, value in options.items()
    )


def _is_path(value: Any) -> bool:
    return isinstance(value, PathLike) or (isinstance(value, str) and Path(value).exists())

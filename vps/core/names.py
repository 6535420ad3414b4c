"""Settings chosen by name: one lookup, one error that names the nearest choice."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable, Mapping
from typing import TypeVar

from vps.errors import InputError, quoted

Value = TypeVar("Value")


def choose(table: Mapping[str, Value], name: str, what: str) -> Value:
    """The entry of `table` under `name`.

    Args:
        table: the choices by name.
        name: what the user asked for.
        what: what is chosen, for the message, e.g. "search".

    Raises:
        InputError: there is no such choice.
    """
    if isinstance(name, str) and name in table:
        return table[name]
    said = quoted(name)
    near = difflib.get_close_matches(said.strip("'"), table, n=1, cutoff=0.4)
    hint = f", did you mean {near[0]!r}?" if near else ";"
    raise InputError(f"unknown {what} {said}{hint} choices: {', '.join(table)}")


def name_key(name: str) -> str:
    """What names that differ in case, spaces and underscores only have in common.

    >>> name_key(" Traffic_Light") == name_key("traffic  light")
    True
    """
    return " ".join(unicodedata.normalize("NFC", name).casefold().replace("_", " ").split())


def distinct_names(names: Iterable[str]) -> tuple[str, ...]:
    """The names without those that have the key of an earlier one, see `name_key`."""
    first: dict[str, str] = {}
    for name in names:
        first.setdefault(name_key(name), name)
    return tuple(first.values())

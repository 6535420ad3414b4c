"""Settings chosen by name: one lookup, one error that names the nearest choice."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TypeVar

from vps.errors import InputError

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
    if name in table:
        return table[name]
    near = difflib.get_close_matches(str(name), table, n=1, cutoff=0.4)
    hint = f", did you mean {near[0]!r}?" if near else ";"
    raise InputError(f"unknown {what} {name!r}{hint} choices: {', '.join(table)}")

"""Options of a method: known by its signature, of the right type and in range."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from vps.core.names import choose
from vps.core.schema import build
from vps.errors import InputError


@dataclass(frozen=True)
class Limit:
    """What holds for an option beyond its type: `masks: Annotated[int, AT_LEAST_ONE] = 5000`.

    Attributes:
        wording: ends the sentence "masks must be ...".
        holds: of a value of the right type.
    """

    wording: str
    holds: Callable[[Any], bool]


AT_LEAST_ONE = Limit("at least 1", lambda value: value >= 1)
AT_LEAST_TWO = Limit("at least 2", lambda value: value >= 2)
BETWEEN_0_AND_1 = Limit("between 0 and 1, both excluded", lambda value: 0 < value < 1)


def check_options_of(function: Callable[..., Any], options: Mapping[str, Any], name: str) -> None:
    """Check options against the keyword arguments of a function.

    Args:
        function: takes options by keyword only; `seed` is none of them.
        options: by name.
        name: of the method, for messages.

    Raises:
        InputError: an unknown option, or a value of another type or beyond its `Limit`.
    """
    hints = typing.get_type_hints(function, include_extras=True)
    known = {
        key: hints[key]
        for key, parameter in inspect.signature(function).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY and key != "seed"
    }
    for key, value in options.items():
        if not known:
            raise InputError(f"{name} has no options, got {key!r}")
        hint = choose(known, key, f"option of {name}")
        annotated = typing.get_origin(hint) is Annotated
        kind, *limits = typing.get_args(hint) if annotated else (hint,)
        value = build(kind, value, f"option {key} of {name}")
        for limit in limits:
            if not limit.holds(value):
                raise InputError(f"option {key} of {name} must be {limit.wording}, got {value!r}")

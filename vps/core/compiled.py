"""Types whose values are parsed from JSON and checked by compiled code."""

from __future__ import annotations

import functools
import operator
import typing
from typing import Any

from vps.core.extras import require
from vps.core.schema import UNIONS, hints_of


@functools.cache
def compiled(kind: Any) -> Any:
    """A pydantic.TypeAdapter that takes less than `vps.core.schema.build`, never more.

    Numbers must be finite, texts are texts, and nothing is turned into something else but whole
    numbers into floats; a list is read as a tuple where one is wanted. What it refuses, `build` may
    still take.

    Args:
        kind: a TypedDict of plain types, tuples, dicts, unions of these, and others like it.
    """
    return require("pydantic", extra="eval").TypeAdapter(_strict(kind))


def _strict(kind: Any) -> Any:
    if typing.is_typeddict(kind):
        # Before Python 3.12, pydantic takes no other class of them.
        typed_dict: Any = require("typing_extensions", extra="eval").TypedDict
        made = typed_dict(
            kind.__name__, {name: _strict(own) for name, own in hints_of(kind).items()}
        )
        made.__pydantic_config__ = {"strict": True, "allow_inf_nan": False}
        return made
    if typing.get_origin(kind) in UNIONS:
        return functools.reduce(operator.or_, map(_strict, typing.get_args(kind)))
    return kind

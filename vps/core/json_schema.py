"""The JSON Schema of settings, for editors and for whoever checks a file before it is read."""

from __future__ import annotations

import dataclasses
import inspect
import re
import typing
from os import PathLike
from pathlib import Path
from types import NoneType
from typing import Any

from vps.core.schema import UNIONS, choices_of, hints_of, is_required, to_plain

DRAFT = "https://json-schema.org/draft/2020-12/schema"

_PLAIN = {
    NoneType: "null",
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    Path: "string",
    PathLike: "string",
}


def json_schema(kind: Any) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of what `vps.core.schema.build` reads as a type.

    It knows keys, types, choices and defaults, and describes them by the docstrings: a class by the
    first line, a field by its entry under "Attributes:". It does not know what a class checks when
    it is made, such as ranges. A number without a fraction, 3.0, is an integer in JSON Schema, and
    none for `build`.

    Args:
        kind: as for `vps.core.schema.build`, mostly a dataclass.

    Returns:
        The schema, of what JSON knows only.
    """
    title = {"title": kind.__name__} if isinstance(kind, type) else {}
    return {"$schema": DRAFT, **title, **_schema(kind)}


def attribute_docs(docstring: str | None) -> dict[str, str]:
    """What a docstring says of each name under "Attributes:", on one line each."""
    lines = inspect.cleandoc(docstring or "").split("\n")
    found: dict[str, str] = {}
    names: list[str] = []
    for line in lines[lines.index("Attributes:") + 1 :] if "Attributes:" in lines else []:
        if line and not line.startswith(" "):
            break
        if entry := re.fullmatch(r" {4}(\w+(?:, \w+)*): (.*)", line):
            names = entry[1].split(", ")
            found.update(dict.fromkeys(names, entry[2]))
        elif line:
            found.update({name: f"{found[name]} {line.strip()}" for name in names})
    return found


def _schema(kind: Any) -> dict[str, Any]:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return {}
    if origin in UNIONS:
        return {"anyOf": [_schema(one) for one in arguments]}
    if choices := choices_of(kind):
        return {"enum": list(choices)}
    if dataclasses.is_dataclass(kind):
        return _object(kind)
    if origin is dict:
        return {"type": ["object", "null"], "additionalProperties": _schema(arguments[1])}
    if origin is tuple and arguments[-1] is Ellipsis:
        return {"type": "array", "items": _schema(arguments[0])}
    if origin is tuple:
        items, count = [_schema(one) for one in arguments], len(arguments)
        return {
            "type": "array",
            "prefixItems": items,
            "items": False,
            "minItems": count,
            "maxItems": count,
        }
    return {"type": _PLAIN[origin or kind]}


def _object(kind: Any) -> dict[str, Any]:
    hints, docs = hints_of(kind), attribute_docs(kind.__doc__)
    fields = dataclasses.fields(kind)
    required = [field.name for field in fields if is_required(field)]
    return {
        # An empty key is an empty mapping.
        "type": "object" if required else ["object", "null"],
        "description": inspect.cleandoc(kind.__doc__ or "").split("\n")[0],
        "properties": {
            field.name: _property(field, hints[field.name], docs.get(field.name, ""))
            for field in fields
        },
        "required": required,
        "additionalProperties": False,
    }


def _property(field: dataclasses.Field[Any], kind: Any, about: str) -> dict[str, Any]:
    schema = _schema(kind)
    # "See its class" says less than the class.
    if about and not ("description" in schema and about.startswith("see ")):
        schema["description"] = about
    if not is_required(field):
        schema["default"] = to_plain(_default(field))
    return schema


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default

"""Typed values from what YAML, JSON and command lines give, and back."""

from __future__ import annotations

import ast
import dataclasses
import enum
import types
import typing
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from os import PathLike
from pathlib import Path
from typing import Any, Literal

from vps.core.names import choose
from vps.errors import InputError

UNIONS = (typing.Union, types.UnionType)

# What values of a type are read from, and how a message asks for it.
_FORMS: dict[Any, tuple[tuple[type, ...], str]] = {
    types.NoneType: ((types.NoneType,), "be empty"),
    str: ((str,), "be text"),
    bool: ((bool,), "be true or false"),
    int: ((Integral,), "be a whole number"),
    float: ((Real,), "be a number"),
    Path: ((str, PathLike), "be a path"),
    PathLike: ((PathLike,), "be a path"),
    tuple: ((list, tuple), "be a list"),
    dict: ((Mapping, types.NoneType), "hold keys and values"),
}


def to_plain(value: Any) -> Any:
    """Settings as what JSON and YAML know: dicts, lists, text and numbers."""
    if dataclasses.is_dataclass(value):
        return {
            item.name: to_plain(getattr(value, item.name)) for item in dataclasses.fields(value)
        }
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_plain(item) for item in value]
    if isinstance(value, PathLike):
        return str(value)
    return value.value if isinstance(value, enum.Enum) else value


def build(kind: Any, value: Any, where: str = "") -> Any:
    """A value of a type from what YAML gives.

    Args:
        kind: a dataclass, an enum, a plain type, a path, a literal, `tuple[X, ...]`, `tuple[X, Y]`,
            `dict[str, X]`, or a union of these. Dataclasses of one union begin with the same field,
            whose literal tells them apart: `head: Literal["yolox"]`.
        value: what the file holds; an empty key is an empty mapping where one is wanted.
        where: the key, for messages.

    Raises:
        InputError: an unknown or missing key, or a value of another type; the message says where,
            and names the nearest key or choice.
    """
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return value
    if origin in UNIONS:
        return _build_union(arguments, value, where)
    if choices := choices_of(kind):
        table = {str(choice): choice for choice in choices}
        choice = choose(table, value if isinstance(value, str) else repr(value), where)
        return choice if origin is Literal else kind(choice)
    if not _is_read_from(kind, value):
        raise InputError(f"{where or 'it'} must {_form(kind)[1]}, got {value!r}")
    if dataclasses.is_dataclass(kind):
        return _build_dataclass(kind, value or {}, where)
    if origin is dict:
        items = (value or {}).items()
        return {str(key): build(arguments[1], item, _at(where, key)) for key, item in items}
    if origin is tuple:
        return _build_tuple(arguments, value, where)
    return kind(value) if kind in (int, float, Path) else value


def check_fields(settings: Any) -> None:
    """Raise InputError where a field of a dataclass holds a value of another type than its own."""
    hints = typing.get_type_hints(type(settings))
    for item in dataclasses.fields(settings):
        build(hints[item.name], getattr(settings, item.name), item.name)


def choices_of(kind: Any) -> tuple[Any, ...]:
    """What a literal or an enum allows, as files write it; empty for other types."""
    if typing.get_origin(kind) is Literal:
        return typing.get_args(kind)
    is_enum = isinstance(kind, type) and issubclass(kind, enum.Enum)
    return tuple(item.value for item in kind) if is_enum else ()


def read_literal(kind: Any, text: str) -> Any:
    """What a text of a command line means where a type wants no text: a number, or true or false.

    What is neither stays text, which `build` refuses.
    """
    kinds = typing.get_args(kind) if typing.get_origin(kind) in UNIONS else (kind,)
    if any(one is str or choices_of(one) for one in kinds):
        return text
    try:
        return ast.literal_eval({"true": "True", "false": "False"}.get(text, text))
    except (ValueError, SyntaxError):
        return text


def _form(kind: Any) -> tuple[tuple[type, ...], str]:
    if dataclasses.is_dataclass(kind):
        return _FORMS[dict]
    known = _FORMS.get(kind) or _FORMS.get(typing.get_origin(kind))
    return known or ((kind,), f"be of type {getattr(kind, '__name__', kind)}")


def _is_read_from(kind: Any, value: Any) -> bool:
    if kind is Any or choices_of(kind):
        return True
    # True is a number in Python.
    return isinstance(value, _form(kind)[0]) and (kind is bool or not isinstance(value, bool))


def _build_union(kinds: Sequence[Any], value: Any, where: str) -> Any:
    if value is None and types.NoneType in kinds:
        return None
    kinds = [kind for kind in kinds if kind is not types.NoneType]
    fitting = [kind for kind in kinds if _is_read_from(kind, value)]
    if not fitting:
        wanted = " or ".join(dict.fromkeys(_form(kind)[1] for kind in kinds))
        wanted = wanted.replace(" or be ", " or ")
        raise InputError(f"{where or 'it'} must {wanted}, got {value!r}")
    if len(fitting) > 1 and all(map(dataclasses.is_dataclass, fitting)):
        fitting = [_told_apart(fitting, value or {}, where)]
    reasons = []
    for kind in fitting:
        try:
            return build(kind, value, where)
        except InputError as error:
            reasons.append(error)
    raise reasons[0] if len(reasons) == 1 else InputError("; or ".join(map(str, reasons)))


def _told_apart(kinds: Sequence[Any], value: Mapping[str, Any], where: str) -> Any:
    """Of several dataclasses, the one whose first field is what the value says there."""
    name = dataclasses.fields(kinds[0])[0].name
    table = {choices_of(typing.get_type_hints(kind)[name])[0]: kind for kind in kinds}
    if name not in value:
        raise InputError(f"{_at(where, name)} is missing; choices: {', '.join(table)}")
    return choose(table, str(value[name]), _at(where, name))


def _build_dataclass(kind: Any, items: Mapping[str, Any], where: str) -> Any:
    fields = {item.name: item for item in dataclasses.fields(kind)}
    hints = typing.get_type_hints(kind)
    for key in items:
        choose(fields, key, f"key of {where}" if where else "key")
    for name in fields:
        if name not in items and is_required(fields[name]):
            raise InputError(f"{_at(where, name)} is missing")
    values = {key: build(hints[key], item, _at(where, key)) for key, item in items.items()}
    try:
        return kind(**values)
    except InputError as error:
        raise InputError(f"{where}: {error}" if where else str(error)) from error


def is_required(field: dataclasses.Field[Any]) -> bool:
    """Whether a field of a dataclass has no default."""
    return field.default is field.default_factory is dataclasses.MISSING


def _build_tuple(kinds: Sequence[Any], value: Sequence[Any], where: str) -> tuple[Any, ...]:
    if kinds[-1] is Ellipsis:
        kinds = [kinds[0]] * len(value)
    if len(value) != len(kinds):
        raise InputError(f"{where} needs {len(kinds)} values, got {len(value)}")
    items = enumerate(zip(kinds, value, strict=True))
    return tuple(build(kind, item, f"{where}[{number}]") for number, (kind, item) in items)


def _at(where: str, key: Any) -> str:
    return f"{where}.{key}" if where else str(key)

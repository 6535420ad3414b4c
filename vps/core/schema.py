"""Typed values from what YAML, JSON and command lines give, and back."""

from __future__ import annotations

import ast
import dataclasses
import enum
import functools
import math
import types
import typing
from collections.abc import Collection, Mapping, Sequence
from numbers import Integral, Real
from os import PathLike
from pathlib import Path
from typing import Any, Literal

from vps.core.names import choose
from vps.errors import InputError, quoted

UNIONS = (typing.Union, types.UnionType)
_AS_THEY_ARE = (str, bool, int)

SWITCHES = {
    **dict.fromkeys(("true", "yes", "on"), True),
    **dict.fromkeys(("false", "no", "off"), False),
}
"""Truth values by the words for them, which are labels elsewhere."""

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
    Mapping: ((Mapping, types.NoneType), "hold keys and values"),
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
    """A value of a type from what YAML or JSON gives.

    Args:
        kind: a dataclass, a TypedDict, an enum, a plain type, a path, a literal, `tuple[X, ...]`,
            `tuple[X, Y]`, `dict[str, X]`, `Mapping[str, X]`, or a union of these. Dataclasses of
            one union begin with the same field, whose literal tells them apart:
            `head: Literal["yolox"]`. Of a TypedDict, keys that it does not name are left out.
        value: what the file holds; an empty key is an empty mapping where one is wanted.
        where: the key, for messages.

    Raises:
        InputError: an unknown or missing key, or a value of another type; the message says where,
            and names the nearest key or choice.
    """
    if kind is Any or (kind in _AS_THEY_ARE and type(value) is kind):
        return value
    origin, arguments = _parts_of(kind)
    if origin in UNIONS:
        return _build_union(arguments, value, where)
    if choices := choices_of(kind):
        table = {str(choice): choice for choice in choices}
        choice = choose(table, value if isinstance(value, str) else quoted(value), where)
        return choice if origin is Literal else kind(choice)
    if not _is_read_from(kind, value):
        raise InputError(_refusal(where, _form(kind)[1], value))
    if dataclasses.is_dataclass(kind):
        return _build_dataclass(kind, value or {}, where)
    if typing.is_typeddict(kind):
        return _build_typed_dict(kind, value or {}, where)
    if kind is bool and isinstance(value, str):
        return SWITCHES[value.lower()]
    if origin in (dict, Mapping):
        items = value or {}
        if arguments[1] is float and _are_floats(items.values()):
            return dict(items)
        for key in items:
            if isinstance(key, bool) or key is None:
                raise InputError(_refusal(f"a key of {where or 'it'}", _form(str)[1], key))
        return {str(key): build(arguments[1], item, _at(where, key)) for key, item in items.items()}
    if origin is tuple:
        return _build_tuple(arguments, value, where)
    if kind is float:
        return _finite(value, where)
    return kind(value) if kind in (int, Path) else value


def check_fields(settings: Any) -> None:
    """Raise InputError where a field of a dataclass holds a value of another type than its own."""
    kind: Any = type(settings)
    hints = hints_of(kind)
    for item in dataclasses.fields(settings):
        build(hints[item.name], getattr(settings, item.name), item.name)


def read_fields(
    kind: Any, items: Mapping[str, Any], where: str = "", given: Collection[str] = ()
) -> dict[str, Any]:
    """The values of a dataclass by the names of its fields, before it is made of them.

    Args:
        kind: the dataclass.
        items: what the file holds.
        where: the key, for messages.
        given: fields that come from elsewhere: they may not be among the items.

    Raises:
        InputError: as for `build`.
    """
    fields = {item.name: item for item in dataclasses.fields(kind) if item.name not in given}
    hints = hints_of(kind)
    for key in items:
        choose(fields, key, f"key of {where}" if where else "key")
    for name in fields:
        if name not in items and is_required(fields[name]):
            raise InputError(f"{_at(where, name)} is missing")
    return {key: build(hints[key], item, _at(where, key)) for key, item in items.items()}


@functools.cache
def hints_of(kind: Any) -> dict[str, Any]:
    """The types of a class's fields by name."""
    return typing.get_type_hints(kind)


@functools.cache
def _parts_of(kind: Any) -> tuple[Any, tuple[Any, ...]]:
    """(tuple, (float, ...)) of `tuple[float, ...]`; (None, ()) of a plain type."""
    return typing.get_origin(kind), typing.get_args(kind)


@functools.cache
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
        return SWITCHES[text] if text in SWITCHES else ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _refusal(where: str, wanted: str, value: Any) -> str:
    # A value may be long, or nested deeper than Python can write it.
    text = f"{where or 'it'} must {wanted}, got {quoted(value)}"
    # What YAML takes for a number, a date, true, false or nothing may be meant as a name.
    scalar = not isinstance(value, (str, Mapping, list, tuple))
    return f"{text}: put it in quotes" if "text" in wanted and scalar else text


@functools.cache
def _form(kind: Any) -> tuple[tuple[type, ...], str]:
    if dataclasses.is_dataclass(kind) or typing.is_typeddict(kind):
        return _FORMS[dict]
    known = _FORMS.get(kind) or _FORMS.get(typing.get_origin(kind))
    return known or ((kind,), f"be of type {getattr(kind, '__name__', kind)}")


def _finite(value: Any, where: str) -> float:
    try:
        number = float(value)
    except OverflowError:  # A whole number of hundreds of digits.
        number = math.inf
    if not math.isfinite(number):
        raise InputError(f"{where or 'it'} must be a finite number, got {quoted(value)}")
    return number


def _are_floats(values: Collection[Any]) -> bool:
    """Whether all are floats and finite, told at once: curves have many."""
    return set(map(type, values)) <= {float} and math.isfinite(sum(values))


def _is_read_from(kind: Any, value: Any) -> bool:
    if kind is Any or choices_of(kind):
        return True
    if kind is bool and isinstance(value, str):
        return value.lower() in SWITCHES
    # True is a number in Python.
    return isinstance(value, _form(kind)[0]) and (kind is bool or not isinstance(value, bool))


def _build_union(kinds: Sequence[Any], value: Any, where: str) -> Any:
    if value is None and types.NoneType in kinds:
        return None
    if type(value) in _AS_THEY_ARE and type(value) in kinds:
        return value
    kinds = [kind for kind in kinds if kind is not types.NoneType]
    fitting = [kind for kind in kinds if _is_read_from(kind, value)]
    if not fitting:
        wanted = " or ".join(dict.fromkeys(_form(kind)[1] for kind in kinds))
        wanted = wanted.replace(" or be ", " or ")
        raise InputError(_refusal(where, wanted, value))
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
    table = {choices_of(hints_of(kind)[name])[0]: kind for kind in kinds}
    if name not in value:
        raise InputError(f"{_at(where, name)} is missing; choices: {', '.join(table)}")
    return choose(table, str(value[name]), _at(where, name))


def _build_dataclass(kind: Any, items: Mapping[str, Any], where: str) -> Any:
    values = read_fields(kind, items, where)
    try:
        return kind(**values)
    except InputError as error:
        raise InputError(f"{where}: {error}" if where else str(error)) from error


def _build_typed_dict(kind: Any, items: Mapping[str, Any], where: str) -> dict[str, Any]:
    for name in kind.__required_keys__:
        if name not in items:
            raise InputError(f"{_at(where, name)} is missing")
    return {
        name: build(hint, items[name], _at(where, name))
        for name, hint in hints_of(kind).items()
        if name in items
    }


def is_required(field: dataclasses.Field[Any]) -> bool:
    """Whether a field of a dataclass has no default."""
    return field.default is field.default_factory is dataclasses.MISSING


def _build_tuple(kinds: Sequence[Any], value: Sequence[Any], where: str) -> tuple[Any, ...]:
    if kinds[-1] is Ellipsis:
        if kinds[0] is float and _are_floats(value):
            return tuple(value)
        kinds = [kinds[0]] * len(value)
    if len(value) != len(kinds):
        raise InputError(f"{where} needs {len(kinds)} values, got {len(value)}")
    if set(kinds) == {float} and _are_floats(value):
        return tuple(value)
    items = enumerate(zip(kinds, value, strict=True))
    return tuple(build(kind, item, f"{where}[{number}]") for number, (kind, item) in items)


def _at(where: str, key: Any) -> str:
    return f"{where}.{key}" if where else str(key)

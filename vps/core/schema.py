"""Typed values from what YAML and JSON give, and back."""

from __future__ import annotations

import dataclasses
import enum
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from vps.core.names import choose
from vps.errors import InputError


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
    return value.value if isinstance(value, enum.Enum) else value


def build(kind: Any, value: Any, where: str = "") -> Any:
    """A value of a type from what YAML gives.

    Args:
        kind: a dataclass, an enum, a plain type, a literal, `tuple[X, ...]`, `tuple[X, Y]`,
            `dict[str, X]`, or a union of these.
        value: what the file holds.
        where: the key, for messages.

    Raises:
        InputError: an unknown or missing key, or a value of another type.
    """
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return value
    if origin in (typing.Union, types.UnionType):
        return _build_union(arguments, value, where)
    if dataclasses.is_dataclass(kind):
        return _build_dataclass(kind, value, where)
    if origin is dict:
        items = _mapping(value, where)
        return {str(key): build(arguments[1], item, _at(where, key)) for key, item in items.items()}
    if origin is tuple:
        return _build_tuple(arguments, value, where)
    if origin is Literal or (isinstance(kind, type) and issubclass(kind, enum.Enum)):
        choices = arguments if origin is Literal else [item.value for item in kind]
        if value not in choices:
            choose(dict.fromkeys(map(str, choices)), str(value), where)
        return value if origin is Literal else kind(value)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        names = {type(None): "empty", str: "text", int: "a whole number", float: "a number"}
        wanted = names.get(kind, "true or false" if kind is bool else str(kind))
        raise InputError(f"{where} must be {wanted}, got {value!r}")
    return value


def check_fields(settings: Any) -> None:
    """Raise InputError where a field of a dataclass holds a value of another type than its own."""
    hints = typing.get_type_hints(type(settings))
    for item in dataclasses.fields(settings):
        build(hints[item.name], getattr(settings, item.name), item.name)


def _build_dataclass(kind: Any, value: Any, where: str) -> Any:
    items = _mapping(value, where)
    fields = {item.name: item for item in dataclasses.fields(kind)}
    hints = typing.get_type_hints(kind)
    for key in items:
        choose(fields, key, f"key {_at(where, '')}".rstrip(".") if where else "key")
    for name, item in fields.items():
        given = item.default, item.default_factory
        if name not in items and all(default is dataclasses.MISSING for default in given):
            raise InputError(f"{_at(where, name)} is missing")
    values = {key: build(hints[key], item, _at(where, key)) for key, item in items.items()}
    try:
        return kind(**values)
    except InputError as error:
        raise InputError(f"{where}: {error}" if where else str(error)) from error


def _build_union(kinds: Sequence[Any], value: Any, where: str) -> Any:
    if value is None and type(None) in kinds:
        return None
    reasons = []
    for kind in kinds:
        if kind is not type(None):
            try:
                return build(kind, value, where)
            except InputError as error:
                reasons.append(error)
    raise reasons[0] if len(reasons) == 1 else InputError("; or ".join(map(str, reasons)))


def _build_tuple(kinds: Sequence[Any], value: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, (list, tuple)):
        raise InputError(f"{where} must be a list, got {value!r}")
    if kinds[-1] is Ellipsis:
        kinds = [kinds[0]] * len(value)
    if len(value) != len(kinds):
        raise InputError(f"{where} needs {len(kinds)} values, got {len(value)}")
    items = enumerate(zip(kinds, value, strict=True))
    return tuple(build(kind, item, f"{where}[{number}]") for number, (kind, item) in items)


def _mapping(value: Any, where: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InputError(f"{where} must hold keys and values, got {value!r}")
    return dict(value)


def _at(where: str, key: Any) -> str:
    return f"{where}.{key}" if where else str(key)

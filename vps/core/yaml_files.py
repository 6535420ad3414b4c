"""YAML from anywhere: plain values of a bounded size, or one clear error."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from os import PathLike
from pathlib import Path
from typing import Any

from vps.core.extras import require
from vps.core.files import open_file, shown_path
from vps.errors import InputError, one_line

_LARGEST = 1 << 20  # bytes of a file
_MOST = 100_000  # values, those that an alias repeats counted each time
_DEEPEST = 50  # lists and mappings within each other
_LONGEST = 100  # characters of a number

_TOO_DEEP = f"its lists and mappings nest more than {_DEEPEST} deep"
_KNOWN = ("null", "bool", "int", "float", "str", "seq", "map", "merge")
_NO_TEXT = re.compile("[\0\ud800-\udfff]")
_TAG = "tag:yaml.org,2002:"
_NOT_READ = (f"{_TAG}timestamp", f"{_TAG}bool")  # as the library has them
_TRUTH = re.compile("^(?:true|True|TRUE|false|False|FALSE)$")


def read_yaml(path: str | PathLike[str], what: str, *, extra: str) -> Any:
    """What a YAML file holds, as `parse_yaml` reads it.

    Args:
        path: of the file.
        what: it should be, for messages, e.g. "config".
        extra: the one of this project that brings the library, see `vps.core.extras.require`.

    Raises:
        InputError: the file is missing, no regular file or no text, or as for `parse_yaml`.
        MissingExtraError: the library is not installed.
    """
    path = Path(path)
    name = f"{what} {shown_path(path)}"
    with open_file(path, what) as file:
        content = file.read(_LARGEST + 1)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{name} cannot be read: it is no text: {one_line(error)}") from None
    return parse_yaml(text, name, extra=extra)


def parse_yaml(text: str, what: str, *, extra: str) -> Any:
    """The value that a text in YAML stands for: null, truth values, numbers, text, lists, dicts.

    Dates stay text. Aliases may repeat a value as long as the whole stays small.

    Args:
        text: to read.
        what: it is, for messages.
        extra: as for `read_yaml`.

    Raises:
        InputError: no YAML, more than a description takes (1 MiB, 100,000 values, 50 levels,
            numbers of 100 characters), a value that holds itself, or one of another type.
        MissingExtraError: the library is not installed.
    """
    loader_class = _loader_class(extra)
    if len(text) > _LARGEST:
        raise InputError(f"{what} cannot be read: it is larger than {_LARGEST >> 20} MiB")
    try:
        _check_size(text, loader_class, extra)
        loader = loader_class(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return None
            _measure(node, {})
            return loader.construct_document(node)
        finally:
            loader.dispose()
    except (AttributeError, LookupError, TypeError) as error:  # What `!!int ''` leads to.
        reason = f"a value is not of the kind that its tag names ({one_line(error)})"
        raise InputError(f"{what} cannot be read: {reason}") from None
    except Exception as error:
        raise InputError(f"{what} cannot be read: {one_line(error)}") from None


@cache
def _loader_class(extra: str) -> Any:
    """PyYAML's safe loader, that of C where it has one, without dates.

    Only true and false are truth values, as in YAML 1.2: yes, no, on and off stay text, for a
    detector may have labels of these names. Where a setting is true or false,
    `vps.core.schema.build` takes them as such.
    """
    yaml = require("yaml", extra=extra)
    base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Loader(base):  # type: ignore[misc, valid-type]
        yaml_implicit_resolvers = {
            first: [one for one in resolvers if one[0] not in _NOT_READ]
            for first, resolvers in base.yaml_implicit_resolvers.items()
        }

    Loader.add_implicit_resolver(f"{_TAG}bool", _TRUTH, list("tTfF"))
    return Loader


def _check_size(text: str, loader_class: Any, extra: str) -> None:
    """Raise ValueError for a text that holds too much or nests too deeply, before it is built."""
    yaml = require("yaml", extra=extra)
    total = depth = 0
    for event in yaml.parse(text, Loader=loader_class):
        total += isinstance(event, yaml.events.NodeEvent)
        depth += isinstance(event, yaml.events.CollectionStartEvent)
        depth -= isinstance(event, yaml.events.CollectionEndEvent)
        if total > _MOST:
            raise ValueError(f"it holds more than {_MOST} values")
        if depth > _DEEPEST:
            raise ValueError(_TOO_DEEP)


def _measure(node: Any, known: dict[int, tuple[int, int] | None]) -> tuple[int, int]:
    """How many values a node stands for, and how deep they nest, once aliases are written out.

    Args:
        node: of the library.
        known: what was found of nodes, by their id; None of those that this node is a part of.

    Raises:
        ValueError: too many or too deep, a node that holds itself, or one of an unknown kind.
    """
    if id(node) in known:
        found = known[id(node)]
        if found is None:
            raise ValueError(f"a value holds itself (line {node.start_mark.line + 1})")
        return found
    _check_kind(node)
    known[id(node)] = None
    total, height = 1, 0
    for child in _children(node):
        own, deep = _measure(child, known)
        total, height = total + own, max(height, deep)
        if total > _MOST:
            raise ValueError(f"its aliases stand for more than {_MOST} values")
    if height >= _DEEPEST:
        raise ValueError(_TOO_DEEP)
    known[id(node)] = total, height + 1
    return total, height + 1


def _children(node: Any) -> Iterator[Any]:
    if node.id == "sequence":
        yield from node.value
    elif node.id == "mapping":
        for key, value in node.value:
            yield from (key, value)


def _check_kind(node: Any) -> None:
    line = node.start_mark.line + 1
    kind = node.tag.removeprefix(_TAG)
    if kind not in _KNOWN or not node.tag.startswith(_TAG):
        raise ValueError(f"a value of the kind {node.tag!r} is not allowed (line {line})")
    if node.id == "scalar" and kind != "str" and len(node.value) > _LONGEST:
        raise ValueError(f"a number has {len(node.value)} characters (line {line})")
    if node.id == "scalar" and _NO_TEXT.search(node.value):
        raise ValueError(f"a text holds a character that no name or path can have (line {line})")

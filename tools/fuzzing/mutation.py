"""Changes to values and bytes, of the kinds that break programs."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

Random = np.random.Generator
Change = Callable[[Any, Random], Any]

NUMBERS = (
    *(-1, 0, 1, 2, 3, 7, -(2**31), 2**31, 2**53 + 1, 2**63, 10**30),
    *(0.5, 1.0, -0.0, 1e-9, 1e-308, 1.5, -1e9, 1e9, 1e300, 1e308),
    *(float("nan"), float("inf"), float("-inf")),
)
TEXTS = (
    *("", " ", "0", "-1", "NaN", "true", "none", "x" * 300, "x" * 5000, "../../x", "/dev/zero"),
    *(".", "..", "a/b", "a\0b", "\ud800", "\u202e", "\n", "=1+1", "<script>", "%s{0}$x", "\x1b[2J"),
    *(
        "2024-13-45",
        "dog",
        "cuda error",
        "9" * 5000,
        "1e999",
        "é",
        "e\u0301",
        "犬",
        "a list of lists",
    ),
)
OTHERS: tuple[Any, ...] = (None, True, False, [], {}, [[]], [None], {"a": {}}, [1, "a", None])

DEEP = "a list of lists"
"""Stands for one that is nested deeper than Python itself can write."""

Place = tuple[Any, Any]
"""A list or dict within a value, and an index or key of it."""


def broken_value(random: Random) -> Any:
    """A value that few programs expect, of any type."""
    kind = random.integers(8)
    if kind < 3:
        return _one(random, NUMBERS)
    if kind < 6:
        return _one(random, TEXTS)
    if kind == 6:
        return copy.deepcopy(_one(random, OTHERS))
    return _deep(int(random.choice([3, 60, 300])), random.random() < 0.5)


def broken_tree(value: Any, random: Random) -> Any:
    """A copy of lists, dicts, text and numbers with one to four changes at places drawn at random.

    A value becomes another, also of another type, goes, or comes twice; a key is renamed; a number
    is scaled; two values change places.
    """
    whole = [copy.deepcopy(value)]
    for _ in range(int(random.choice([1, 1, 1, 2, 4]))):
        places = list(_places(whole))
        owner, key = places[int(random.integers(len(places)))]
        _one(random, CHANGES)(owner, key, places, random)
        if not whole:
            return broken_value(random)
    return whole[0]


def broken_bytes(content: bytes, random: Random) -> bytes:
    """Cut off, with bits flipped, parts repeated, left out, or replaced."""
    for _ in range(int(random.choice([1, 1, 2, 8]))):
        at = int(random.integers(len(content) + 1))
        end = min(at + int(random.choice([1, 1, 2, 4, 16, 200])), len(content))
        kind = random.integers(6)
        if kind == 0:
            content = content[:at]
        elif kind == 1:
            content = content[:at] + random.bytes(end - at) + content[end:]
        elif kind == 2:
            content = content[:at] + content[end:]
        elif kind == 3:
            content = content[:end] + content[at:end] * int(random.choice([1, 50])) + content[end:]
        elif kind == 4:
            content = content[:at] + b"\xff" * (end - at) + content[end:]
        else:
            content = content[:at] + b"\0" * (end - at) + content[end:]
    return content


def as_json(value: Any) -> bytes:
    """JSON as Python writes it: NaN and halves of characters included."""
    text = json.dumps(value, default=str)
    return text.replace(f'"{DEEP}"', "[" * 50_000 + "]" * 50_000).encode()


def _one(random: Random, choices: tuple[Any, ...]) -> Any:
    return choices[int(random.integers(len(choices)))]


def _deep(levels: int, lists: bool) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value] if lists else {"a": value}
    return value


def _places(value: Any) -> Iterator[Place]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in list(pairs):
        yield value, key
        # What was nested on purpose has enough places.
        if isinstance(item, (dict, list)) and len(item) != 1:
            yield from _places(item)
        elif isinstance(item, (dict, list)):
            inner = item[0] if isinstance(item, list) else next(iter(item.values()))
            yield item, 0 if isinstance(item, list) else next(iter(item))
            if isinstance(inner, (dict, list)) and len(inner) > 1:
                yield from _places(inner)


def _replace(owner: Any, key: Any, places: list[Place], random: Random) -> None:
    owner[key] = broken_value(random)


def _remove(owner: Any, key: Any, places: list[Place], random: Random) -> None:
    del owner[key]


def _repeat(owner: Any, key: Any, places: list[Place], random: Random) -> None:
    if isinstance(owner, list):
        owner.insert(key, copy.deepcopy(owner[key]))
    else:
        owner[f"{key}2"] = copy.deepcopy(owner[key])


def _rename(owner: Any, key: Any, places: list[Place], random: Random) -> None:
    if isinstance(owner, dict):
        owner[str(_one(random, TEXTS))] = owner.pop(key)
    else:
        owner[key] = [owner[key]]


def _scale(owner: Any, key: Any, places: list[Place], random: Random) -> None:
    if isinstance(owner[key], (int, float)):
        owner[key] = owner[key] * _one(random, (-1, 0, 0.5, 10, 1e6, 1e300))
    else:
        owner[key] = str(owner[key])[:100]


def _swap(owner: Any, key: Any, places: list[Place], random: Random) -> None:
    other, place = places[int(random.integers(len(places)))]
    owner[key] = copy.deepcopy(other[place])


CHANGES = (_replace, _replace, _replace, _remove, _repeat, _rename, _scale, _swap)

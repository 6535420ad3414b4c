"""Values of types from what YAML gives."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any, Literal

import pytest

from vps.core.schema import build, read_literal, to_plain
from vps.errors import InputError


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Part:
    size: int = 1
    share: float = 0.5

    def __post_init__(self) -> None:
        if self.size < 0:
            raise InputError("size must not be negative")


@dataclass(frozen=True)
class Round:
    form: Literal["round"]
    radius: float = 1.0


@dataclass(frozen=True)
class Square:
    form: Literal["square"]
    side: float


@dataclass(frozen=True)
class Whole:
    name: str
    part: Part = field(default_factory=Part)
    parts: dict[str, Part] = field(default_factory=dict)
    colours: tuple[Colour, ...] = ()
    pair: tuple[float, float] = (0.0, 1.0)
    kind: Literal["a", "b"] = "a"
    flag: bool = False
    limit: int | float | None = None
    fill: str | tuple[float, float] = ""
    shape: Round | Square = field(default_factory=lambda: Round("round"))
    file: Path = Path("a")
    options: dict[str, Any] = field(default_factory=dict)


def test_nested_values_are_built_and_come_back_plain():
    given = {
        "name": "n",
        "part": {"size": 3},
        "parts": {"x": None, "y": {"share": 1}},
        "colours": ["red", "blue"],
        "pair": [0, 2],
        "kind": "b",
        "flag": True,
        "limit": 0.5,
        "fill": [1, 2],
        "shape": {"form": "square", "side": 2},
        "file": "b/c",
        "options": {"anything": [1, "two"]},
    }
    whole = build(Whole, given)
    assert whole.part == Part(3)
    assert whole.parts == {"x": Part(), "y": Part(share=1.0)}
    assert whole.colours == (Colour.RED, Colour.BLUE)
    assert isinstance(whole.pair[0], float)
    assert whole.fill == (1.0, 2.0)
    assert whole.shape == Square("square", 2.0)
    assert whole.file == Path("b/c")
    assert build(Whole, to_plain(whole)) == whole


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "name is missing"),
        ({"name": "n", "prat": {}}, "did you mean 'part'"),
        ({"name": "n", "part": {"sise": 1}}, "part 'sise', did you mean 'size'"),
        ({"name": "n", "parts": {"x": {"sise": 1}}}, "parts.x 'sise'"),
        ({"name": 3}, "name must be text, got 3"),
        ({"name": "n", "part": {"size": "3"}}, "part.size must be a whole number, got '3'"),
        ({"name": "n", "part": {"size": True}}, "part.size must be a whole number, got True"),
        ({"name": "n", "part": {"size": -1}}, "part: size must not be negative"),
        ({"name": "n", "part": [1]}, "part must hold keys and values"),
        ({"name": "n", "colours": ["rde"]}, "did you mean 'red'"),
        ({"name": "n", "colours": "red"}, "colours must be a list"),
        ({"name": "n", "pair": [1]}, "pair needs 2 values, got 1"),
        ({"name": "n", "kind": "c"}, "choices: a, b"),
        ({"name": "n", "flag": 1}, "flag must be true or false"),
        ({"name": "n", "limit": "x"}, "limit must be a whole number or a number, got 'x'"),
        ({"name": "n", "limit": True}, "limit must be a whole number or a number, got True"),
        ({"name": "n", "fill": 3}, "fill must be text or a list, got 3"),
        ({"name": "n", "fill": [1]}, "fill needs 2 values, got 1"),
        ({"name": "n", "shape": 3}, "shape must hold keys and values, got 3"),
        ({"name": "n", "shape": {}}, "shape.form is missing; choices: round, square"),
        ({"name": "n", "shape": {"form": "sqare"}}, "did you mean 'square'"),
        ({"name": "n", "shape": {"form": "square"}}, "shape.side is missing"),
        ({"name": "n", "shape": {"form": "round", "side": 1}}, "key of shape 'side'"),
        ({"name": "n", "file": 3}, "file must be a path, got 3"),
        ([1], "must hold keys and values"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(given, message):
    with pytest.raises(InputError) as error:
        build(Whole, given)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (float, "1e-3", 1e-3),
        (int, "2", 2),
        (int | None, "None", None),
        (bool, "true", True),
        (bool, "False", False),
        (tuple[int, ...], "1, 2", (1, 2)),
        (str | None, "3", "3"),
        (str | PathLike[str], "3", "3"),
        (Literal["1", "2"], "1", "1"),
        (float, "much", "much"),
    ],
)
def test_texts_are_read_where_a_type_wants_none(kind, text, value):
    read = read_literal(kind, text)
    assert read == value
    assert type(read) is type(value)

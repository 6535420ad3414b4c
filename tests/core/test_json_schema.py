"""The JSON Schema of settings says of a file what `build` says of it."""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import jsonschema
import pytest

from vps.core.json_schema import attribute_docs, json_schema
from vps.core.schema import build
from vps.errors import InputError


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Part:
    """A part of it.

    Attributes:
        size, share: how large it is.
    """

    size: int = 1
    share: float = 0.5


@dataclass(frozen=True)
class Round:
    """Without corners."""

    form: Literal["round"]
    radius: float = 1.0


@dataclass(frozen=True)
class Square:
    """With corners."""

    form: Literal["square"]
    side: float


@dataclass(frozen=True)
class Whole:
    """All of it.

    More is said here.

    Attributes:
        name: what it is called, in words
            that take two lines.
        part: see `Part`.
        parts: more of them.
    """

    name: str
    shape: Round | Square
    part: Part = field(default_factory=Part)
    parts: dict[str, Part] = field(default_factory=dict)
    colours: tuple[Colour, ...] = (Colour.RED,)
    pair: tuple[float, float] = (0.0, 1.0)
    kind: Literal["a", "b"] = "a"
    flag: bool = False
    limit: int | float | None = None
    file: Path = Path("a")
    options: dict[str, Any] = field(default_factory=dict)


LEAST = {"name": "n", "shape": {"form": "round"}}


@pytest.fixture(scope="module")
def validator():
    schema = json_schema(Whole)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"shape": {"form": "square", "side": 2}},
        {"part": None, "parts": None, "options": None},
        {"part": {"size": 3, "share": 1}},
        {"parts": {"x": None, "y": {"share": 0.1}}},
        {"colours": []},
        {"colours": ["red", "blue"], "pair": [0, 2.5], "kind": "b", "flag": True},
        {"limit": None},
        {"limit": 3},
        {"limit": 0.5},
        {"file": "b", "options": {"anything": [1, "two", None]}},
    ],
)
def test_what_can_be_built_is_valid(validator, given):
    given = {**LEAST, **given}
    assert isinstance(build(Whole, given), Whole)
    assert not list(validator.iter_errors(given))


@pytest.mark.parametrize(
    "given",
    [
        {"name": 3},
        {"name": None},
        {"prat": {}},
        {"shape": None},
        {"shape": {}},
        {"shape": {"form": "flat"}},
        {"shape": {"form": "square"}},
        {"shape": {"form": "round", "side": 2}},
        {"part": {"sise": 1}},
        {"part": {"size": "3"}},
        {"part": {"size": True}},
        {"part": {"size": 1.5}},
        {"part": [1]},
        {"parts": {"x": {"size": None}}},
        {"colours": ["rde"]},
        {"colours": "red"},
        {"pair": [1]},
        {"pair": [1, 2, 3]},
        {"pair": ["a", 2]},
        {"kind": "c"},
        {"kind": 1},
        {"flag": 1},
        {"flag": "maybe"},
        {"limit": "x"},
        {"limit": True},
        {"file": 3},
        {"options": [1]},
    ],
)
def test_what_cannot_be_built_is_not_valid(validator, given):
    given = {**LEAST, **given}
    with pytest.raises(InputError):
        build(Whole, given)
    assert list(validator.iter_errors(given))


@pytest.mark.parametrize("missing", LEAST)
def test_missing_keys_are_not_valid(validator, missing):
    given = {key: value for key, value in LEAST.items() if key != missing}
    with pytest.raises(InputError, match=f"{missing} is missing"):
        build(Whole, given)
    assert list(validator.iter_errors(given))


def test_keys_are_described_and_have_their_defaults():
    schema = json.loads(json.dumps(json_schema(Whole)))
    assert schema["title"] == "Whole"
    assert schema["description"] == "All of it."
    assert schema["required"] == ["name", "shape"]
    keys = schema["properties"]
    assert keys["name"] == {
        "type": "string",
        "description": "what it is called, in words that take two lines.",
    }
    assert keys["part"]["description"] == "A part of it."
    assert keys["part"]["default"] == {"size": 1, "share": 0.5}
    assert keys["part"]["properties"]["share"]["description"] == "how large it is."
    assert keys["parts"]["description"] == "more of them."
    assert keys["colours"]["default"] == ["red"]
    assert keys["limit"]["default"] is None
    assert keys["file"] == {"type": "string", "default": "a"}


def test_docs_of_attributes_end_with_their_section():
    assert attribute_docs(Part.__doc__) == dict.fromkeys(("size", "share"), "how large it is.")
    assert attribute_docs("Text.\n\nAttributes:\n    a: of it.\n\nRaises:\n    b: no.") == {
        "a": "of it."
    }
    assert attribute_docs("Without attributes.") == {}
    assert attribute_docs(None) == {}

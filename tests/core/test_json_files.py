import json
import math
import os
from typing import TypedDict

import numpy as np
import pytest

from vps.core.compiled import compiled
from vps.core.json_files import indented, read_json_record, read_typed_json
from vps.core.schema import build
from vps.errors import InputError


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "cannot be read"),
        (b'{"a": 1', "cannot be read"),
        (b"\xff\xfe{", "cannot be read"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a": ' + b"9" * 5000 + b"}", "cannot be read"),
        (b"[]", "holds no keys and values, but a list"),
        (b"null", "but a NoneType"),
        (b'{"a": "' + b"x" * 2000 + b'"}', "has more than 1000 bytes"),
    ],
)
def test_what_is_no_record_is_one_line_with_its_name(tmp_path, content, message):
    path = tmp_path / "one.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as error:
        read_json_record(path, "note", 1000 if b"x" in content else 1 << 20)
    assert str(error.value).startswith(f"note {path}")
    assert "\n" not in str(error.value)


def test_what_is_no_file_is_not_waited_for(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        read_json_record(tmp_path / "none.json", "note")
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(InputError, match="no file, but a pipe"):
        read_json_record(tmp_path / "pipe.json", "note")


def test_a_record_is_what_the_file_holds(tmp_path):
    path = tmp_path / "one.json"
    path.write_text('{"a": [1, 2.5, null], "b": {}}')
    assert read_json_record(path, "note") == {"a": [1, 2.5, None], "b": {}}


class Inner(TypedDict):
    flags: dict[str, bool]
    maybe: float | None


class Outer(TypedDict):
    name: int | str
    values: tuple[float, ...]
    box: tuple[float, float]
    numbers: dict[str, float]
    inner: Inner | None


WHOLE = {
    "name": "é \U0001f436",
    "values": [0.1, 1, -2.5e-300, 12345678901234567890],
    "box": [0, 1.5],
    "numbers": {"a": 1, "b": 0.3},
    "inner": {"flags": {"x": True}, "maybe": None},
    "other": [[{}]],
}
CHANGED = (
    *({**WHOLE, "name": value} for value in (3, 2**70, True, None, 1.5, "\ud800")),
    *({**WHOLE, "values": value} for value in ([], None, ["1"], [True], [10**400], [math.nan])),
    *({**WHOLE, "box": value} for value in ([1], [1, 2, 3], {"a": 1}, "ab", [math.inf, 0])),
    *({**WHOLE, "numbers": value} for value in (None, {}, {"a": None}, {"a": "1"}, {"a": [1]})),
    *({**WHOLE, "inner": value} for value in (None, {}, {"flags": {"x": "yes"}, "maybe": 1}, 3)),
    *({**WHOLE, "inner": {"flags": value, "maybe": 1}} for value in (None, {"x": 1}, {"x": None})),
    {name: value for name, value in WHOLE.items() if name != "values"},
)
TEXTS = (
    *(json.dumps(value).encode() for value in (WHOLE, *CHANGED, [], None)),
    json.dumps(WHOLE, indent=3).encode("utf-16"),
    json.dumps(WHOLE, ensure_ascii=False).encode() + b"\n",
    json.dumps(WHOLE, ensure_ascii=False).encode("latin-1", "replace"),
    b'{"name": 1, ' + json.dumps(WHOLE).encode()[1:],
    json.dumps(WHOLE).encode()[:-1] + b', "numbers": {"c": 2, "c": 3}}',
    json.dumps(WHOLE).encode()[:-1] + b', "values": [1e999]}',
    json.dumps(WHOLE).encode()[:-1] + b', "values": [-0, -0.0, 1E5, 0.1e1]}',
    json.dumps(WHOLE).encode()[:-1] + b', "other": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    *(json.dumps(WHOLE).encode()[:-1] + end for end in (b"", b",}", b', "a": 1}}', b', "a": 01}')),
)


@pytest.mark.parametrize("text", TEXTS)
def test_a_typed_record_is_what_json_and_build_make_of_the_file(tmp_path, text):
    path = tmp_path / "one.json"
    path.write_bytes(text)
    found = [
        answer(read_typed_json, Outer, path, "note"),
        answer(in_two_steps, Outer, path, "note"),
    ]
    assert repr(found[0]) == repr(found[1])


def answer(function, *arguments):
    try:
        return function(*arguments)
    except InputError as error:
        return str(error)


def in_two_steps(kind, path, what):
    return build(kind, read_json_record(path, what))


def test_numbers_are_read_to_the_last_bit(tmp_path):
    random = np.random.default_rng(0)
    values = [*random.random(2000), *random.integers(2**63, size=2000).view(np.float64)]
    values = [float(value) for value in values if np.isfinite(value)]
    path = tmp_path / "one.json"
    path.write_text(json.dumps({**WHOLE, "values": values}))
    assert compiled(Outer).validate_json(path.read_bytes())["values"] == tuple(values)
    assert read_typed_json(Outer, path, "note")["values"] == tuple(values)


def test_a_typed_record_may_have_so_many_bytes(tmp_path):
    path = tmp_path / "one.json"
    path.write_text(json.dumps(WHOLE))
    with pytest.raises(InputError, match="more than 20 bytes"):
        read_typed_json(Outer, path, "note", 20)


@pytest.mark.parametrize(
    "value",
    [
        *(3, "a\n\u2028é", None, True, [], {}, [1, 2.5, "x"], {"a": 1, 'b"': None}),
        {
            "a": {},
            "b": [],
            "c": {"d": [[1, {"e": {"f": 1, "g": "h, i: j"}}], []]},
            "k": {"l": 1e-300},
        },
    ],
)
def test_indented_is_what_json_writes(value):
    assert indented(value) == json.dumps(value, indent=1, ensure_ascii=False)


def test_what_is_not_finite_is_not_written():
    with pytest.raises(ValueError, match="not JSON compliant"):
        indented({"a": {"b": math.nan}})

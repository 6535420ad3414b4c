import os

import pytest

pytest.importorskip("yaml")

from tests.helpers.attacks import BAD_YAML
from vps.core.schema import build
from vps.core.yaml_files import parse_yaml, read_yaml
from vps.errors import InputError


def parse(text):
    return parse_yaml(text, "it", extra="eval")


def test_plain_values_are_read():
    text = "a: [1, 0x1F, 2.5, true, null, text, 'it''s']\nb: {c: d}\n"
    assert parse(text) == {"a": [1, 31, 2.5, True, None, "text", "it's"], "b": {"c": "d"}}
    assert parse("") is None
    assert parse("# nothing") is None


def test_dates_stay_text():
    assert parse("[2024-01-31, 2024-13-45]") == ["2024-01-31", "2024-13-45"]


def test_values_may_be_repeated_and_merged():
    text = "a: &a {x: 1}\nb: {<<: *a, y: 2}\nc: [*a, *a]\n"
    assert parse(text) == {"a": {"x": 1}, "b": {"x": 1, "y": 2}, "c": [{"x": 1}, {"x": 1}]}


@pytest.mark.parametrize("name", sorted(set(BAD_YAML) - {"no date", "too much", "too large"}))
def test_whatever_is_wrong_is_one_error(name):
    with pytest.raises(InputError, match="^it cannot be read: ") as caught:
        parse(BAD_YAML[name])
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BAD_YAML["too much"], "more than 100000 values"),
        (BAD_YAML["too large"], "larger than 1 MiB"),
        (BAD_YAML["billion laughs"], "aliases stand for more than 100000 values"),
        (BAD_YAML["billion merged laughs"], "aliases stand for more than 100000 values"),
        (BAD_YAML["5000 lists by aliases"], "nest more than 50 deep"),
        (BAD_YAML["a class"], r"kind .*os\.system' is not allowed \(line 1\)"),
        ("!!int ''", "not of the kind that its tag names"),
        ("a: [", "expected"),
        ("a: 1\n---\nb: 2", "single document"),
    ],
)
def test_errors_say_what_is_wrong(text, message):
    with pytest.raises(InputError, match=message):
        parse(text)


def test_files(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("\ufeffa: \u00e4", encoding="utf-8")
    assert read_yaml(path, "config", extra="eval") == {"a": "\u00e4"}
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match=r"config .*a\.yaml cannot be read: it is no text"):
        read_yaml(path, "config", extra="eval")
    path.write_bytes(b"#" * (2 << 20))
    with pytest.raises(InputError, match="larger than 1 MiB"):
        read_yaml(path, "config", extra="eval")
    os.mkfifo(tmp_path / "pipe.yaml")
    for name in ("pipe.yaml", ".", "none", "x" * 5000, "a\0b"):
        with pytest.raises(InputError, match="^config "):
            read_yaml(tmp_path / name, "config", extra="eval")


def parsed(text):
    return parse_yaml(text, "it", extra="eval")


def test_yes_and_no_are_words():
    assert parsed("[yes, No, on, OFF, true, False, 1, ~]") == [
        *("yes", "No", "on", "OFF"),
        *(True, False, 1, None),
    ]
    assert parsed("yes: no") == {"yes": "no"}


@pytest.mark.parametrize(("text", "value"), [("yes", True), ("No", False), ("true", True)])
def test_a_switch_takes_them_as_it_did(text, value):
    assert build(bool, parsed(text), "run.strict") is value
    assert build(bool | None, parsed(text), "run.strict") is value


def test_what_is_no_text_in_yaml_is_to_be_quoted():
    assert build(tuple[str, ...], parsed("[yes, no]"), "labels") == ("yes", "no")
    with pytest.raises(InputError, match=r"labels\[1\] must be text, got 7: put it in quotes"):
        build(tuple[str, ...], parsed("[yes, 7]"), "labels")
    with pytest.raises(
        InputError, match="a key of rename must be text, got True: put it in quotes"
    ):
        build(dict[str, str], parsed("true: a"), "rename")
    with pytest.raises(InputError, match="strict must be true or false, got 'maybe'"):
        build(bool, "maybe", "strict")

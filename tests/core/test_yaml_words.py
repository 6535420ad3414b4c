import pytest

from vps.core.schema import build
from vps.core.yaml_words import plain_words
from vps.errors import InputError

yaml = pytest.importorskip("yaml")


def read(text):
    return yaml.load(text, Loader=plain_words(yaml.SafeLoader))


def test_yes_and_no_are_words():
    assert read("[yes, No, on, OFF, true, False, 1, ~]") == [
        *("yes", "No", "on", "OFF"),
        *(True, False, 1, None),
    ]
    assert read("yes: no") == {"yes": "no"}
    assert yaml.safe_load("yes") is True


@pytest.mark.parametrize(("text", "value"), [("yes", True), ("No", False), ("true", True)])
def test_a_switch_takes_them_as_it_did(text, value):
    assert build(bool, read(text), "run.strict") is value
    assert build(bool | None, read(text), "run.strict") is value


def test_what_is_no_text_in_yaml_is_to_be_quoted():
    assert build(tuple[str, ...], read("[yes, no]"), "labels") == ("yes", "no")
    with pytest.raises(InputError, match=r"labels\[1\] must be text, got 7: put it in quotes"):
        build(tuple[str, ...], read("[yes, 7]"), "labels")
    with pytest.raises(
        InputError, match="a key of rename must be text, got True: put it in quotes"
    ):
        build(dict[str, str], read("true: a"), "rename")
    with pytest.raises(InputError, match="strict must be true or false, got 'maybe'"):
        build(bool, "maybe", "strict")

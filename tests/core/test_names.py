import pytest

from vps.core.names import choose, distinct_names, name_key
from vps.errors import InputError


def test_choices():
    assert choose({"cat": 1}, "cat", "animal") == 1
    with pytest.raises(InputError, match="unknown animal 'cta', did you mean 'cat'"):
        choose({"cat": 1, "dog": 2}, "cta", "animal")


def test_names_that_are_nearly_alike():
    assert name_key("Traffic_Light ") == name_key("traffic  light") == "traffic light"
    assert name_key("cafe\u0301") == name_key("caf\u00e9")
    assert name_key("STRASSE") == name_key("straße")
    assert name_key("cat") != name_key("cats")
    assert distinct_names(["circle", "ring", "Circle", "ring "]) == ("circle", "ring")

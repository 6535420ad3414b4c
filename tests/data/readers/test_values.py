import math

import pytest

from vps.data.readers.values import IdTable, as_flag, as_number, as_numbers, as_size, plain_id
from vps.errors import InputError


@pytest.mark.parametrize(
    ("value", "expected"), [(3, 3), (2.5, 2.5), ("2.5", 2.5), (" 4 ", 4), ("1e2", 100)]
)
def test_numbers(value, expected):
    assert as_number(value, "x") == expected


@pytest.mark.parametrize("value", [None, True, "", "2,5", "a", [1], {}, 10**400])
def test_what_is_no_number(value):
    with pytest.raises(InputError, match="area must be a number, got "):
        as_number(value, "area")


def test_several_numbers():
    assert as_numbers(["1", 2, 3.5, "4"], 4, "bbox") == [1, 2, 3.5, 4]
    for value in (None, [], [1, 2, 3], "1234", {"x": 1, "y": 1, "w": 1, "h": 1}, [[1, 2, 3, 4]]):
        with pytest.raises(InputError, match="bbox must be 4 numbers, got"):
            as_numbers(value, 4, "bbox")
    with pytest.raises(InputError, match="bbox must be a number, got 'a'"):
        as_numbers([1, 2, 3, "a"], 4, "bbox")


@pytest.mark.parametrize("value", [None, 0, 0.0, False, "0", "0.0", "", "False", " false ", "no"])
def test_flags_that_are_not_set(value):
    assert as_flag(value, "iscrowd") is False


@pytest.mark.parametrize("value", [1, 1.0, True, "1", "1.0", "True", "TRUE", "yes"])
def test_flags_that_are_set(value):
    assert as_flag(value, "iscrowd") is True


@pytest.mark.parametrize("value", [2, -1, "maybe", [], {}, math.nan])
def test_what_is_no_flag(value):
    with pytest.raises(InputError, match="iscrowd must be 0 or 1, got"):
        as_flag(value, "iscrowd")


def test_sizes():
    assert [as_size(value) for value in (480, 480.0, "480", "480.0")] == [480] * 4
    for value in (None, 0, -3, "", "x", 4.5, math.inf, math.nan, [4], True):
        assert as_size(value) is None


def test_plain_ids():
    assert [plain_id(value) for value in (3, 3.0, "3", " a ")] == [3, 3, "3", "a"]
    for value in (None, True, "", " ", 3.5, math.nan, math.inf, [3], {}):
        assert plain_id(value) is None


def test_ids_are_found_however_they_are_written():
    table = IdTable([8, "a", "007"])
    assert [table.find(value) for value in (8, "8", "008", 8.0, "a")] == [8, 8, 8, 8, "a"]
    assert [table.find(value) for value in ("007", 7, "7")] == ["007"] * 3
    for value in (9, "A", None, [8], True, ""):
        assert table.find(value) is None


def test_an_id_that_may_be_either_of_two_is_none():
    table = IdTable(["7", "007"])
    assert (table.find("7"), table.find("007")) == ("7", "007")
    assert table.find(7) is None

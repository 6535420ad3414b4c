import pytest

from vps.data.left_out import LeftOut
from vps.data.readers.categories import (
    GROUP,
    NO_NAME,
    SAME_NAME,
    TWO_NAMES,
    plain_name,
    read_categories,
)
from vps.errors import InputError


def row(key, name, parent="none"):
    return {"id": key, "name": name, "supercategory": parent}


def read(*records, used=()):
    left_out = LeftOut("a.json")
    return read_categories(list(records), set(used), left_out), left_out.counts


def test_names_in_the_order_of_ids():
    assert read(row(3, "dog"), row(1, "cat")) == ({1: "cat", 3: "dog"}, {})
    names, _ = read(row("b", " traffic \n light "), row(2, 5), row("a", "x"))
    assert list(names.items()) == [(2, "5"), ("a", "x"), ("b", "traffic light")]
    assert [plain_name(value) for value in (None, True, [], "", "  ")] == [""] * 5


@pytest.mark.parametrize(
    "records",
    [
        [row(0, "animals"), row(1, "cat", "animals"), row(2, "dog", "animals")],
        [row(0, "cat"), row(1, "cat", "cat"), row(2, "dog", "cat")],
        [row(0, "pets-k2vq"), row(1, "cat", "furry"), row(2, "dog", "loud")],
        [row(9, "animals", ""), row(1, "cat", "animals"), row(2, "dog", "animals")],
    ],
)
def test_the_row_of_the_group_is_no_category(records):
    names, counts = read(*records, used={"1", "2"})
    assert names == {1: "cat", 2: "dog"}
    assert counts == {GROUP: 1}


@pytest.mark.parametrize(
    ("records", "used"),
    [
        ([row(0, "animals"), row(1, "cat", "animals")], {"0", "1"}),
        ([row(0, "cat"), row(1, "dog")], {"1"}),
        ([row(0, "cat")], set()),
        ([row(1, "person", "person")], set()),
        ([row(1, "person", "person"), row(2, "car", "vehicle")], {"2"}),
        ([row(5, "pets"), row(1, "cat", "furry"), row(2, "dog", "loud")], {"1"}),
        ([{"id": 0, "name": "cat"}, {"id": 1, "name": "dog"}], {"1"}),
    ],
)
def test_real_categories_stay(records, used):
    names, counts = read(*records, used=used)
    assert len(names) == len(records)
    assert counts == {}


def test_ids_of_one_name_are_one_label():
    names, counts = read(row(1, "cat"), row(2, "dog"), row(7, "cat "))
    assert names == {1: "cat", 2: "dog", 7: "cat"}
    assert counts == {SAME_NAME: 1}


def test_records_that_are_no_categories():
    names, counts = read(
        row(1, "cat"), row(1, "cat"), row(2, "dog"), row(2, "cow"), {"id": 3}, {"name": "x"}, "y",
        row(4, None), row(None, "z"),
    )  # fmt: skip
    assert names == {1: "cat"}
    assert counts == {NO_NAME: 5, TWO_NAMES: 1}
    with pytest.raises(InputError, match=r"a\.json, categories\[0\].*strict"):
        read_categories([{}], set(), LeftOut("a.json", strict=True))
    for records in (None, {}, "cat"):
        with pytest.raises(TypeError, match="must be a list"):
            read_categories(records, set(), LeftOut())

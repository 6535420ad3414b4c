import pytest

from vps.data.left_out import LeftOut, in_brief
from vps.errors import InputError


def test_reasons_are_counted_and_the_first_places_named():
    left_out = LeftOut("a.json")
    for number in range(7):
        left_out.add("no box", f"annotation {number}")
    left_out.add("no name", "category 3", unit="category")
    left_out.note("no text", unit="category", count=2)
    left_out.add("nothing", count=0)
    assert left_out.counts == {"no box": 7, "no name": 1, "no text": 2}
    assert left_out.lines() == [
        "no box (7 annotations): a.json, annotation 0; annotation 1; annotation 2; annotation 3; "
        "annotation 4; and 2 more",
        "no name (1 category): a.json, category 3",
        "no text (2 categories)",
    ]
    assert LeftOut().lines() == []


def test_strict_refuses_what_is_left_out_and_not_what_is_noted():
    left_out = LeftOut("a.json", strict=True)
    left_out.note("numbered anew", "annotation 4")
    left_out.add("nothing", count=0)
    with pytest.raises(InputError, match=r"^a\.json, annotation 5: no box; strict is set"):
        left_out.add("no box", "annotation 5")


def test_long_values_are_cut():
    assert in_brief([1, 2]) == "[1, 2]"
    assert len(in_brief("x" * 1000)) < 70
    assert "\n" not in in_brief({"a": "b\nc"})

import pytest

from vps.core.file_names import check_plain_name, safe_name
from vps.errors import InputError


@pytest.mark.parametrize("name", ["000139", "a_b-c+d.e", "139"])
def test_plain_names_stay(name):
    assert safe_name(name) == name


@pytest.mark.parametrize(
    "name", ["a/b", "..", ".", "", ".hidden", "a b", "50%", "ä", "x" * 300, "a\0", "\udcff"]
)
def test_other_names_become_plain_and_stay_apart(name):
    safe = safe_name(name)
    assert safe != name
    assert len(safe) < 100
    assert not set(safe) & set("/% ?#:\\")
    assert not safe.startswith(".")
    assert safe == safe_name(name)
    assert len({safe_name(other) for other in (name, name + "/", name + "_/")}) == 3


def test_the_length_can_be_less():
    assert safe_name("x" * 40, 40) == "x" * 40
    assert safe_name("x" * 41, 40).startswith("x" * 40 + "~")


def test_a_name_that_must_be_plain():
    assert check_plain_name("val", "split") == "val"
    with pytest.raises(InputError, match="split '../x' is no plain name") as caught:
        check_plain_name("../x", "split")
    assert len(str(caught.value)) < 200
    with pytest.raises(InputError, match="x' is no plain name"):
        check_plain_name("x" * 5000, "split")

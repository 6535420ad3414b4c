import math

import pytest

from vps.core.numbers import check_range, check_threads, check_whole
from vps.errors import InputError


@pytest.mark.parametrize("value", [0, 1, 0.5, 1.0])
def test_numbers_within_the_range(value):
    check_range("share", value, high=1)
    check_range("share", value)


@pytest.mark.parametrize("value", [-1, 1.1, math.nan, math.inf, True, "0.5", None, [0.5], 1j])
def test_all_else_is_not(value):
    with pytest.raises(InputError, match=r"^share must lie in \[0, 1\], got "):
        check_range("share", value, high=1)
    if value not in (1.1, math.inf):
        with pytest.raises(InputError, match="^share must be at least 0, got "):
            check_range("share", value)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (0, "count must be at least 1, got 0"),
        (1001, "count must be at most 1,000, got 1001"),
        (10**30, "at most 1,000, got 1000000"),
        *((value, "count must be a whole number, got") for value in (2.0, "3", None, True)),
    ],
)
def test_what_is_no_whole_number_of_a_range(value, message):
    check_whole("count", 3, 1, 1000)
    with pytest.raises(InputError, match=message):
        check_whole("count", value, 1, 1000)


def test_a_million_threads_are_refused():
    check_threads(2)
    with pytest.raises(InputError, match="threads must be"):
        check_threads(1_000_000)

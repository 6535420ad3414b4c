import math

import pytest

from vps.core.numbers import check_threads, check_whole, is_between
from vps.errors import InputError


@pytest.mark.parametrize("value", [0, 1, 0.5, 1.0])
def test_numbers_within_the_range(value):
    assert is_between(value, 0, 1)


@pytest.mark.parametrize("value", [-1, 1.1, math.nan, math.inf, True, "0.5", None, [0.5], 1j])
def test_all_else_is_not(value):
    assert not is_between(value, 0, 1)


def test_whole_numbers_are_told_with_their_range():
    check_whole("count", 3, 1, 1000)
    for value in (0, 1001, 10**30, 2.0, "3", None):
        with pytest.raises(InputError, match="count must be a whole number from 1 to 1,000, got "):
            check_whole("count", value, 1, 1000)


def test_a_million_threads_are_refused():
    check_threads(2)
    with pytest.raises(InputError, match="threads must be"):
        check_threads(1_000_000)

from __future__ import annotations

import numpy as np
import pytest

from vps.errors import quoted


class Rude:
    def __repr__(self) -> str:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("dog", "'dog'"),
        ([1, "a", None], "[1, 'a', None]"),
        (np.array([1, 2]), "array([1, 2])"),
        ("a\nb", r"'a\nb'"),
        ("x" * 500, f"'{'x' * 99}..."),
    ],
)
def test_a_value_in_a_message(value, text):
    assert quoted(value) == text


def test_a_number_that_python_does_not_write():
    assert quoted(10**5000) == "a int"


def test_a_value_of_a_class_that_does_not_say_what_it_is():
    assert quoted(Rude()).startswith("<Rude instance at ")


def test_lists_that_hold_the_same_list_often_are_not_written_out():
    value: list = [1]
    for _ in range(60):
        value = [value] * 10
    assert len(quoted(value)) <= 103
    assert quoted(value).startswith("[[[[")

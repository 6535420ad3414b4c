import math

import pytest

from vps.errors import InputError
from vps.metrics import Metric


def metric(**settings):
    return Metric("toy", "A toy", "of a test", lambda one: 0.5, higher_is_better=None, **settings)


def test_a_column_has_the_title_unless_there_is_a_short_one():
    assert metric().head == "A toy"
    assert metric(short="Toy").head == "Toy"


@pytest.mark.parametrize("wrong", [(1, 0), (0, 0), (math.nan, 1), (0, math.nan)])
def test_a_range_that_holds_nothing_is_an_error(wrong):
    with pytest.raises(InputError, match="toy: range"):
        metric(range=wrong)


def test_tables_that_do_not_exist_are_an_error():
    with pytest.raises(InputError, match="tables for toy 'evry', did you mean 'every'"):
        metric(tables="evry")

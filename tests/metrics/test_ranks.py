"""Ranks against textbook numbers."""

import numpy as np
import pytest
from scipy.stats import friedmanchisquare

from vps.errors import InputError
from vps.metrics.ranks import rank_methods

# Demsar 2006, table 5 (a), two-tailed Nemenyi, alpha 0.05, k = 3 to 10.
Q = [2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164]


@pytest.mark.parametrize(("count", "q"), list(zip(range(3, 11), Q, strict=True)))
def test_the_critical_difference_is_that_of_the_published_table(count, q):
    values = np.random.default_rng(0).random((14, count))
    found = rank_methods(values, [f"m{i}" for i in range(count)])
    assert found.critical_difference == pytest.approx(
        q * np.sqrt(count * (count + 1) / (6 * 14)), rel=1e-3
    )


def test_ranks_by_hand():
    values = np.array([[0.9, 0.5, 0.5], [0.8, 0.1, 0.7], [0.7, 0.9, 0.2]])
    found = rank_methods(values, ["a", "b", "c"])
    np.testing.assert_allclose(found.mean_ranks, [4 / 3, 6.5 / 3, 7.5 / 3])
    np.testing.assert_allclose(found.wins, [[0.5, 2 / 3, 1], [1 / 3, 0.5, 0.5], [0, 0.5, 0.5]])
    assert found.p_value == pytest.approx(friedmanchisquare(*values.T).pvalue)
    assert found.blocks == 3
    lower = rank_methods(values, ["a", "b", "c"], higher_is_better=False)
    np.testing.assert_allclose(lower.mean_ranks, 4 - found.mean_ranks)


def test_what_cannot_be_told_apart_is_one_group():
    rng = np.random.default_rng(0)
    level = np.array([3.0, 2.95, 1.0, 0.0])
    found = rank_methods(level + 0.3 * rng.random((40, 4)), ["a", "b", "c", "d"])
    assert found.groups() == [("a", "b")]
    assert found.p_value < 1e-6
    assert rank_methods(np.ones((5, 3)), ["a", "b", "c"]).groups() == [("a", "b", "c")]
    assert rank_methods(np.ones((5, 3)), ["a", "b", "c"]).p_value == 1


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.ones((5, 2)), "3 methods"),
        (np.ones((1, 3)), "2 blocks"),
        (np.full((5, 3), np.nan), "finite"),
    ],
)
def test_too_little_to_rank(values, message):
    with pytest.raises(InputError, match=message):
        rank_methods(values, [f"m{i}" for i in range(values.shape[1])])

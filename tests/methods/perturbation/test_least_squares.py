import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, Ridge

from vps.methods.perturbation.least_squares import shared_out, weighted_ridge

RNG = np.random.default_rng(0)
X, Y, WEIGHTS = RNG.random((40, 5)), RNG.random((40, 2)), RNG.random(40)


def test_a_ridge_with_a_free_intercept_is_scikit_learns():
    usual = Ridge(alpha=0.7).fit(X, Y, sample_weight=WEIGHTS)
    np.testing.assert_allclose(weighted_ridge(X, Y, WEIGHTS, 0.7), usual.coef_)
    usual = LinearRegression().fit(X, Y, sample_weight=WEIGHTS)
    np.testing.assert_allclose(weighted_ridge(X, Y, WEIGHTS, 0.0), usual.coef_)


def test_of_few_rows_it_is_the_least():
    slopes = weighted_ridge(np.eye(3)[:2], np.array([[1.0], [0.0]]), np.ones(2), 0.0)
    np.testing.assert_allclose(slopes, [[0.5, -0.5, 0]], atol=1e-12)


def test_slopes_that_add_to_a_total_are_those_with_one_of_them_replaced():
    total = np.array([2.0, -1.0])
    x = X[:, :-1] - X[:, -1:]
    first = [
        LinearRegression(fit_intercept=False)
        .fit(x, Y[:, t] - X[:, -1] * total[t], sample_weight=WEIGHTS)
        .coef_
        for t in range(2)
    ]
    expected = np.column_stack([first, total - np.sum(first, axis=1)])
    np.testing.assert_allclose(shared_out(X, Y, WEIGHTS, total), expected)


@pytest.mark.parametrize("count", [1, 4])
def test_without_a_row_shares_are_equal(count):
    slopes = shared_out(np.zeros((0, count)), np.zeros((0, 1)), np.zeros(0), np.array([2.0]))
    np.testing.assert_allclose(slopes, np.full((1, count), 2 / count))

import numpy as np
import pytest

from vps.errors import InputError
from vps.metrics.sparsity import gini


@pytest.mark.parametrize("count", [1, 2, 7, 100])
def test_one_pixel_and_constant(count):
    values = np.zeros(count)
    values[count // 2] = 0.3
    assert gini(values) == pytest.approx(1 - 1 / count)
    assert gini(np.full(count, 0.3)) == pytest.approx(0, abs=1e-12)
    assert gini(np.full(count, 0.3)) >= 0
    assert gini(np.zeros(count)) == 0


def test_two_levels():
    # A share q of the pixels holds all energy evenly.
    values = np.zeros((10, 10))
    values[:3] = 1
    assert gini(values) == pytest.approx(0.7)


def test_half_the_mean_difference_over_the_mean():
    values = np.random.default_rng(0).random((6, 5))
    flat = values.ravel()
    differences = np.abs(flat[:, None] - flat[None]).mean()
    assert gini(values) == pytest.approx(differences / (2 * flat.mean()))


def test_scale_sign_order_and_copies_do_not_matter():
    values = np.random.default_rng(0).normal(size=20)
    for same in (7 * values, -values, np.abs(values), values[::-1], np.repeat(values, 3)):
        assert gini(same) == pytest.approx(gini(values))
    assert gini(np.append(values, 0)) > gini(values)


@pytest.mark.parametrize("values", [[], [1.0, np.nan], [np.inf]])
def test_nothing_to_measure(values):
    with pytest.raises(InputError):
        gini(np.array(values))

import numpy as np
import pytest

from vps.errors import InputError
from vps.metrics.fidelity import mu_fidelity, random_subsets


def ranks(values):
    """Mean ranks by counting: how many are smaller, and half of those that are the same."""
    return np.array([(values < v).sum() + ((values == v).sum() - 1) / 2 for v in values])


def spearman(one, other):
    one, other = ranks(one) - ranks(one).mean(), ranks(other) - ranks(other).mean()
    return (one * other).sum() / np.sqrt((one**2).sum() * (other**2).sum())


def test_subsets_are_of_one_size_and_the_seed_decides():
    subsets = random_subsets(50, 13, seed=4, share=0.3)
    assert subsets.shape == (50, 13)
    assert subsets.dtype == bool
    assert (subsets.sum(axis=1) == 4).all()
    assert np.array_equal(subsets, random_subsets(50, 13, seed=4, share=0.3))
    assert not np.array_equal(subsets, random_subsets(50, 13, seed=5, share=0.3))


def test_each_region_is_hidden_as_often():
    often = random_subsets(4000, 10, seed=0).mean(axis=0)
    np.testing.assert_allclose(often, 0.5, atol=0.04)


@pytest.mark.parametrize(("regions", "share", "size"), [(10, 0.01, 1), (10, 0.99, 9), (1, 0.5, 1)])
def test_a_subset_is_neither_empty_nor_all(regions, share, size):
    assert (random_subsets(5, regions, 0, share).sum(axis=1) == size).all()


def test_subsets_of_bernoulli_differ_in_size_and_hide_each_region_as_often():
    subsets = random_subsets(4000, 10, seed=0, share=0.2, draw="bernoulli")
    np.testing.assert_allclose(subsets.mean(axis=0), 0.2, atol=0.03)
    # The sizes are binomial: their variance is n p (1 - p).
    assert subsets.sum(axis=1).var() == pytest.approx(10 * 0.2 * 0.8, rel=0.1)
    again = random_subsets(4000, 10, seed=0, share=0.2, draw="bernoulli")
    assert np.array_equal(subsets, again)
    with pytest.raises(InputError, match="draw of subsets"):
        random_subsets(4, 4, 0, draw="poisson")


@pytest.mark.parametrize("given", [(-1, 4, 0, 0.5), (4, 0, 0, 0.5), (4, 4, 0, 0), (4, 4, 0, 1)])
def test_no_such_subsets(given):
    with pytest.raises(InputError, match="random subsets"):
        random_subsets(*given)


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_ranks_by_counting_also_with_ties(seed):
    rng = np.random.default_rng(seed)
    attributions = rng.integers(0, 4, 8).astype(float)
    hidden = random_subsets(30, 8, seed)
    drops = rng.integers(0, 5, 30) / 5
    ours = mu_fidelity(attributions, hidden, drops)
    assert ours == pytest.approx(spearman(hidden @ attributions, drops))


def test_an_additive_detector_and_its_own_weights():
    weights = np.random.default_rng(0).random(9)
    hidden = random_subsets(40, 9, seed=1)
    drops = hidden @ weights / weights.sum()
    assert mu_fidelity(weights, hidden, drops) == pytest.approx(1)
    assert mu_fidelity(-weights, hidden, drops) == pytest.approx(-1)
    # Ranks do not see the scale of a map, nor how a score is squashed.
    assert mu_fidelity(100 * weights, hidden, drops**3) == pytest.approx(1)


def test_undefined_where_nothing_differs():
    rng = np.random.default_rng(0)
    hidden, drops = random_subsets(30, 7, seed=0), rng.random(30)
    assert mu_fidelity(np.zeros(7), hidden, drops) is None
    # Sums of 0.1 in another order differ in the last digit.
    assert mu_fidelity(np.full(7, 0.1), hidden, drops) is None
    assert mu_fidelity(rng.random(7), hidden, np.full(30, 0.2)) is None
    assert mu_fidelity(rng.random(7), hidden, 0.2 + 1e-8 * rng.random(30)) is None
    assert mu_fidelity(rng.random(7), hidden[:0], drops[:0]) is None
    assert mu_fidelity(rng.random(7), hidden[:1], drops[:1]) is None


def test_shapes_and_values_that_do_not_fit():
    hidden = random_subsets(5, 4, seed=0)
    with pytest.raises(InputError, match="shape"):
        mu_fidelity(np.ones(5), hidden, np.ones(5))
    with pytest.raises(InputError, match="shape"):
        mu_fidelity(np.ones(4), hidden, np.ones(4))
    with pytest.raises(InputError, match="finite"):
        mu_fidelity(np.ones(4), hidden, np.full(5, np.nan))

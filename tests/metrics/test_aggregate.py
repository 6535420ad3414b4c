import numpy as np
import pytest
from scipy.stats import bootstrap

from vps.errors import InputError
from vps.metrics.aggregate import cluster_bootstrap


def test_with_one_case_a_cluster_it_is_the_ordinary_bootstrap():
    values = np.random.default_rng(0).normal(3, 1, 60)
    ours = cluster_bootstrap(
        [str(k) for k in range(60)], lambda rows: float(values[rows].mean()), draws=5000
    )
    theirs = bootstrap((values,), np.mean, method="percentile", n_resamples=5000, rng=1)
    assert ours == pytest.approx(theirs.confidence_interval, abs=0.02)


def test_repeating_each_case_in_its_cluster_does_not_narrow_the_interval():
    values = np.random.default_rng(0).normal(0, 1, 30)
    names = [str(k) for k in range(30)]
    once = cluster_bootstrap(names, lambda rows: float(values[rows].mean()))
    many = np.repeat(values, 5)
    again = cluster_bootstrap(list(np.repeat(names, 5)), lambda rows: float(many[rows].mean()))
    apart = cluster_bootstrap(list(map(str, range(150))), lambda rows: float(many[rows].mean()))
    assert np.ptp(again) == pytest.approx(np.ptp(once), rel=0.1)
    assert np.ptp(apart) < 0.6 * np.ptp(once)


def test_one_cluster_has_no_width_and_the_seed_decides():
    assert cluster_bootstrap(["a"] * 4, lambda rows: float(rows.sum())) == (6, 6)
    draws = [
        cluster_bootstrap(list("abcd"), lambda rows: float(rows.mean()), seed=s) for s in (1, 1)
    ]
    assert draws[0] == draws[1]


def test_no_cases():
    with pytest.raises(InputError, match="at least one"):
        cluster_bootstrap([], lambda rows: 0.0)

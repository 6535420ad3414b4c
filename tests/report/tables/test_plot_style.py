import numpy as np
import pytest

from vps.metrics.aggregate import cluster_sums, mean_interval
from vps.report.tables.plot_style import band
from vps.report.tables.rows import ReportSettings

SETTINGS = ReportSettings(draws=50)


def test_bands_agree_with_the_interval_of_a_mean():
    rng = np.random.default_rng(0)
    values, clusters = rng.random((60, 1)), np.arange(60) // 3
    low, high = band(*cluster_sums(values, clusters), SETTINGS)
    interval = mean_interval(values[:, 0], clusters.tolist(), draws=50)
    assert (low[0], high[0]) == pytest.approx((interval.low, interval.high))


def test_bands_of_one_image_have_no_width():
    values = np.random.default_rng(0).random((4, 5))
    low, high = band(*cluster_sums(values, np.zeros(4, int)), SETTINGS)
    assert low == pytest.approx(values.mean(0))
    assert high == pytest.approx(values.mean(0))

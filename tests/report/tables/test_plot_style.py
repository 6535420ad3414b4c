import numpy as np
import pytest

from vps.metrics.aggregate import mean_interval
from vps.report.tables.plot_style import band
from vps.report.tables.rows import ReportSettings

SETTINGS = ReportSettings(draws=50)


def test_bands_agree_with_the_interval_of_a_mean():
    rng = np.random.default_rng(0)
    values, clusters = rng.random((60, 1)), [number // 3 for number in range(60)]
    settings = ReportSettings(draws=20_000)
    low, high = band(values, clusters, settings)
    interval = mean_interval(values[:, 0], clusters, draws=20_000)
    assert low[0] == pytest.approx(interval.low, abs=0.005)
    assert high[0] == pytest.approx(interval.high, abs=0.005)


def test_bands_of_one_image_have_no_width():
    values = np.random.default_rng(0).random((4, 5))
    low, high = band(values, ["a"] * 4, SETTINGS)
    assert low == pytest.approx(values.mean(0))
    assert high == pytest.approx(values.mean(0))

import numpy as np
import pytest
from scipy.stats import bootstrap

from vps.errors import InputError
from vps.metrics import aggregate
from vps.metrics.aggregate import (
    Paired,
    bootstrap_means,
    cluster_bootstrap,
    cluster_sums,
    mean_interval,
    mean_intervals,
    paired,
    paired_columns,
)


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


def objects(count=200, images=60, seed=0):
    """Values of objects that lie in some of the images, several in many of them."""
    rng = np.random.default_rng(seed)
    return rng.normal(2, 1, count), [("coco", int(k)) for k in rng.integers(images, size=count)]


@pytest.mark.parametrize("entries", [1, 1000, 1 << 20])
def test_mean_interval_is_the_bootstrap_of_the_mean(monkeypatch, entries):
    # However many draws are made at a time.
    monkeypatch.setattr(aggregate, "_ENTRIES", entries)
    values, images = objects()
    slow = cluster_bootstrap(
        images, lambda rows: float(values[rows].mean()), draws=300, level=0.9, seed=3
    )
    fast = mean_interval(values, images, draws=300, level=0.9, seed=3)
    assert (fast.low, fast.high) == pytest.approx(slow, abs=1e-12)
    assert fast.mean == pytest.approx(values.mean())
    assert fast.n == 200


def test_peers_bug_a_second_object_of_an_image_counts_too():
    interval = mean_interval([1.0, 0.0, 0.5], ["a", "a", "b"])
    assert interval.n == 3
    assert interval.mean == pytest.approx(0.5)
    assert mean_interval([1.0, 1.0, 0.0], ["a", "a", "b"]).mean == pytest.approx(2 / 3)


def test_values_that_do_not_differ_have_no_width():
    interval = mean_interval(np.full(7, 0.1), list("abcdefg"))
    assert (interval.low, interval.high, interval.n) == (pytest.approx(0.1), pytest.approx(0.1), 7)


def test_the_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covered = 0
    for trial in range(200):
        # Half of the variance lies between images, so cases drawn one by one would cover less.
        values = np.repeat(rng.normal(size=40), 4) + rng.normal(size=160)
        interval = mean_interval(values, [k // 4 for k in range(160)], draws=200, seed=trial)
        covered += interval.low <= 0 <= interval.high
    assert 0.88 <= covered / 200 <= 0.99


def test_paired_counts_wins_by_the_side_that_is_better():
    ours, theirs = [0.5, 0.2, 0.4, 0.9], [0.3, 0.3, 0.4 + 1e-12, 0.1]
    up = paired(ours, theirs, list("abcd"), higher_is_better=True)
    down = paired(ours, theirs, list("abcd"), higher_is_better=False)
    assert (up.wins, up.ties, up.losses, up.n) == (2, 1, 1, 4)
    assert (down.wins, down.ties, down.losses, down.n) == (1, 1, 2, 4)
    assert up.difference == down.difference == pytest.approx(0.9 / 4)


def test_paired_is_narrower_than_two_intervals():
    values, images = objects()
    better = values + np.random.default_rng(1).normal(0.1, 0.05, len(values))
    result = paired(better, values, images, higher_is_better=True)
    assert result.low > 0
    assert mean_interval(better, images).low < mean_interval(values, images).high
    turned = paired(values, better, images, higher_is_better=True)
    assert (turned.difference, turned.wins) == (pytest.approx(-result.difference), result.losses)


def test_paired_takes_only_cases_that_both_have():
    nan = float("nan")
    result = paired([1, nan, 0.5, 1], [0.5, 1, nan, 1], list("abcd"), higher_is_better=True)
    kept = paired([1, 1], [0.5, 1], list("ad"), higher_is_better=True)
    assert result == kept == Paired(0.25, 0, 0.5, 1, 1, 0, 2)
    with pytest.raises(InputError, match="in common"):
        paired([nan, 1], [1, nan], list("ab"), higher_is_better=True)


def test_peers_bug_an_empty_evaluation_is_no_zero():
    with pytest.raises(InputError, match="at least one"):
        mean_interval([], [])
    with pytest.raises(InputError, match="in common"):
        paired([], [], [], higher_is_better=True)


@pytest.mark.parametrize(
    ("values", "settings", "message"),
    [
        ([1.0], {}, "as many"),
        ([1.0, float("nan")], {}, "finite"),
        ([1.0, 2.0], {"draws": 0}, "draw"),
        ([1.0, 2.0], {"level": 1.0}, "level"),
    ],
)
def test_what_no_mean_is_taken_of(values, settings, message):
    with pytest.raises(InputError, match=message):
        mean_interval(values, ["a", "b"], **settings)


def test_methods_of_other_cases_are_not_compared():
    with pytest.raises(InputError, match="both methods"):
        paired([1.0, 2.0], [1.0], ["a", "b"], higher_is_better=True)


def table(count=150, images=50):
    """Values of objects, of which some metrics say nothing for some."""
    rng = np.random.default_rng(4)
    values = rng.normal(1, 1, (count, 4))
    values[rng.random(count) < 0.3, 1] = np.nan
    values[rng.random(count) < 0.3, 3] = np.nan
    return values, rng.integers(images, size=count)


def test_many_columns_have_the_intervals_of_each():
    values, images = table()
    empty = np.full((len(values), 1), np.nan)
    found = mean_intervals(np.hstack([values, empty]), images, draws=200, seed=3)
    assert found[4] is None
    for interval, column in zip(found, values.T, strict=False):
        kept = np.isfinite(column)
        alone = mean_interval(column[kept], images[kept].tolist(), draws=200, seed=3)
        assert (interval.mean, interval.low, interval.high) == pytest.approx(
            (alone.mean, alone.low, alone.high), abs=1e-12
        )
        assert interval.n == alone.n


def test_many_columns_are_compared_as_each():
    values, images = table()
    others = values[:, ::-1] + 0.1
    better = [True, False, True, False]
    found = paired_columns(values, others, images, better, draws=100)
    for column, result in enumerate(found):
        alone = paired(
            values[:, column],
            others[:, column],
            images.tolist(),
            higher_is_better=better[column],
            draws=100,
        )
        assert (result.wins, result.ties, result.losses) == (alone.wins, alone.ties, alone.losses)
        assert result.low == pytest.approx(alone.low, abs=1e-12)


def test_the_interval_is_that_of_scipy_drawing_images():
    """A ratio of sums over images, by scipy's own draws: alike but for chance."""
    values, images = table()
    found = mean_intervals(values, images, draws=20_000, level=0.9)
    for interval, column in zip(found, values.T, strict=True):
        kept = np.isfinite(column)
        sums, sizes = cluster_sums(column[kept, None], images[kept])
        theirs = bootstrap(
            (sums[:, 0], sizes),
            lambda t, n, axis: t.sum(axis) / n.sum(axis),
            paired=True,
            confidence_level=0.9,
            method="percentile",
            n_resamples=20_000,
            rng=7,
        ).confidence_interval
        width = theirs.high - theirs.low
        assert interval.low == pytest.approx(theirs.low, abs=0.04 * width)
        assert interval.high == pytest.approx(theirs.high, abs=0.04 * width)


def test_draws_are_the_same_whether_they_are_kept(monkeypatch):
    values, images = table()
    sums, sizes = cluster_sums(values[:, ::2], images)
    kept = bootstrap_means(sums, sizes, draws=50)
    monkeypatch.setattr(aggregate, "_KEPT", 0)
    assert (bootstrap_means(sums, sizes, draws=50) == kept).all()


def test_infinity_is_not_compared():
    with pytest.raises(InputError, match="finite"):
        paired([1.0, float("inf")], [1.0, 2.0], ["a", "b"], higher_is_better=True)

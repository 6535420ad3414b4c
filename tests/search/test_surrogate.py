import numpy as np
import pytest
from scipy.special import expit

from vps.search import surrogate
from vps.search.surrogate import Surrogate

COUNT = 7
PRIOR = np.linspace(0.1, 1, COUNT)
NOISE, AMPLITUDE = surrogate._NOISE, surrogate._AMPLITUDE


def distinct(number: int, seed: int = 0, count: int = COUNT) -> np.ndarray:
    """(number, count) bool, no two alike."""
    rng = np.random.default_rng(seed)
    places = rng.choice(2**count, number, replace=False)
    return (places[:, None] >> np.arange(count) & 1).astype(bool)


def smooth(keep: np.ndarray) -> np.ndarray:
    """A detector's s: it rises where half of the weight is shown, and two regions need a third."""
    weights = np.arange(1, keep.shape[1] + 1)
    share = keep @ weights / weights.sum()
    return 0.9 * expit(12 * (share - 0.5)) * (0.7 + 0.3 * (keep[:, 0] & keep[:, 2]))


def kernel(model: Surrogate, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    differs = one[:, None, :] != other[None, :, :]
    return AMPLITUDE * np.exp(-(differs * model._theta).sum(axis=2))


def linear(model: Surrogate, keep: np.ndarray) -> np.ndarray:
    return model._ceiling * expit(keep.astype(float) @ model._beta[:-1] + model._beta[-1])


def dense(model: Surrogate, seen: np.ndarray, scores: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """The posterior mean, by one solve with all rows and the model's own hyperparameters."""
    covariance = kernel(model, seen, seen) + NOISE * np.eye(len(seen))
    alpha = np.linalg.solve(covariance, scores - linear(model, seen))
    return linear(model, keep) + kernel(model, keep, seen) @ alpha


def fitted(keep: np.ndarray, scores: np.ndarray) -> Surrogate:
    model = Surrogate(PRIOR[: keep.shape[1]])
    model.fit(keep, scores)
    return model


@pytest.mark.parametrize("number", [1, 2, 30, 80])
def test_fit_equals_a_dense_solve(number):
    keep = distinct(number)
    model = fitted(keep, smooth(keep))
    other = distinct(40, seed=1)
    expected = dense(model, keep, smooth(keep), other)
    np.testing.assert_allclose(model.toggled(other)[0], expected, atol=1e-9)


@pytest.mark.parametrize("parts", [[20, 1], [20, 15], [20, 1, 2, 3, 30], [1, 60]])
def test_extended_equals_a_dense_solve_of_all_rows(parts):
    keep = distinct(sum(parts))
    scores = smooth(keep)
    model = fitted(keep[: parts[0]], scores[: parts[0]])
    done = parts[0]
    for part in parts[1:]:
        model.extend(keep[done : done + part], scores[done : done + part])
        done += part
    other = distinct(40, seed=1)
    np.testing.assert_allclose(
        model.toggled(other)[0], dense(model, keep, scores, other), atol=1e-9
    )


def test_extending_keeps_the_shape_of_the_process():
    keep = distinct(50)
    model = fitted(keep[:30], smooth(keep[:30]))
    before = (model._beta.copy(), model._theta.copy(), model._ceiling)
    model.extend(keep[30:], smooth(keep[30:]))
    for one, other in zip(before, (model._beta, model._theta, model._ceiling), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("extended", [False, True])
def test_toggled_equals_the_prediction_of_each_toggled_subset(extended):
    keep = distinct(60)
    model = fitted(keep, smooth(keep))
    if extended:
        more = np.array([row for row in distinct(127, seed=3) if not (row == keep).all(1).any()])
        keep = np.concatenate([keep, more[:20]])
        model.extend(more[:20], smooth(more[:20]))
    asked = np.concatenate([keep[:5], distinct(20, seed=2), [[False] * COUNT, [True] * COUNT]])
    same, toggled = model.toggled(asked)
    assert toggled.shape == (27, COUNT)
    for k, subset in enumerate(asked):
        for region in range(COUNT):
            other = subset.copy()
            other[region] = not other[region]
            literal = dense(model, keep, smooth(keep), other[None])[0]
            assert toggled[k, region] == pytest.approx(literal, abs=1e-9)
            assert toggled[k, region] == pytest.approx(model.toggled(other[None])[0][0], abs=1e-9)
    np.testing.assert_allclose(same, dense(model, keep, smooth(keep), asked), atol=1e-9)


def test_nearly_interpolates_what_was_seen():
    keep = distinct(64)
    scores = smooth(keep)
    model = fitted(keep, scores)
    assert np.abs(model.toggled(keep)[0] - scores).max() < 0.01
    new = distinct(40, seed=5)
    model.extend(new, smooth(new))
    assert np.abs(model.toggled(new)[0] - smooth(new)).max() < 0.01
    assert np.abs(model.toggled(keep)[0] - scores).max() < 0.01


def test_predicts_what_was_not_seen_better_than_the_mean():
    keep = distinct(128)
    scores = smooth(keep)
    model = fitted(keep[:70], scores[:70])
    error = np.abs(model.toggled(keep[70:])[0] - scores[70:]).mean()
    assert error < 0.25 * np.abs(scores[70:] - scores[:70].mean()).mean()


def test_fitted_again_it_forgets_what_it_was_fitted_to_before():
    keep = distinct(128)
    once = fitted(keep[:60], smooth(keep[:60]))
    again = fitted(keep[90:], 1 - smooth(keep[90:]))
    again.extend(keep[60:90], np.zeros(30))
    again.fit(keep[:60], smooth(keep[:60]))
    np.testing.assert_allclose(once.toggled(keep)[0], again.toggled(keep)[0], atol=1e-3)


@pytest.mark.parametrize("score", [0.0, 1e-6, 0.5, 1.0])
def test_scores_that_do_not_differ(score):
    keep = distinct(40)
    model = fitted(keep, np.full(40, score))
    same, toggled = model.toggled(keep)
    assert np.abs(same - score).max() < 0.01
    assert np.isfinite(toggled).all()


def test_regions_that_matter_more_reach_less_far():
    rng = np.random.default_rng(0)
    keep = rng.random((120, COUNT)) < 0.5
    keep = np.unique(keep, axis=0)
    model = Surrogate(np.ones(COUNT))
    model.fit(keep, 0.8 * keep[:, 4])
    assert np.argmax(model._theta) == 4
    assert model._theta.sum() == pytest.approx(surrogate._REACH)
    assert (model._theta > 0).all()


@pytest.mark.parametrize("near", [False, True])
def test_too_many_rows(monkeypatch, near):
    monkeypatch.setattr(surrogate, "_MOST_ROWS", 50)
    keep = distinct(128)
    scores = smooth(keep)
    wanted = keep[[3, 90, 127]]
    model = Surrogate(PRIOR)
    model.fit(keep, scores, near=wanted if near else None)
    same, toggled = model.toggled(keep)
    assert np.isfinite(same).all()
    assert np.isfinite(toggled).all()
    if near:
        # The rows kept are those with the largest covariance with what is wanted.
        closest = kernel(model, wanted, keep).max(axis=0)
        kept = (keep[:, None] == model._x[None].astype(bool)).all(axis=2).any(axis=1)
        rows = np.flatnonzero(kept)
        assert len(rows) == 50
        assert closest[rows].min() >= closest[~kept].max() - 1e-12
        expected = dense(model, keep[rows], scores[rows], keep)
        np.testing.assert_allclose(same, expected, atol=1e-9)
        assert np.abs(same[[3, 90, 127]] - scores[[3, 90, 127]]).max() < 0.01
    else:
        np.testing.assert_allclose(same, dense(model, keep, scores, keep), atol=1e-9)


@pytest.mark.parametrize("scale", [0.5, 0.03])
def test_predictions_scale_with_the_scores(scale):
    rng = np.random.default_rng(0)
    keep, scores = rng.random((40, 8)) < 0.5, rng.random(40)
    models = [Surrogate(np.ones(8)), Surrogate(np.ones(8))]
    models[0].fit(keep, scores)
    models[1].fit(keep, scale * scores)
    wanted = rng.random((10, 8)) < 0.5
    for one, other in zip(models[0].toggled(wanted), models[1].toggled(wanted), strict=True):
        np.testing.assert_allclose(scale * one, other, atol=1e-9)

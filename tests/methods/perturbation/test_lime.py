import itertools

import numpy as np
import pytest
import torch
from captum._utils.models.linear_model import SkLearnRidge
from captum.attr import LimeBase

from tests.helpers.analytic import additive, breaking, needed_pair
from tests.helpers.games import PAIR, WEIGHTS, asked, pair_score, score_of_pixels
from vps.engine.budget import Budget
from vps.errors import InputError
from vps.methods.perturbation.lime import LIME


def drawn(samples, seed):
    keep = np.random.default_rng(seed).random((samples, 6)) < 0.5
    keep[0] = True
    return keep


def captums(problem, keep, width, ridge):
    """LIME of Captum on the same subsets, whose kernel has the root of the width's."""
    rows = iter(keep)

    def image(row, whole, **_):
        shown = torch.from_numpy(row[0].numpy().astype(bool)[problem.regions.label_map])
        return whole * shown

    def similarity(_whole, _image, row, **_):
        row = row.numpy()[0]
        cosine = row.sum() / np.sqrt(row.sum() * 6) if row.any() else 0.0
        return float(np.sqrt(np.exp(-((1 - cosine) ** 2) / width**2)))

    method = LimeBase(
        score_of_pixels(problem),
        SkLearnRidge(alpha=ridge),
        similarity_func=similarity,
        perturb_func=lambda *_, **__: torch.from_numpy(next(rows)[None].astype(np.float32)),
        perturb_interpretable_space=True,
        from_interp_rep_transform=image,
        to_interp_rep_transform=None,
    )
    return method.attribute(problem.pixels[None], n_samples=len(keep)).numpy()[0]


@pytest.mark.parametrize("answer", [additive(WEIGHTS), needed_pair(WEIGHTS, *PAIR)])
@pytest.mark.parametrize(("samples", "width", "ridge"), [(60, 0.25, 1.0), (30, 0.5, 0.1)])
def test_it_is_captums_on_the_same_subsets(answer, samples, width, ridge):
    problem = asked(answer)
    theirs = captums(asked(answer), drawn(samples, 7), width, ridge)
    found = LIME(samples, width, ridge).attribute(problem, Budget(), 7)
    np.testing.assert_allclose(found.means_of(problem.regions)[0], theirs, atol=1e-4)
    assert found.passes == len(np.unique(drawn(samples, 7), axis=0))


def test_of_an_additive_game_it_is_the_weights_but_for_the_ridge():
    problem = asked(additive(WEIGHTS))
    (values,) = LIME(ridge=0.0).attribute(problem).means_of(problem.regions)
    np.testing.assert_allclose(values, WEIGHTS, atol=1e-6)
    (values,) = LIME().attribute(problem).means_of(problem.regions)
    np.testing.assert_allclose(values, WEIGHTS, rtol=0.03)


def test_many_samples_come_near_the_regression_over_all_subsets():
    every = np.array(list(itertools.product([0.0, 1.0], repeat=6)))
    weights = np.exp(-((1 - np.sqrt(every.mean(axis=1))) ** 2) / (2 * 0.25**2))
    design = np.column_stack([np.ones(64), every]) * np.sqrt(weights)[:, None]
    scores = np.array([pair_score(row.astype(bool)) for row in every]) * np.sqrt(weights)
    expected = np.linalg.lstsq(design, scores, rcond=None)[0][1:]
    problem = asked(needed_pair(WEIGHTS, *PAIR))
    (values,) = LIME(samples=20_000, ridge=0.0).attribute(problem).means_of(problem.regions)
    np.testing.assert_allclose(values, expected, atol=0.01)


def test_more_features_than_passes():
    problem = asked(additive(WEIGHTS))
    for method, budget in ((LIME(), Budget(passes=6)), (LIME(samples=6), Budget())):
        with pytest.raises(InputError, match="6 passes .* lime: it takes 7 .* features, 6 regions"):
            method.attribute(problem, budget)
    assert not problem.detector.seen


def test_ended_early_the_subsets_until_then_make_the_map():
    problem = asked(additive(WEIGHTS), batch_size=4)
    breaking(problem.detector, {5: KeyboardInterrupt()})
    found = LIME(ridge=0.0).attribute(problem, Budget(), 0)
    assert (found.passes, found.stopped) == (20, "interrupted")
    np.testing.assert_allclose(found.means_of(problem.regions)[0], WEIGHTS, atol=1e-6)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"samples": 1}, "samples must be at least 2"),
        ({"width": 0.0}, "width must lie in"),
        ({"ridge": -1.0}, "ridge must be at least 0"),
        ({"ridge": float("nan")}, "ridge must be a finite number"),
    ],
)
def test_what_it_cannot_be_set_to(settings, message):
    with pytest.raises(InputError, match=message):
        LIME(**settings)

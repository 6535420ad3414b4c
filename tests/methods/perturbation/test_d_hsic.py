import itertools
import math

import numpy as np
import pytest
import torch

from tests.helpers.patches import BOX, PATCHES, SIZE, one_box_a_patch, question
from vps.core.targets import Kind, Target
from vps.engine.budget import Budget
from vps.errors import InputError
from vps.methods.perturbation.d_hsic import DHSIC, dependence
from vps.methods.perturbation.grids import grid_maps

DOG = Target(BOX, "dog", Kind.MISSED)
BIRD = Target(BOX, "bird", Kind.MISSED)
EVERY = np.array(list(itertools.product([False, True], repeat=5)))


def v_statistic(shown, scores, width):
    """HSIC as the mean of products of kernels over pairs, triples and quadruples, by loops."""
    n = len(scores)
    k = [[1.5 if shown[i] == shown[j] else 0.5 for j in range(n)] for i in range(n)]
    gauss = [
        [math.exp(-((scores[i] - scores[j]) ** 2) / (2 * width**2)) for j in range(n)]
        for i in range(n)
    ]
    together = sum(k[i][j] * gauss[i][j] for i in range(n) for j in range(n)) / n**2
    apart = sum(map(sum, k)) / n**2 * sum(map(sum, gauss)) / n**2
    half = sum(sum(k[i]) * sum(gauss[i]) for i in range(n)) / n**3
    return together + apart - 2 * half


def test_it_is_the_v_statistic():
    rng = np.random.default_rng(0)
    shown, scores = rng.random((40, 3)) < 0.5, rng.random(40)
    scores[shown[:, 0]] += 1
    pairs = [abs(a - b) for a, b in itertools.combinations(scores, 2)]
    expected = [v_statistic(cell, scores, np.median(pairs)) for cell in shown.T]
    np.testing.assert_allclose(dependence(shown, scores), expected, rtol=1e-9, atol=1e-12)


def test_nothing_depends_on_what_is_not_read():
    scores = EVERY[:, 0] * 0.5 + EVERY[:, 3] * 0.2 + 0.1 * (EVERY[:, 0] & EVERY[:, 3])
    values = dependence(EVERY, scores)
    np.testing.assert_allclose(values[[1, 2, 4]], 0, atol=1e-12)
    assert values[0] > values[3] > 0.005


def test_a_cell_that_hinders_stands_as_high_as_one_that_helps():
    values = dependence(EVERY, EVERY[:, 0] * 0.5 - EVERY[:, 1] * 0.5)
    assert values[0] == pytest.approx(values[1])


def test_where_most_scores_are_the_same():
    scores = np.zeros(32)
    scores[EVERY[:, :3].all(axis=1)] = 0.7
    values = dependence(EVERY, scores)
    assert np.isfinite(values).all()
    assert values[:3].min() > 0.001 > values[3:].max()
    np.testing.assert_array_equal(dependence(EVERY, np.full(32, 0.3)), np.zeros(5))


def test_it_asks_for_what_is_compared():
    """Of a detector of one label every cosine is 1, and how sure it is only the score tells."""

    def answer(shares):
        scores = torch.zeros(len(shares), 1, 3)
        scores[:, 0, 1] = 0.01 + 0.9 * shares[:, 0]
        return torch.tensor([[BOX]]).expand(len(shares), -1, -1), scores

    asked = question(DOG, answer=answer)
    told = DHSIC(masks=40, grid=4, similarity="score").attribute(asked, Budget(), 0)
    assert np.ptp(told.maps[0]) > 0
    assert told.passes == 40
    assert not DHSIC(masks=40, grid=4, objectness="none").attribute(asked, Budget(), 0).maps.any()
    with pytest.raises(InputError, match="no factor objectness"):
        DHSIC(similarity="score", objectness="none")


@pytest.mark.parametrize(("target", "patch"), [(DOG, 0), (BIRD, 1)])
def test_the_map_stands_over_what_the_detector_reads(target, patch):
    asked = question(target)
    (values,) = DHSIC(masks=400, grid=5).attribute(asked, Budget(), 0).maps
    row, column = np.unravel_index(values.argmax(), SIZE)
    top, bottom, left, right = PATCHES[patch]
    assert top - 2 <= row < bottom + 2
    assert left - 3 <= column < right + 3
    assert values[top:bottom, left:right].mean() > 3 * values.mean()


def test_the_map_is_what_was_seen_through_masks_of_cells():
    asked = question(DOG, BIRD)
    found = DHSIC(masks=50, grid=4).attribute(asked, Budget(), 3)
    seen = torch.cat(asked.detector.seen)
    assert found.passes == len(seen) == 50
    # In each cell of 5 x 7.5 pixels, the first stands for all: it is shown, or black.
    rows, columns = np.arange(4) * 5 + 2, np.array([3, 10, 18, 25])
    shown = (seen == asked.pixels).all(dim=1).numpy()[:, rows][:, :, columns].reshape(50, 16)
    assert (shown.sum(axis=0) == 25).all()
    shares = asked.detector.shares(seen).clamp(0, 1)
    _, scores = one_box_a_patch(shares)
    # Similarity: IoU * cosine * highest score, of the two candidates.
    best = scores.amax(dim=-1) / scores.norm(dim=-1).clamp(min=1e-12) * torch.tensor([1, 60 / 140])
    expected = np.stack(
        [dependence(shown, (scores[..., c] * best).amax(dim=1).double().numpy()) for c in (1, 2)]
    )
    np.testing.assert_allclose(found.maps, grid_maps(expected, SIZE), rtol=1e-3, atol=1e-6)


def test_budgets():
    found = DHSIC(masks=50, grid=3).attribute(question(DOG), Budget(passes=21), 0)
    assert (found.passes, found.stopped) == (20, "budget")
    assert DHSIC().with_passes(500).planned_passes(question()) == 500
    with pytest.raises(InputError, match="too small for D-HSIC.*two masks"):
        DHSIC().attribute(question(), Budget(passes=2))
    asked = question()
    with pytest.raises(InputError, match="grid of 25 cells a side is finer .* 20 x 30"):
        DHSIC(grid=25).attribute(asked)
    assert not asked.detector.seen


@pytest.mark.parametrize(
    "settings", [{"masks": 1}, {"masks": 10**5}, {"grid": 1}, {"objectness": "non"}]
)
def test_what_it_cannot_be_set_to(settings):
    with pytest.raises(InputError, match=next(iter(settings))):
        DHSIC(**settings)

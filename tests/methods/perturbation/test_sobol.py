import numpy as np
import pytest
import torch

from tests.helpers.patches import BOX, PATCHES, SIZE, question
from vps.core.targets import Kind, Target
from vps.engine.budget import Budget
from vps.errors import InputError
from vps.methods.perturbation.sobol import Sobol, _design, _mask, total_indices

DOG = Target(BOX, "dog", Kind.MISSED)
BIRD = Target(BOX, "bird", Kind.MISSED)


def indices(game, cells, designs=512):
    one, other = _design(designs, cells, 0)
    masks = np.array(
        [[_mask(one, other, j, number) for number in range(cells + 2)] for j in range(designs)]
    )
    return total_indices(game(masks))


def test_total_indices_of_a_linear_game():
    weights = np.array([0.1, 0.4, 0.0, 0.2])
    # The variance is the sum of the squares of the weights / 12: nothing acts together.
    expected = weights**2 / (weights**2).sum()
    np.testing.assert_allclose(indices(lambda m: m @ weights, 4), expected, atol=0.01)


def test_total_indices_of_a_product():
    # Var(x y) = E(x^2) E(y^2) - 1/16 = 7/144; S_T(x) = E(y^2) Var(x) / Var = (1/36) / (7/144).
    found = indices(lambda m: m[..., 0] * m[..., 1], 3)
    np.testing.assert_allclose(found, [4 / 7, 4 / 7, 0], atol=0.015)


def test_a_score_that_is_always_the_same():
    np.testing.assert_array_equal(total_indices(np.full((8, 5), 0.3)), np.zeros(3))


def test_a_design_has_each_cell_of_another_mask_in_turn():
    one, other = _design(5, 4, 1)
    assert one.shape == other.shape == (5, 4)
    assert not np.array_equal(one, _design(5, 4, 2)[0])
    np.testing.assert_array_equal(_mask(one, other, 3, 0), one[3])
    np.testing.assert_array_equal(_mask(one, other, 3, 1), other[3])
    for cell in range(4):
        changed = _mask(one, other, 3, cell + 2)
        assert changed[cell] == other[3, cell]
        np.testing.assert_array_equal(np.delete(changed, cell), np.delete(one[3], cell))


@pytest.mark.parametrize(("target", "patch"), [(DOG, 0), (BIRD, 1)])
def test_the_map_stands_over_what_the_detector_reads(target, patch):
    found = Sobol(designs=8, grid=5).attribute(question(target), Budget(), 0)
    row, column = np.unravel_index(found.maps[0].argmax(), SIZE)
    top, bottom, left, right = PATCHES[patch]
    assert top - 2 <= row < bottom + 2
    assert left - 3 <= column < right + 3
    assert found.passes == 8 * 27


def test_masks_show_a_part_of_the_image():
    asked = question(DOG)
    Sobol(designs=2, grid=2).attribute(asked, Budget(), 0)
    seen = torch.cat(asked.detector.seen)
    assert len(seen) == 12
    one, other = _design(2, 4, 0)
    shares = (seen / asked.pixels).mean(dim=1)[:, [5, 5, 15, 15], [7, 22, 7, 22]]
    expected = [_mask(one, other, j, number) for j in range(2) for number in range(6)]
    np.testing.assert_allclose(shares, expected, rtol=1e-4)


def test_a_design_that_a_budget_does_not_let_end_is_left_out():
    usual = Sobol(designs=4, grid=3).attribute(question(DOG), Budget(), 0)
    found = Sobol(designs=7, grid=3).attribute(question(DOG), Budget(passes=50), 0)
    assert (found.passes, found.stopped, found.limit) == (44, "budget", 50)
    assert usual.passes == 44
    reports = []
    budget = Budget(progress=reports.append, cancelled=lambda: len(reports) == 4)
    early = Sobol(designs=7, grid=3).attribute(question(DOG, batch_size=8), budget, 0)
    assert (early.passes, early.stopped) == (32, "cancelled")
    assert np.isfinite(early.maps).all()


@pytest.mark.parametrize("passes", [13, 60, 500, 1000, 5000])
def test_with_passes(passes):
    method = Sobol().with_passes(passes)
    assert 0.85 * passes < method.planned_passes(question()) <= passes
    assert method.designs >= 2
    assert method.grid == 8 or method.designs >= 2


def test_too_few_passes():
    asked = question(DOG)
    with pytest.raises(InputError, match="too small for Sobol.*two designs of 66 masks"):
        Sobol().attribute(asked, Budget(passes=132))
    assert not asked.detector.seen


@pytest.mark.parametrize("settings", [{"designs": 1}, {"grid": 1}, {"objectness": "non"}])
def test_what_it_cannot_be_set_to(settings):
    with pytest.raises(InputError, match=next(iter(settings))):
        Sobol(**settings)

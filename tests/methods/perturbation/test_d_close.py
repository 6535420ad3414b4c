import numpy as np
import pytest
import torch

from tests.helpers.patches import BOX, PATCHES, SIZE, question
from vps.core.regions import make_regions
from vps.core.targets import Kind, Target
from vps.engine.budget import Budget
from vps.errors import InputError
from vps.methods.perturbation.d_close import DCLOSE, _mask, fused

DOG = Target(BOX, "dog", Kind.MISSED)
BIRD = Target(BOX, "bird", Kind.MISSED)


def test_masks_are_superpixels_enlarged_and_cut_out():
    rows, columns = np.indices((20, 30))
    labels = (rows >= 10) * 2 + (columns >= 15)
    offsets = set()
    for number in range(30):
        rng = np.random.default_rng((4, number))
        shown = (rng.random(4) < 0.5).astype(np.float32)
        top, left = rng.integers(0, 44, endpoint=True), rng.integers(0, 66, endpoint=True)
        whole = torch.from_numpy(shown[labels])[None, None]
        enlarged = torch.nn.functional.interpolate(whole, (64, 96), mode="bilinear")[0, 0]
        mask = _mask(labels, 0.5, (4, number), torch.device("cpu"))
        torch.testing.assert_close(
            mask, enlarged[top : top + 20, left : left + 30], atol=1e-4, rtol=0
        )
        offsets.add((int(top), int(left)))
    assert len(offsets) > 20


def test_levels_are_fused_from_the_finest():
    coarse = torch.tensor([[[0.0, 2.0, 4.0]]])
    middle = torch.tensor([[[0.0, 1.0, 0.5]]])
    fine = torch.tensor([[[1.0, 3.0, 2.0]]])
    # Scaled: 0 .5 1, 0 1 .5, 0 1 .5; ((fine + middle) middle + coarse) coarse.
    expected = torch.tensor([[[0.0, (2.0 + 0.5) * 0.5, (0.5 + 1.0) * 1.0]]])
    torch.testing.assert_close(fused(torch.stack([coarse, middle, fine])), expected)


def test_a_constant_level_is_left_out():
    told = torch.tensor([[[0.0, 0.25, 1.0]]])
    flat = torch.full((1, 1, 3), 0.3)
    for maps in ([flat, told], [told, flat], [flat, told, flat]):
        torch.testing.assert_close(fused(torch.stack(maps)), told)
    assert not fused(torch.stack([flat, flat])).any()


def test_the_map_is_made_of_what_was_seen_through_the_masks():
    asked = question(DOG)
    found = DCLOSE(masks=30, segments=5, levels=2).attribute(asked, Budget(), 6)
    assert found.passes == 30
    levels = [make_regions(asked.pixels, count, "slic").label_map for count in (5, 10)]
    total, density = np.zeros((2, *SIZE)), np.zeros((2, *SIZE))
    for number in range(30):
        mask = _mask(levels[number % 2], 0.5, (6, number), torch.device("cpu"))
        # The dog's similarity is how far patch 0 is shown times its cosine with "dog", which is 1.
        share = asked.detector.shares((asked.pixels * mask)[None]).clamp(0, 1)[0]
        beside = torch.tensor([0.0, 0.1, 0.8 * share[1]])
        weight = max(share[0], 60 / 140 * 0.1 * beside.max() / beside.norm())
        total[number % 2] += float(weight) * mask.numpy()
        density[number % 2] += mask.numpy()
    expected = fused(torch.from_numpy(total / np.maximum(density, 1e-9))[:, None])
    np.testing.assert_allclose(found.maps, expected, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(("target", "patch"), [(DOG, 0), (BIRD, 1)])
def test_the_map_stands_over_what_the_detector_reads(target, patch):
    method = DCLOSE(masks=900, segments=12, levels=3)
    (values,) = method.attribute(question(target), Budget(), 0).maps
    top, bottom, left, right = PATCHES[patch]
    assert values[top:bottom, left:right].mean() > 2 * values.mean()


def test_budgets():
    found = DCLOSE(masks=50, segments=4, levels=3).attribute(question(DOG), Budget(passes=21), 0)
    assert (found.passes, found.stopped) == (20, "budget")
    assert DCLOSE().with_passes(500).planned_passes(question()) == 500
    with pytest.raises(InputError, match="too small for D-CLOSE.*one mask for each of 5 levels"):
        DCLOSE().attribute(question(), Budget(passes=5))


@pytest.mark.parametrize(
    "settings", [{"masks": 4}, {"segments": 1}, {"levels": 0}, {"p": 1.0}, {"objectness": "non"}]
)
def test_what_it_cannot_be_set_to(settings):
    with pytest.raises(InputError, match=next(iter(settings))):
        DCLOSE(**settings)

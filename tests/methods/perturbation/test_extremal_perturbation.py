import numpy as np
import pytest
import torch

from detectors.function import FunctionDetector
from tests.helpers.analytic import TARGET, additive, photo, strip_detector
from tests.helpers.patches import BOX, PATCHES, SIZE
from vps.core.targets import Target
from vps.engine.budget import Budget
from vps.engine.problem import make_problem
from vps.errors import InputError
from vps.methods.perturbation.extremal_perturbation import ExtremalPerturbation

IMAGE = photo(*SIZE)
WHOLE = torch.from_numpy(IMAGE.astype(np.float32) / 255).permute(2, 0, 1)
TARGETS = (Target(BOX, "dog"), Target(BOX, "bird"))
SHOWN: list[int] = []


def brightness(pixels):
    """A dog as far as patch 0 is shown under black, and a bird by patch 1."""
    SHOWN.append(len(pixels))
    shares = [
        (pixels[:, :, t:b, k:r].sum((1, 2, 3)) / WHOLE[:, t:b, k:r].sum()).clamp(0, 1)
        for t, b, k, r in PATCHES
    ]
    scores = 0.05 + 0.9 * torch.stack(shares, dim=-1)[:, None]
    return pixels.new_tensor([[BOX]]).expand(len(pixels), 1, 4), scores


def asked(targets=TARGETS, **settings):
    SHOWN.clear()
    detector = FunctionDetector(brightness, ("dog", "bird"))
    return make_problem(detector, IMAGE, targets, regions=12, fill="black", **settings)


def test_each_mask_covers_what_its_target_is_read_from_and_little_else():
    found = ExtremalPerturbation(area=0.15, steps=40).attribute(asked(), Budget(), 0)
    for values, (top, bottom, left, right) in zip(found.maps, PATCHES, strict=True):
        assert values[top:bottom, left:right].mean() > 0.85
        # Beside it lies what smoothness shows with it.
        near = values[max(top - 4, 0) : bottom + 4, max(left - 4, 0) : right + 4].sum()
        assert near > 0.9 * values.sum()
        assert 0.1 < values.mean() < 0.25
        assert 0 <= values.min() <= values.max() <= 1
    assert sum(SHOWN) == found.forward == found.backward == 80
    assert found.passes == 80 + 80 * found.backward_cost


def test_targets_do_not_disturb_each_other():
    method = ExtremalPerturbation(steps=3)
    together = method.attribute(asked(batch_size=1), Budget(), 0)
    for number, target in enumerate(TARGETS):
        alone = method.attribute(asked((target,)), Budget(), 0)
        np.testing.assert_allclose(together.maps[number], alone.maps[0], atol=1e-5)


def test_a_budget_means_fewer_steps():
    usual = ExtremalPerturbation(steps=3).attribute(asked(), Budget(), 0)
    found = ExtremalPerturbation(steps=9).attribute(asked(), Budget(passes=20), 0)
    assert (found.passes, found.stopped, found.limit) == (18, "budget", 20)
    np.testing.assert_array_equal(found.maps, usual.maps)
    assert ExtremalPerturbation(steps=9).planned_passes(asked()) == 54
    assert ExtremalPerturbation().with_passes(100).planned_passes(asked()) == 100


def test_it_ends_before_a_step_that_may_not_be_affordable():
    asked_now = asked()
    with pytest.raises(InputError, match="budget of 5 passes is too small .* one step may take 6"):
        ExtremalPerturbation().attribute(asked_now, Budget(passes=5))
    assert not SHOWN


def test_when_it_is_cancelled_the_masks_are_those_until_then():
    usual = ExtremalPerturbation(steps=800).attribute
    seen = []
    budget = Budget(progress=seen.append, cancelled=lambda: len(seen) == 2)
    found = usual(asked(), budget, 0)
    assert (found.stopped, found.forward) == ("cancelled", 4)
    assert np.isfinite(found.maps).all()


def test_a_detector_without_gradients():
    detector = strip_detector(additive(np.full(6, 0.1)))
    problem = make_problem(detector, photo(), [TARGET], regions=detector.regions)
    with pytest.raises(InputError, match="extremal-perturbation needs gradients, and rule gives"):
        ExtremalPerturbation().attribute(problem)
    assert not detector.seen


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"area": 0.0}, "area must be between 0 and 1"), ({"steps": 0}, "steps must be at least 1")],
)
def test_what_it_cannot_be_set_to(settings, message):
    with pytest.raises(InputError, match=message):
        ExtremalPerturbation(**settings)

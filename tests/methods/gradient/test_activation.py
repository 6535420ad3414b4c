"""Class activation maps: which layer they look at, and their formulas written out."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tests.helpers.analytic import photo
from tests.helpers.patches import PATCHES, question
from tests.helpers.small_cnn import BOX, SmallCNN, cnn_problem
from vps.core.targets import Target
from vps.engine.budget import Budget
from vps.engine.gradients import GradientPasses
from vps.engine.problem import make_problem
from vps.errors import InputError
from vps.methods import make_method
from vps.methods.gradient.odam import ODAM

NAMES = ("grad-cam", "grad-cam++", "ssgrad-cam", "ssgrad-cam++", "odam")


def layer_of(problem, name):
    """Features (C, h, w) and their gradients of the first target, in loops' reach."""
    source = GradientPasses(problem, "test", Budget())
    _, (told,) = source.layers(problem.pixels[None], [problem.detector.feature_layers()[name]])
    return told.features[0].numpy(), told.gradients[0, 0].numpy()


def written_out(name, features, gradients):
    """The formulas of the papers, channel by channel and place by place."""
    total = np.zeros(features.shape[1:])
    for channel, gradient in zip(features, gradients, strict=True):
        weight = gradient.mean()
        if "++" in name:
            weight = 0.0
            for value in gradient.ravel():
                below = 2 * value**2 + channel.sum() * value**3
                weight += value**2 / below * max(value, 0) if below else 0.0
        where = np.abs(gradient) / np.abs(gradient).max() if name.startswith("ss") else 1.0
        total += gradient * channel if name == "odam" else weight * channel * where
    return np.maximum(total, 0)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("layer", ["half", "quarter"])
def test_maps_are_as_the_papers_have_them(name, layer):
    problem = cnn_problem()
    method = make_method(name, {"layer": layer, **({"sigma": 0.0} if name == "odam" else {})})
    features, gradients = layer_of(problem, layer)
    expected = written_out(name, features.astype(float), gradients.astype(float))
    got = method.weigh(torch.from_numpy(features), torch.from_numpy(gradients))
    assert expected.max() > 0
    np.testing.assert_allclose(got, expected, atol=1e-6 * expected.max())
    found = method.attribute(problem, Budget(), 0)
    assert found.maps.shape == (1, *problem.pixels.shape[1:])
    assert found.maps.max() <= expected.max() * (1 + 1e-5)
    assert (found.forward, found.backward) == (1, 1)


def test_the_map_is_that_of_the_layer_through_which_most_of_the_gradient_goes():
    problem = cnn_problem()
    flows = {
        name: float(np.abs(np.multiply(*layer_of(problem, name))).sum())
        for name in problem.detector.feature_layers()
    }
    best = max(flows, key=flows.__getitem__)
    auto, chosen = (
        make_method("odam", options).attribute(problem, Budget(), 0).maps
        for options in ({}, {"layer": best})
    )
    np.testing.assert_array_equal(auto, chosen)


@pytest.mark.parametrize("name", ["ssgrad-cam", "ssgrad-cam++", "odam"])
def test_places_that_the_target_does_not_read_stay_dark(name):
    options = {"sigma": 0.0} if name == "odam" else {}
    found = make_method(name, options).attribute(question(), Budget(), 0).maps[0]
    top, bottom, left, right = PATCHES[0]
    inside = found[top:bottom, left:right].sum()
    assert inside > 0
    assert inside == pytest.approx(found.sum())
    # Grad-CAM has one weight a channel, wherever it is read.
    spread = make_method("grad-cam").attribute(question(), Budget(), 0).maps[0]
    assert spread[top:bottom, left:right].sum() < 0.5 * spread.sum()


def test_the_gaussian_of_odam_spreads_a_gradient():
    features, gradients = torch.ones(1, 9, 9), torch.zeros(1, 9, 9)
    gradients[0, 4, 4] = 1.0
    sharp, soft = (ODAM(sigma=sigma).weigh(features, gradients) for sigma in (0.0, 1.0))
    assert (sharp > 0).sum() == 1
    assert float(soft.sum()) == pytest.approx(1, abs=1e-3)
    assert float(soft[4, 4] / soft[4, 5]) == pytest.approx(np.exp(0.5), rel=1e-3)


def test_unknown_layers_and_detectors_without_any():
    with pytest.raises(InputError, match="unknown feature layer 'quater', did you mean 'quarter'"):
        make_method("grad-cam", {"layer": "quater"}).attribute(cnn_problem(), Budget(), 0)
    whole = SmallCNN()
    bare = SimpleNamespace(
        **{name: getattr(whole, name) for name in ("name", "labels", "device", "prepare")},
        detect=whole.detect,
        scores=whole.scores,
    )
    problem = make_problem(bare, photo(20, 28), [Target(BOX, "dog")], regions=4)
    with pytest.raises(InputError, match="looks at feature layers, and small-cnn names none"):
        make_method("odam").attribute(problem, Budget(), 0)
    assert make_method("gradient-x-input").attribute(problem, Budget(), 0).forward == 1

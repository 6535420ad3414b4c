"""Gradients with respect to pixels: what they promise."""

import numpy as np
import pytest
import torch

from tests.helpers.analytic import photo
from tests.helpers.patches import PATCHES, question
from tests.helpers.small_cnn import cnn_problem
from vps.core.targets import Target
from vps.engine.budget import Budget, Stopped
from vps.engine.problem import make_problem
from vps.errors import InputError
from vps.methods import make_method
from vps.methods.gradient.integrated_gradients import IntegratedGradients
from vps.methods.gradient.smooth_grad import SmoothGrad

PIXELS = ("gradient-x-input", "smooth-grad", "integrated-gradients")


def attribute(name, problem, budget=None, **options):
    return make_method(name, options).attribute(problem, budget or Budget(), 0)


@pytest.mark.parametrize("fill", ["black", "image-mean", "blur"])
def test_integrated_gradients_sum_to_what_the_image_scores_above_its_fill(fill):
    problem = cnn_problem("dog", "bird", fill=fill)
    maps = attribute("integrated-gradients", problem, steps=16).maps
    seen = problem.passes().evaluate(
        np.array([[True] * problem.regions.count, [False] * problem.regions.count])
    )
    rise = seen.score[0] - seen.score[1]
    np.testing.assert_allclose(maps.sum(axis=(1, 2)), rise, atol=1e-4)


def test_of_a_linear_score_gradient_x_input_is_what_hiding_a_region_costs():
    problem = question()
    found = attribute("gradient-x-input", problem).maps[0]
    count = problem.regions.count
    shown = np.concatenate([np.ones((1, count), bool), ~np.eye(count, dtype=bool)])
    scores = problem.passes().evaluate(shown).score[:, 0]
    sums = np.bincount(problem.regions.label_map.ravel(), found.ravel())
    np.testing.assert_allclose(sums, scores[0] - scores[1:], atol=1e-4)
    top, bottom, left, right = PATCHES[0]
    beside = np.ones(found.shape, bool)
    beside[top:bottom, left:right] = False
    assert (found[beside] == 0).all()


@pytest.mark.parametrize("name", PIXELS)
def test_targets_get_what_they_get_alone(name):
    both = attribute(name, cnn_problem("dog", "bird")).maps
    for number, label in enumerate(("dog", "bird")):
        alone = attribute(name, cnn_problem(label)).maps
        np.testing.assert_allclose(both[number], alone[0], atol=1e-6)


@pytest.mark.parametrize("name", PIXELS)
def test_batches_change_nothing(name):
    one, many = (attribute(name, cnn_problem(batch_size=size)).maps for size in (1, 7))
    np.testing.assert_allclose(one, many, atol=1e-6)


def test_passes_are_counted_apart():
    found = attribute("smooth-grad", cnn_problem("dog", "bird"), samples=10)
    assert (found.forward, found.backward) == (10, 20)
    assert 0.2 < found.backward_cost < 2
    assert found.passes == 10 + int(np.ceil(20 * found.backward_cost))


def test_a_budget_pays_for_as_many_samples_as_the_measured_cost_allows():
    for method in (SmoothGrad(samples=1000), SmoothGrad(budget=90), IntegratedGradients(budget=90)):
        found = method.attribute(cnn_problem(), Budget(passes=90), 0)
        assert 86 <= found.passes <= 90
        assert found.limit == 90


def test_what_was_known_when_it_was_cancelled_is_kept():
    problem, calls = cnn_problem(batch_size=4), []
    budget = Budget(cancelled=lambda: len(calls) >= 3, progress=calls.append)
    for name in ("smooth-grad", "integrated-gradients"):
        calls.clear()
        found = attribute(name, problem, budget)
        assert (found.forward, found.stopped) == (12, "cancelled")
        whole = attribute(name, problem).maps
        assert np.corrcoef(found.maps.ravel(), whole.ravel())[0, 1] > 0.5
    with pytest.raises(Stopped):
        attribute("smooth-grad", problem, Budget(cancelled=lambda: True))


def test_a_detector_without_gradients_is_refused_before_the_first_pass():
    class Plain:
        name, labels, device = "plain", ("dog",), torch.device("cpu")
        asked = 0

        def prepare(self, image):
            return torch.from_numpy(image.astype(np.float32) / 255).permute(2, 0, 1)

        def detect(self, pixels, size):
            self.asked += 1

    detector = Plain()
    problem = make_problem(detector, photo(), [Target((2.0, 2.0, 10.0, 10.0), "dog")], regions=4)
    for name in (*PIXELS, "grad-cam", "odam"):
        with pytest.raises(InputError, match=f"{name} needs gradients, and plain gives none"):
            attribute(name, problem)
    assert detector.asked == 0


def test_a_budget_that_pays_for_no_image():
    with pytest.raises(InputError, match="a budget of 2 passes is too small for smooth-grad"):
        attribute("smooth-grad", cnn_problem(), Budget(passes=2))
    with pytest.raises(InputError, match="two images and their gradients may take 6"):
        attribute("integrated-gradients", cnn_problem(), Budget(passes=5))


def test_an_image_without_candidates_scores_0_with_gradient_0():
    def none(shares):
        return torch.zeros(len(shares), 0, 4), torch.zeros(len(shares), 0, 3)

    for name in PIXELS:
        assert not attribute(name, question(answer=none)).maps.any()

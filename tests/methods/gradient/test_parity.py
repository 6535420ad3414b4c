"""Methods of gradients against libraries that have them, on one detector and target."""

import numpy as np
import pytest
import torch

from tests.helpers.small_cnn import cnn_problem
from vps.engine.budget import Budget
from vps.methods import make_method

LABELS = ("dog", "bird")


def maps_of(name, problem, **options):
    return make_method(name, options).attribute(problem, Budget(), 0).maps


def score_of(problem, label):
    """From pixels to the score of a label, by the model alone."""
    column = problem.detector.labels.index(label)
    return lambda pixels: problem.detector.model(pixels).sigmoid()[:, column]


@pytest.mark.parametrize("layer", ["half", "quarter"])
@pytest.mark.parametrize(
    ("name", "theirs"), [("grad-cam", "GradCAM"), ("grad-cam++", "GradCAMPlusPlus")]
)
def test_class_activation_maps_are_those_of_pytorch_grad_cam(name, theirs, layer):
    library = pytest.importorskip("pytorch_grad_cam")
    problem = cnn_problem(*LABELS)
    ours = maps_of(name, problem, layer=layer)
    module = problem.detector.feature_layers()[layer].module
    for number, label in enumerate(LABELS):
        column = problem.detector.labels.index(label)
        with getattr(library, theirs)(problem.detector.model, [module]) as cam:
            found = cam(
                problem.pixels[None].clone(),
                [lambda logits, column=column: logits.sigmoid()[..., column]],
            )[0]
        # Theirs is scaled to [0, 1] before it is enlarged, and adds 1e-6 where ++ divides.
        assert ours[number].max() > 0
        assert np.corrcoef(ours[number].ravel(), found.ravel())[0, 1] > 0.995


def test_integrated_gradients_are_those_of_captum():
    attr = pytest.importorskip("captum.attr")
    problem = cnn_problem(*LABELS, fill="image-mean")
    ours = maps_of("integrated-gradients", problem, steps=24)
    baseline = problem.pixels.mean(dim=(1, 2), keepdim=True).expand_as(problem.pixels)
    for number, label in enumerate(LABELS):
        theirs = attr.IntegratedGradients(score_of(problem, label)).attribute(
            problem.pixels[None], baseline[None], n_steps=24, method="gausslegendre"
        )
        np.testing.assert_allclose(ours[number], theirs[0].sum(0), atol=1e-6)


def test_gradient_x_input_is_that_of_captum():
    attr = pytest.importorskip("captum.attr")
    problem = cnn_problem(*LABELS)
    ours = maps_of("gradient-x-input", problem)
    for number, label in enumerate(LABELS):
        theirs = attr.InputXGradient(score_of(problem, label)).attribute(
            problem.pixels[None].clone().requires_grad_()
        )
        np.testing.assert_allclose(ours[number], theirs[0].sum(0).detach(), atol=1e-6)


def test_smooth_grad_comes_near_that_of_captum():
    attr = pytest.importorskip("captum.attr")
    problem = cnn_problem()
    ours = maps_of("smooth-grad", problem, samples=400, noise=0.2)
    scale = 0.2 * float(problem.pixels.max() - problem.pixels.min())
    tunnel = attr.NoiseTunnel(attr.Saliency(score_of(problem, "dog")))
    torch.manual_seed(0)
    theirs = tunnel.attribute(
        problem.pixels[None].clone().requires_grad_(),
        nt_samples=400,
        nt_samples_batch_size=100,
        stdevs=scale,
        abs=False,
    )
    assert np.corrcoef(ours[0].ravel(), theirs[0].abs().sum(0).ravel())[0, 1] > 0.98

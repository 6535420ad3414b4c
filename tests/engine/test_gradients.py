import numpy as np
import pytest
import torch
from torch import nn

from detectors.function import FunctionDetector
from tests.helpers.differentiable import (
    SIZE,
    TARGET,
    Layered,
    linear,
    moving,
    weights,
)
from vps.core.detector import DifferentiableDetector, FeatureDetector, FeatureLayer
from vps.core.targets import Target
from vps.engine.budget import Budget, Stopped
from vps.engine.gradients import BACKWARD_COST, GradientPasses
from vps.engine.problem import make_problem
from vps.errors import DetectorError, InputError

PICTURE = np.full((*SIZE, 3), 255, np.uint8)


def problem_of(detector, targets=(TARGET,)):
    return make_problem(detector, PICTURE, list(targets), regions=4, region_method="grid")


def source_of(detector, budget=None, targets=(TARGET,)):
    return GradientPasses(problem_of(detector, targets), "a test", budget or Budget())


def images(count=1, seed=1):
    return torch.rand(count, 3, *SIZE, generator=torch.Generator().manual_seed(seed))


def function(answer):
    return FunctionDetector(answer, ("thing",), name="mine")


def boxes_for(pixels):
    return pixels.new_tensor(TARGET.box).expand(len(pixels), 1, 4)


def test_of_a_sum_of_pixels_the_gradient_is_the_weights():
    source, batch = source_of(linear(weights())), images(3)
    scores, gradients = source.pixels(batch)
    assert torch.allclose(scores[:, 0], (batch * weights()).sum((1, 2, 3)))
    assert gradients.shape == (1, 3, 3, *SIZE)
    assert torch.allclose(gradients[0], weights().expand(3, -1, -1, -1))
    assert not batch.requires_grad


def test_of_a_box_that_moves_the_gradient_is_that_of_its_iou():
    batch = images()
    scores, gradients = source_of(moving(weights())).pixels(batch)
    shift, width = float((batch * weights()).sum()), 8
    assert float(scores) == pytest.approx(0.9 * (width - shift) / (width + shift), rel=1e-5)
    slope = -2 * width * 0.9 / (width + shift) ** 2
    assert torch.allclose(gradients[0, 0], slope * weights(), rtol=1e-4)


def test_each_target_has_gradients_of_its_own():
    half = Target((4.0, 4.0, 8.0, 12.0), "thing")
    _, gradients = source_of(linear(weights()), targets=(TARGET, half)).pixels(images())
    assert torch.allclose(gradients[1], gradients[0] / 2)


def test_of_a_layer_the_gradient_is_what_is_done_with_it():
    detector = Layered()
    assert isinstance(detector, FeatureDetector)
    layer = detector.feature_layers()["features"]
    batch = images(2)
    _, (told,) = source_of(detector).layers(batch, [layer])
    assert torch.allclose(told.features, detector.model["features"](batch))
    assert torch.allclose(told.gradients[0], detector.of_features.expand(2, -1, -1, -1))
    assert not any(module._forward_hooks for module in detector.model.values())
    assert all(parameter.grad is None for parameter in detector.model.parameters())


def test_a_layer_that_runs_twice_has_the_sum_of_its_gradients():
    detector = Layered()
    once = detector._function

    def twice(pixels):
        boxes, first = once(pixels)
        return boxes, (first + once(pixels)[1]) / 2

    detector._function = twice
    _, (told,) = source_of(detector).layers(images(), [detector.feature_layers()["features"]])
    assert torch.allclose(told.gradients[0, 0], detector.of_features)


def test_passes_are_counted_apart():
    source = source_of(linear(weights()), targets=(TARGET, TARGET))
    assert (source.forward, source.backward, source.passes) == (0, 0, 0)
    source.pixels(images(3))
    assert (source.forward, source.backward) == (3, 6)
    # No convolution, no matrix: nothing that could be measured.
    assert source.cost == BACKWARD_COST
    assert source.passes == 3 + 12


def test_a_backward_pass_counts_for_the_operations_that_it_takes():
    source = source_of(Layered())
    source.pixels(images())
    assert source.cost == pytest.approx(1)  # one convolution forward, one back
    source.pixels(images(2))
    assert (source.forward, source.backward, source.passes) == (3, 3, 6)
    cheap = source_of(Layered())
    cheap.layers(images(), [FeatureLayer(cheap._detector.model["features"])])
    assert cheap.cost == BACKWARD_COST  # behind the layer there is none


def test_budgets_are_kept():
    source = source_of(Layered(), Budget(passes=10))
    assert source.limit == 10
    assert source.affordable() == 3  # at the cost that is taken before it is measured
    source.pixels(images(2))
    assert source.passes == 4
    assert source.affordable() == 3
    assert source_of(Layered()).affordable() is None
    with pytest.raises(Stopped, match="budget"):
        source_of(Layered(), Budget(left=lambda: 1)).pixels(images(2))
    with pytest.raises(Stopped, match="cancelled"):
        source_of(Layered(), Budget(cancelled=lambda: True)).pixels(images())
    told = []
    source_of(Layered(), Budget(progress=told.append)).pixels(images())
    assert [progress.passes for progress in told] == [2]


class Plain:
    """A detector without gradients."""

    name, labels, device = "plain", ("thing",), torch.device("cpu")

    def __init__(self):
        inner = linear(weights())
        self.prepare, self.detect = inner.prepare, inner.detect


def test_a_detector_without_gradients_is_refused_before_the_first_pass():
    assert not isinstance(Plain(), DifferentiableDetector)
    with pytest.raises(InputError, match="a test needs gradients, and plain gives none.*vps meth"):
        source_of(Plain())


@pytest.mark.parametrize("away", ["detach", "numpy"])
def test_a_function_that_leaves_its_graph_has_no_gradients(away):
    def answer(pixels):
        score = pixels.mean((1, 2, 3))[:, None, None]
        return boxes_for(pixels), score.detach() if away == "detach" else score.numpy(force=True)

    with pytest.raises(InputError, match="mine gives none"):
        source_of(function(answer)).pixels(images())


def test_what_does_not_depend_on_the_pixels_has_gradients_of_zero():
    def answer(pixels):
        return boxes_for(pixels), (pixels * 0).mean((1, 2, 3))[:, None, None] + 0.5

    scores, gradients = source_of(function(answer)).pixels(images())
    assert float(scores) == 0.5
    assert not gradients.any()


def test_gradients_that_are_no_numbers_are_the_detectors_error():
    def answer(pixels):
        return boxes_for(pixels), (pixels[:, 0, 0, 0] * 0).sqrt()[:, None, None] + 0.5

    with pytest.raises(DetectorError, match="gradients are NaN or infinite"):
        source_of(function(answer)).pixels(images())


def test_scores_that_are_no_numbers_are_the_detectors_error():
    def answer(pixels):
        return boxes_for(pixels), pixels[:, :1, :1, 0] * np.nan

    with pytest.raises(DetectorError, match="NaN"):
        source_of(function(answer)).pixels(images())


def test_a_detector_that_fails_is_named_and_leaves_no_hook():
    detector = Layered()
    layers = list(detector.feature_layers().values())

    def answer(pixels):
        raise ZeroDivisionError("in the middle")

    detector._function = answer
    with pytest.raises(DetectorError, match="layered: the scores for a test failed: .*middle"):
        source_of(detector).layers(images(), layers)
    assert not any(module._forward_hooks for module in detector.model.values())


def test_a_layer_that_does_not_run_is_said():
    detector = Layered()
    with pytest.raises(InputError, match="layered: a layer that a test looks at did not run"):
        source_of(detector).layers(images(), list(detector.feature_layers().values()))


def test_a_batch_norm_behind_which_maps_become_tokens_has_its_own_gradient():
    torch.manual_seed(0)
    norm = nn.BatchNorm2d(3).eval()
    norm.running_var.uniform_(0.5, 2)
    of_tokens = torch.rand(3, SIZE[0] * SIZE[1]) / 1000

    def answer(pixels):
        tokens = norm(pixels).flatten(2).transpose(1, 2)
        return boxes_for(pixels), (tokens * of_tokens.T).sum((1, 2))[:, None, None].clamp(0, 1)

    _, gradients = source_of(function(answer)).pixels(images())
    scale = (norm.running_var + norm.eps).rsqrt()[:, None, None]
    assert torch.allclose(gradients[0, 0], of_tokens.view(3, *SIZE) * scale, rtol=1e-4)

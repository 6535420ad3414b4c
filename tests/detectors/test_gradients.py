"""The contract of adapters that give gradients, on small models of the real classes."""

import pytest
import torch

from tests.helpers import contract
from tests.helpers.differentiable import asked, gradient, slopes
from tests.helpers.zoo_cases import CASES
from vps.core.asking import candidates
from vps.core.detector import DifferentiableDetector, FeatureDetector, TargetScorer
from vps.core.scoring import MODES, attained_by, best_candidates
from vps.engine.budget import Budget
from vps.engine.gradients import GradientPasses
from vps.engine.problem import make_problem
from vps.errors import DetectorError, InputError


@pytest.fixture
def differentiable(loaded):  # noqa: F811
    """A case's detector about a target, its pixels and the target."""

    def ask(case):
        detector = loaded(case)
        if not isinstance(detector, DifferentiableDetector):
            pytest.skip("gives no gradients")
        return asked(detector, case.sizes[0])

    return ask


@pytest.mark.parametrize("case", CASES)
def test_what_runs_in_torch_gives_gradients(case, loaded):  # noqa: F811
    detector = loaded(case)
    assert isinstance(detector, DifferentiableDetector) == case.differentiable
    assert isinstance(detector, FeatureDetector) <= case.differentiable


@pytest.mark.parametrize("case", CASES)
def test_scores_are_those_that_the_engine_takes(case, differentiable):
    detector, pixels, target = differentiable(case)
    size = case.sizes[0]
    for mode in MODES:
        scores = detector.scores(pixels, size, [target, target], mode)
        assert not scores.requires_grad
        assert scores.shape == (1, 2)
        if isinstance(detector, TargetScorer):
            best = attained_by(detector.score_targets(pixels, size, [target]), mode).score[:, 0]
        else:
            found = candidates(detector, pixels, size)
            box = torch.tensor(target.box)
            best = best_candidates(found, box, found.column(target.label), mode).score
        assert torch.allclose(scores, best[:, None].expand(1, 2), atol=1e-6)
    with pytest.raises(InputError, match="unknown label"):
        detector.scores(pixels, size, [type(target)(target.box, "no such label")])


@pytest.mark.parametrize("case", CASES)
def test_gradients_are_what_small_changes_show(case, differentiable):
    detector, pixels, target = differentiable(case)
    size = case.sizes[0]
    given = pixels.clone().requires_grad_()
    with torch.no_grad():
        plain = detector.scores(pixels, size, [target])
    assert torch.allclose(detector.scores(given, size, [target]), plain, atol=1e-5)
    by_gradient, by_difference = slopes(detector, pixels, size, target)
    assert abs(by_gradient) > 0
    if case.whole:
        assert by_gradient == pytest.approx(by_difference, rel=0.05, abs=3e-4)
    together = gradient(detector, torch.cat([pixels, pixels.flip(-1)]), size, [target])
    alone = gradient(detector, pixels, size, [target])
    assert (together[:1] - alone).norm() <= 0.05 * alone.norm() + 1e-4


@pytest.mark.parametrize("case", CASES)
def test_feature_layers_have_features_of_places(case, differentiable):
    detector, pixels, target = differentiable(case)
    if not isinstance(detector, FeatureDetector):
        pytest.skip("names no layers")
    size = case.sizes[0]
    try:
        layers = detector.feature_layers()
    except InputError as error:
        pytest.skip(str(error))
    model = case.model(detector)
    before = None if model is None else contract.snapshot(model)
    problem = make_problem(
        detector, contract.picture(size), [target], regions=4, region_method="grid"
    )
    source = GradientPasses(problem, "a test", Budget())
    _, told = source.layers(pixels, list(layers.values()))
    cells = [one.features[0, 0].numel() for one in told]
    assert cells == sorted(cells, reverse=True)
    for one in told:
        assert one.features.ndim == 4
        assert one.features.isfinite().all()
        assert one.gradients.shape == (1, *one.features.shape)
        # Of an image that is wider than high, so is the grid.
        rows, columns = one.features.shape[2:]
        assert rows == columns or (rows < columns) == (pixels.shape[2] < pixels.shape[3])
    assert sum(float(one.gradients.abs().sum()) for one in told) > 0
    assert model is None or contract.snapshot(model) == before


@pytest.mark.parametrize("case", CASES)
def test_gradients_leave_nothing_changed(case, differentiable):
    detector, pixels, target = differentiable(case)
    size = case.sizes[0]
    model = case.model(detector)
    if model is None:
        pytest.skip("no torch module inside")
    expected = gradient(detector, pixels, size, [target])
    before = contract.snapshot(model)
    leaves = []
    handles = [
        module.register_forward_pre_hook(lambda module, _: leaves.append(module))
        for module in model.modules()
        if not list(module.children())
    ]
    gradient(detector, pixels, size, [target])
    for handle in handles:
        handle.remove()
    assert contract.snapshot(model) == before
    for leaf in (leaves[0], leaves[len(leaves) // 2], leaves[-1]):

        def fail(*_):
            raise ZeroDivisionError("a model may fail anywhere")

        handle = leaf.register_forward_pre_hook(fail)
        with pytest.raises((ZeroDivisionError, DetectorError), match="fail anywhere"):
            gradient(detector, pixels, size, [target])
        handle.remove()
        assert contract.snapshot(model) == before
        graph = torch.ones(1, requires_grad=True) * 2
        assert not graph.detach().requires_grad
    assert torch.equal(gradient(detector, pixels, size, [target]), expected)


@pytest.mark.parametrize("case", CASES)
def test_without_pixels_that_ask_no_graph_is_kept(case, differentiable):
    detector, pixels, target = differentiable(case)
    size = case.sizes[0]
    with torch.enable_grad():
        found = detector.detect(pixels, size)
        scores = detector.scores(pixels, size, [target])
    assert not any(values.requires_grad for values in (found.boxes, found.scores, scores))
    with torch.no_grad():
        asking = pixels.clone().requires_grad_()
        assert not detector.scores(asking, size, [target]).requires_grad

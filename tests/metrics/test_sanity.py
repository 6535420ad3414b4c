"""What sanity checks measure, by hand."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from tests.helpers.small_cnn import cnn_problem
from vps.core.masking import make_fill
from vps.errors import InputError
from vps.methods import make_method
from vps.methods.protocol import Attribution
from vps.metrics.sanity import (
    CHECKS,
    Verdict,
    completeness_error,
    inert_evidence,
    judged,
    rank_correlation,
)
from vps.metrics.sanity_values import sanity_values

IMAGES = [f"image {number}" for number in range(8)]


def test_rank_correlation():
    one, other = np.random.default_rng(0).random((2, 30))
    assert rank_correlation(one, other) == pytest.approx(spearmanr(one, other).statistic)
    assert rank_correlation(one, -one) == -1
    assert rank_correlation(one, np.ones(30)) == 0
    assert rank_correlation(np.ones(30), np.ones(30)) == 1


def test_evidence_in_inert_regions_beside_their_area():
    # Four regions of 10, 20, 30 and 40 pixels.
    labels = np.repeat(np.arange(4), [10, 20, 30, 40]).reshape(10, 10)
    inert = np.array([True, False, False, True])
    assert inert_evidence(np.array([0.0, 0, 1, 0]), inert, labels) == 0
    assert inert_evidence(np.array([2.0, 1, 0, 0]), inert, labels) == pytest.approx(1 / 0.5)
    # The top 10 % is spread over regions 2 and 3, which are equal.
    assert inert_evidence(np.array([0.0, 0, 1, 1]), inert, labels) == pytest.approx(4 / 7 / 0.5)
    assert inert_evidence(np.ones(4), inert, labels) == pytest.approx(1)


def test_negative_evidence_counts_and_none_does_not():
    labels = np.repeat(np.arange(4), [2, 18, 30, 50]).reshape(10, 10)
    inert = np.array([False, False, True, True])
    # All evidence is in region 0, which is smaller than the top 10 %.
    assert inert_evidence(np.array([1.0, 0, 0, 0]), inert, labels) == 0
    assert inert_evidence(np.array([0.2, 0, -1, 0]), inert, labels) == pytest.approx(1 / 0.8)
    assert inert_evidence(np.zeros(4), inert, labels) == 0


def test_what_a_sum_misses():
    assert completeness_error(0.5, 0.5) == 0
    assert completeness_error(-0.3, -0.6) == pytest.approx(0.5)
    assert completeness_error(0.1, 0.0) > 1e4


@pytest.mark.parametrize(
    ("check", "values", "verdict"),
    [
        ("randomised", [0.1, 0.2, 0.0, 0.1, 0.2, 0.1, 0.0, 0.1], Verdict.PASSED),
        ("randomised", [1.0] * 8, Verdict.FAILED),
        ("randomised", [0.0, 0.9, 0.1, 0.8, 0.0, 0.9, 0.0, 0.0], Verdict.UNCLEAR),
        ("seeds", [1.0] * 8, Verdict.PASSED),
        ("seeds", [0.1] * 8, Verdict.FAILED),
        ("inert", [0.0] * 8, Verdict.PASSED),
        ("inert", [1.0] * 8, Verdict.FAILED),
    ],
)
def test_verdicts(check, values, verdict):
    found = judged(check, values, IMAGES)
    assert found.verdict is verdict
    assert found.interval.mean == pytest.approx(np.mean(values))


def values_of(name, problem=None, seed=0, **options):
    problem = problem or cnn_problem(batch_size=16)
    image = (problem.pixels.permute(1, 2, 0).numpy() * 255).astype(np.uint8)
    return sanity_values(problem, make_method(name, options), image, 0.3, seed)


def test_a_map_that_asks_the_detector_changes_with_its_weights():
    found = values_of("gradient-x-input")
    assert abs(found["randomised"]) < 0.6
    assert found["seeds"] == 1
    assert found["completeness"] is None
    assert found["other target"] is None  # The detector has one box only.
    # What equals the fill has no difference to multiply a gradient by.
    assert found["inert"] == 0


def test_what_does_not_ask_the_detector_fails_randomisation():
    found = values_of("box")
    assert found["randomised"] == found["randomised 0.25"] == 1
    assert found["inert"] == 0
    random = values_of("random")
    assert random["randomised"] == 1
    assert abs(random["seeds"]) < 0.7


def test_completeness_of_integrated_gradients():
    assert values_of("integrated-gradients", steps=16)["completeness"] < 1e-3


class BlankFirst:
    """Orders first, or last, the regions that look like the fill."""

    def __init__(self, first):
        self.first = first

    def attribute(self, problem, budget=None, seed=0):
        fill = make_fill(problem.fill, problem.pixels)
        same = (problem.pixels == fill).all(dim=0).numpy().ravel()
        labels = problem.regions.label_map.ravel()
        blank = np.bincount(labels, same) / np.bincount(labels) == 1
        return Attribution(0, orders=[np.argsort(~blank if self.first else blank, kind="stable")])


@pytest.mark.parametrize("first", [False, True])
def test_of_an_order_the_first_regions_are_the_evidence(first):
    problem = cnn_problem(batch_size=16)
    image = (problem.pixels.permute(1, 2, 0).numpy() * 255).astype(np.uint8)
    found = sanity_values(problem, BlankFirst(first), image, 0.3, 0)["inert"]
    assert found > 1 if first else found == 0


def test_the_search_finds_no_evidence_in_what_cannot_matter():
    assert values_of("vps", search="greedy")["inert"] < 0.5


def test_without_a_torch_module_randomisation_does_not_apply():
    problem = cnn_problem(batch_size=16)
    problem.detector.model_of_its_own = problem.detector.model
    module, problem.detector.model = problem.detector.model, lambda pixels: module(pixels)
    found = values_of("box", problem)
    assert found["randomised"] is None
    assert found["seeds"] == 1


def test_a_blur_is_no_colour_to_paint():
    assert values_of("box", cnn_problem(fill="blur"))["inert"] is None


def test_what_the_method_refuses_is_refused():
    problem = cnn_problem()
    with pytest.raises(InputError, match="unknown feature layer"):
        values_of("grad-cam", problem, layer="no")


def test_all_checks_have_a_value_or_none():
    assert set(CHECKS) <= set(values_of("box"))

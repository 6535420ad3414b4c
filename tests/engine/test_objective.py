import numpy as np
import pytest
import torch

from tests.helpers.analytic import LABELS, TARGET, additive, photo, scattered, strip_detector
from tests.helpers.loops import by_loops
from tests.helpers.objectives import WEIGHTS, make, subsets
from vps.core.candidates import Candidates
from vps.core.regions import make_regions
from vps.core.targets import Target
from vps.errors import DetectorError, InputError


@pytest.mark.parametrize("mode", ["object", "class", "box"])
@pytest.mark.parametrize("lambdas", [(1.0, 1.0), (0.3, 2.0), (0.0, 1.0)])
def test_equals_the_formula_by_loops(mode, lambdas):
    detector = strip_detector(scattered())
    keep = subsets(20)
    objective = make(detector, mode=mode, lambdas=lambdas)
    got, best = objective.value(keep), objective.evaluate(keep)
    for k, kept in enumerate(keep):
        shown, hidden = (
            by_loops(np.clip(boxes, 0, (16, 12, 16, 12)), scores, mode)
            for boxes, scores in (detector.answer(kept), detector.answer(~kept))
        )
        np.testing.assert_allclose(
            got[k], lambdas[0] * shown[0] + lambdas[1] * (1 - hidden[0]), atol=1e-6
        )
        row = [best.score[k], best.class_score[k], best.iou[k], *best.box[k]]
        np.testing.assert_allclose(row, shown[:7], rtol=1e-5, atol=1e-6)


def test_scores_do_not_depend_on_the_batch_size():
    keep = subsets(15)
    values = [make(strip_detector(scattered()), batch_size=n).value(keep) for n in (1, 2, 3, 7)]
    for other in values[1:]:
        assert np.array_equal(values[0], other)


def test_each_subset_passes_once_in_full_batches():
    detector = strip_detector(additive(WEIGHTS))
    objective = make(detector, batch_size=4)
    keep = np.concatenate([np.eye(6, dtype=bool), np.eye(6, dtype=bool)[:2]])
    objective.value(keep)
    assert objective.source.passes == len({row.tobytes() for row in detector.seen}) == 12
    assert detector.batches == [4, 4, 4]
    objective.value(~keep)
    assert objective.source.passes == len(detector.seen) == 12


def test_what_the_detector_sees_is_the_subset():
    detector = strip_detector(additive(WEIGHTS))
    keep = subsets(9)
    score = make(detector, batch_size=2).evaluate(keep).score
    np.testing.assert_allclose(score, keep @ WEIGHTS, atol=1e-6)


def test_no_subsets_and_no_candidates():
    objective = make(strip_detector(lambda keep: (np.zeros((0, 4)), np.zeros((0, 3)))))
    assert objective.evaluate(np.zeros((0, 6), bool)).box.shape == (0, 4)
    best = objective.evaluate(subsets(3))
    assert not best.score.any()
    assert not best.box.any()
    np.testing.assert_array_equal(objective.value(subsets(3)), 1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"target": Target(TARGET.box, "dgo")}, "unknown label 'dgo'.*dog"),
        ({"target": Target((20, 2, 30, 9), "dog")}, "outside the image"),
        ({"mode": "objct"}, "did you mean 'object'"),
        ({"fill": "blu"}, "did you mean 'blur'"),
        ({"lambdas": (0, 0)}, "lambdas"),
        ({"lambdas": (1, -1)}, "lambdas"),
        ({"lambdas": (1, float("nan"))}, "lambdas"),
        ({"batch_size": 0}, "batch size"),
    ],
)
def test_unusable_settings_fail_before_a_pass(settings, message):
    detector = strip_detector(additive(WEIGHTS))
    with pytest.raises(InputError, match=message):
        make(detector, **settings)
    assert not detector.seen


def test_regions_of_another_grid():
    detector = strip_detector(additive(WEIGHTS))
    detector.regions = make_regions(np.zeros((3, 8, 8)), 4, "grid")
    with pytest.raises(InputError, match="grid"):
        make(detector)


@pytest.mark.parametrize("keep", [np.ones((2, 5), bool), np.ones(6, bool), np.ones((2, 6))])
def test_subsets_of_the_wrong_shape_or_type(keep):
    with pytest.raises(InputError, match=r"\(K, 6\) bool"):
        make(strip_detector(additive(WEIGHTS))).evaluate(keep)


def test_nan_names_the_detector_and_the_subsets():
    detector = strip_detector(lambda keep: (np.array([TARGET.box]), np.full((1, 3), np.nan)))
    with pytest.raises(DetectorError, match=r"rule: .*NaN.*shows 1 of 6 regions"):
        make(detector).evaluate(np.eye(6, dtype=bool)[:1])


def test_wrong_number_of_images_or_wrong_columns():
    detector = strip_detector(additive(WEIGHTS))
    detector.detect = lambda pixels, size: Candidates(
        torch.zeros(1, 2, 4), torch.zeros(1, 2, 3), LABELS
    )
    with pytest.raises(DetectorError, match="3 images went in, 1 came out"):
        make(detector).evaluate(np.eye(6, dtype=bool)[:3])
    detector.detect = lambda pixels, size: Candidates(
        torch.zeros(1, 2, 4), torch.zeros(1, 2, 3), LABELS[::-1]
    )
    with pytest.raises(DetectorError, match="labels"):
        make(detector).evaluate(np.eye(6, dtype=bool)[:1])


def test_pixels_of_the_wrong_type():
    detector = strip_detector(additive(WEIGHTS))
    detector.pixels = torch.from_numpy(photo())
    with pytest.raises(DetectorError, match="prepare must give float32"):
        make(detector)

import warnings

import numpy as np
import pytest
import torch
from torch import nn

from tests.helpers.analytic import TARGET, additive, photo, strip_detector
from vps import Budget, CancelledError, explain, explain_failure, make_problem
from vps.core.targets import Kind, Target
from vps.engine.repeats import WholeImage

WEIGHTS = np.array([0.3, 0.25, 0.2, 0.1, 0.1, 0.05])


def random_detector(share=0.3):
    """The score is that of `additive`, less what is drawn at each look."""
    rng = np.random.default_rng(0)
    plain = additive(WEIGHTS)

    def answer(keep):
        boxes, scores = plain(keep)
        return boxes, scores * (1 - share * rng.random())

    return strip_detector(answer)


def asked(detector, **settings):
    return explain(detector, photo(), TARGET, regions=detector.regions, **settings)


@pytest.mark.parametrize("method", ["vps", "box", "random"])
def test_a_detector_that_is_not_deterministic_is_noticed(method):
    with pytest.warns(UserWarning, match="not deterministic.*training mode.*random resizing"):
        found = asked(random_detector(), method=method)
    assert "is not deterministic" in found.warnings[0]


def test_a_failure_says_so_too():
    detector = random_detector()
    missed = Target(TARGET.box, TARGET.label, Kind.MISSED)
    with pytest.warns(UserWarning, match="not deterministic"):
        answer = explain_failure(
            detector, photo(), missed, regions=detector.regions, threshold=0.99, set_passes=20
        )
    assert "is not deterministic" in answer.explanation.warnings[0]


def test_it_takes_one_pass_beside_those_that_are_counted():
    detector = strip_detector(additive(WEIGHTS))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = asked(detector, search="greedy", budget=42)
    assert len(detector.seen) == found.passes + 1
    assert detector.seen[-1].all()
    assert not found.warnings


def test_a_problem_that_is_explained_again_takes_none_more():
    detector = strip_detector(additive(WEIGHTS))
    problem = make_problem(detector, photo(), [TARGET], regions=detector.regions)
    passes = sum(explain(problem, method=method)[0].passes for method in ("vps", "vps"))
    passes += explain(problem.varied(fill="black"))[0].passes
    assert len(detector.seen) == passes + 1


def test_after_the_end_the_pass_is_not_made():
    detector = strip_detector(additive(WEIGHTS))
    with pytest.raises(CancelledError):
        asked(detector, budget=Budget(cancelled=lambda: True))
    assert not detector.seen


def test_rounding_is_no_difference():
    row = np.zeros((2, 15))
    whole = WholeImage()
    for scores in ((0.5, 0.02), (0.505, 0.0205), (0.4995, 0.0199)):
        row[:, 0] = scores
        whole.see(row)
    assert whole.doubt(object()) is None
    row[:, 0] = 0.5, 0.05
    whole.see(row)
    assert whole.looks == 4

    class Named:
        name = "mine"

    assert "0.02 at one look and 0.05 at another" in whole.doubt(Named())


def test_the_layer_that_was_left_in_training_mode_is_named():
    class Inside:
        name, device = "mine", torch.device("cpu")

        def __init__(self):
            self.model = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5))

    whole = WholeImage()
    row = np.zeros((1, 15))
    for row[0, 0] in (0.5, 0.7):
        whole.see(row)
    inside = Inside()
    assert "its layer 1 (Dropout) is in training mode: call model.eval()" in whole.doubt(inside)
    inside.model.eval()
    assert "the likely cause is" in whole.doubt(inside)

"""Orders by the map of a method, judged like any other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from tests.helpers.analytic import TARGET, additive, per_label, photo, strip_detector
from tests.helpers.objectives import WEIGHTS
from vps import Target, explain
from vps.engine.problem import make_problem
from vps.errors import InputError
from vps.methods import METHODS, Attribution
from vps.methods.perturbation.drise import DRISE


@pytest.fixture
def painted(monkeypatch):
    """A method whose map is a given value a region, the second target's the other way round."""
    values = np.array([0.2, 0.9, 0.2, 0.5, 0.9, 0.1], np.float32)

    @dataclass(frozen=True)
    class Painted:
        name: ClassVar[str] = "painted"

        def planned_passes(self, problem):
            return 17

        def with_passes(self, passes):
            return self

        def attribute(self, problem, budget, seed):
            first = values[problem.regions.label_map]
            return Attribution(17, np.stack([first, -first][: len(problem.targets)]))

    monkeypatch.setitem(METHODS, "painted", Painted)
    return values


def run(detector, **settings):
    return explain(
        detector, photo(), TARGET, regions=detector.regions, method="painted", **settings
    )


def test_the_mean_of_the_map_orders_the_regions_and_ties_go_by_index(painted):
    result = run(strip_detector(additive(WEIGHTS)))
    assert result.order.tolist() == [1, 4, 3, 0, 2, 5]
    np.testing.assert_allclose(result.insertion, [0, *np.cumsum(WEIGHTS[result.order])])
    np.testing.assert_allclose(result.deletion, result.insertion[-1] - result.insertion, atol=1e-6)
    assert result.measured.all()


def test_passes_are_the_methods_own_and_the_map_is_kept(painted):
    detector = strip_detector(additive(WEIGHTS))
    result = run(detector)
    # Two curves of 6 steps, and a second look at the whole image.
    assert (result.passes, len(detector.seen)) == (17, 2 * 6 + 1)
    assert (result.method, result.search, result.budget) == ("painted", "", None)
    np.testing.assert_array_equal(result.saliency, painted[result.label_map])


def test_replay_is_the_same_for_search_and_map(painted):
    """A search and a map that agree on the order have the same curves, step for step."""
    detector = strip_detector(additive(WEIGHTS))
    painted[:] = WEIGHTS
    ours = explain(detector, photo(), TARGET, regions=detector.regions, search="greedy")
    theirs = run(detector)
    np.testing.assert_array_equal(ours.order, theirs.order)
    np.testing.assert_array_equal(ours.insertion, theirs.insertion)
    np.testing.assert_array_equal(ours.deletion, theirs.deletion)


def test_each_target_has_its_own_map(painted):
    detector = strip_detector(per_label(np.stack([WEIGHTS, WEIGHTS[::-1], WEIGHTS], axis=1)))
    results = explain(
        detector,
        photo(),
        targets=[TARGET, Target(TARGET.box, "cat")],
        regions=detector.regions,
        method="painted",
    )
    assert results[0].order.tolist() == [1, 4, 3, 0, 2, 5]
    assert results[1].order.tolist() == [5, 0, 2, 3, 1, 4]


def test_unknown_methods_and_options_are_refused_before_any_pass(painted):
    detector = strip_detector(additive(WEIGHTS))
    for settings, message in (
        ({"method": "drize"}, "did you mean 'drise'"),
        ({"method": "drise", "maskes": 3}, "did you mean 'masks'"),
        (
            {"method": "drise", "search": "greedy"},
            "unknown setting, with the method drise, 'search'",
        ),
        ({"method": "vps", "masks": 3}, "unknown setting, with the method vps, 'masks'"),
        ({"method": "box", "fil": "black"}, "did you mean 'fill'"),
        ({"method": DRISE(), "masks": 3}, r"give that to DRISE\(...\)"),
        ({"method": DRISE, "masks": 3}, "a method is a name or"),
        ({"method": DRISE(), "mask": 3}, "unknown setting 'mask'"),
    ):
        with pytest.raises(InputError, match=message):
            explain(detector, photo(), TARGET, regions=detector.regions, **settings)
    assert not detector.seen


def test_a_question_counts_anew_for_each_method():
    detector = strip_detector(additive(WEIGHTS))
    question = make_problem(detector, photo(), [TARGET], regions=detector.regions)
    first, second = question.passes(), question.passes()
    first.evaluate(np.ones((1, 6), bool))
    assert (first.passes, second.passes) == (1, 0)

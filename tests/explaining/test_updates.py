import numpy as np
import pytest

from detectors.function import FunctionDetector
from tests.helpers.analytic import TARGET, by_score, per_label, photo, scattered, strip_detector
from tests.helpers.objectives import WEIGHTS
from vps import DRISE, Budget, Explanation, Kind, Target, explain, explain_failure
from vps.engine.budget import StopReason

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def find_light(pixels):
    light = pixels[:, :, 8:16, 16:32].mean(dim=(1, 2, 3))
    return np.tile([16.0, 8.0, 32.0, 16.0], (len(pixels), 1, 1)), light[:, None, None]


def updates(**settings) -> tuple[list, Explanation]:
    detector, seen = strip_detector(scattered(), 8), []
    settings = {"regions": detector.regions, "search": "greedy", "target": TARGET, **settings}
    result = explain(detector, photo(), on_update=seen.append, **settings)
    return seen, result


def test_each_round_tells_what_is_known_and_the_last_all():
    seen, result = updates()
    rounds = [one.rounds for one in seen]
    assert rounds == sorted(rounds)
    assert set(rounds) == set(range(1, result.rounds + 1))  # all may be known: no new round then
    passes = [one.passes for one in seen]
    assert passes == sorted(passes)
    assert passes[-1] == result.passes
    assert all(one.stopped is StopReason.CANCELLED for one in seen)
    last = seen[-1]
    np.testing.assert_array_equal(last.order, result.order)
    np.testing.assert_array_equal(last.insertion, result.insertion)
    assert last.measured.all()
    assert not seen[0].measured.all()
    assert last.effects is None
    assert last.heatmap.shape == (12, 16)


def test_an_update_is_what_comes_back_when_it_is_cancelled_then():
    for count in (1, 3):
        seen: list[Explanation] = []
        detector = strip_detector(scattered(), 8)
        result = explain(
            detector,
            photo(),
            TARGET,
            regions=detector.regions,
            search="greedy",
            budget=Budget(cancelled=lambda seen=seen, count=count: len(seen) >= count),
            on_update=seen.append,
        )
        assert result.stopped is StopReason.CANCELLED
        assert len(seen) == count
        np.testing.assert_array_equal(seen[-1].order, result.order)
        np.testing.assert_array_equal(seen[-1].insertion, result.insertion)
        np.testing.assert_array_equal(seen[-1].measured, result.measured)


def test_it_costs_no_pass_and_changes_nothing():
    seen, result = updates()
    detector = strip_detector(scattered(), 8)
    alone = explain(detector, photo(), TARGET, regions=detector.regions, search="greedy")
    assert alone.passes == result.passes
    np.testing.assert_array_equal(alone.order, result.order)
    assert seen


def test_several_targets_come_together():
    rule = per_label(np.stack([WEIGHTS, WEIGHTS[::-1], np.roll(WEIGHTS, 3)], axis=1))
    detector, seen = strip_detector(rule), []
    targets = [TARGET, Target(TARGET.box, "cat")]
    explain(
        detector,
        photo(),
        targets=targets,
        regions=detector.regions,
        search="greedy",
        on_update=seen.append,
    )
    assert all([one.target.label for one in both] == ["dog", "cat"] for both in seen)


def test_a_search_that_cuts_anew_tells_of_its_own_regions():
    seen: list[Explanation] = []
    detector = FunctionDetector(find_light, ["lamp"])
    explain(
        detector,
        photo(32, 48),
        Target((16, 8, 32, 16), "lamp"),
        method="vps-multi-scale",
        numbers=(6, 12),
        regions=9,
        region_method="grid",
        on_update=seen.append,
    )
    assert {len(one.order) for one in seen} == {6, 12}
    assert all(one.label_map.max() == len(one.order) - 1 for one in seen)


def test_methods_that_are_no_search_have_nothing_to_tell():
    detector, seen = strip_detector(scattered(), 8), []
    explain(
        detector,
        photo(),
        TARGET,
        regions=detector.regions,
        method=DRISE(masks=20),
        on_update=seen.append,
    )
    assert seen == []


def test_failures_tell_of_their_target():
    detector, seen = strip_detector(by_score(lambda keep: 0.7 * (not keep[3]))), []
    missed = Target(TARGET.box, "dog", Kind.MISSED)
    answer = explain_failure(
        detector, photo(), missed, regions=detector.regions, on_update=seen.append
    )
    assert seen[-1].target == answer.target
    np.testing.assert_array_equal(seen[-1].order, answer.explanation.order)

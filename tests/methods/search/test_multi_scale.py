import numpy as np
import pytest

from tests.helpers.analytic import TARGET, additive, breaking, photo, strip_detector
from vps.core.regions import make_regions, numbered_by_distance
from vps.engine.budget import Budget, StopReason
from vps.engine.problem import make_problem
from vps.errors import DetectorError, InputError
from vps.methods.search.multi_scale import MultiScaleVPS, _cut_anew
from vps.methods.search.vps import VPS

METHOD = MultiScaleVPS(numbers=(4, 9), budget=120)


def problem_of(detector, regions=6):
    return make_problem(detector, photo(), [TARGET], regions=regions, region_method="grid")


def brightness():
    """A detector that sees the left half of the image only, whatever the regions are."""
    detector = strip_detector(additive(np.full(6, 0.1)))
    usual = detector.detect

    def detect(pixels, size):
        found = usual(pixels, size)
        seen = (pixels == detector.pixels).all(dim=1)[:, :, :8].float().mean(dim=(1, 2))
        found.scores[:] = 0
        found.scores[:, :, 1] = seen[:, None]
        return found

    detector.detect = detect
    return detector


def test_other_regions_are_numbered_as_the_problems_are():
    detector = brightness()
    problem = make_problem(
        detector, photo(), [TARGET], regions=6, region_method="grid", numbering="distance"
    )
    expected = numbered_by_distance(
        make_regions(problem.pixels, 9, "grid"), TARGET.box, problem.size
    )
    again = _cut_anew(problem, 9).regions
    assert again.numbering == "distance"
    assert np.array_equal(again.label_map, expected.label_map)


def test_the_map_is_the_mean_of_those_at_each_number():
    detector = brightness()
    problem = problem_of(detector)
    found = METHOD.attribute(problem)
    maps = []
    for number in (4, 9):
        regions = make_regions(problem.pixels, number, "grid")
        one = make_problem(detector, photo(), [TARGET], regions=regions)
        explained = VPS("path_search", budget=60).attribute(one)
        order = explained.orders[0]
        values = np.array(
            [
                1 + _s(one, explained, order[:k]) - _s(one, explained, order[k:])
                for k in range(len(order) + 1)
            ]
        )
        scores = np.zeros(len(order))
        for k in range(1, len(order)):
            scores[order[k]] = scores[order[k - 1]] - abs(values[k] - values[k - 1])
        scores = (scores - scores.min()) / np.ptp(scores)
        maps.append(scores[regions.label_map])
    np.testing.assert_allclose(found.maps[0], np.mean(maps, axis=0), atol=1e-6)
    assert found.maps[0][:, :8].mean() > found.maps[0][:, 8:].mean()
    assert found.passes <= 120


def _s(problem, found, shown):
    keep = np.zeros((1, problem.regions.count), bool)
    keep[0, shown] = True
    return found.source.evaluate(keep).score[0, 0]


def test_all_together_take_what_one_may():
    detector = brightness()
    problem = problem_of(detector, 30)
    for method, most in ((METHOD, 120), (MultiScaleVPS((4, 9)), 8 * 9)):
        detector.seen.clear()
        assert method.planned_passes(problem) == most
        assert method.attribute(problem).passes == len(detector.seen) <= most
    detector.seen.clear()
    METHOD.attribute(problem, Budget(passes=70))
    assert len(detector.seen) <= 70


def test_a_detector_that_fails_at_the_second_number_leaves_the_first_map():
    alone = VPS("path_search", budget=60)
    detector = brightness()
    problem = problem_of(detector)
    first = make_problem(
        detector, photo(), [TARGET], regions=make_regions(problem.pixels, 4, "grid")
    )
    batches = len(detector.batches)
    alone.attribute(first)
    batches = len(detector.batches) - batches
    broken = breaking(brightness(), {batches: RuntimeError("out of memory")})
    found = METHOD.attribute(problem_of(broken))
    assert found.stopped is StopReason.FAILED
    assert "out of memory" in str(found.error)
    assert np.ptp(found.maps) == 1
    with pytest.raises(DetectorError, match="out of memory"):
        METHOD.attribute(problem_of(breaking(brightness(), {0: RuntimeError("out of memory")})))


@pytest.mark.parametrize("numbers", [(), (36,), (1, 36)])
def test_numbers_that_are_none(numbers):
    with pytest.raises(InputError, match="two or more"):
        MultiScaleVPS(numbers=numbers)

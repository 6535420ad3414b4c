"""Repairs by each method, on detectors whose answers can be worked out by hand."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from tests.helpers.analytic import (
    TARGET,
    breaking,
    by_score,
    constant,
    per_label,
    photo,
    strip_detector,
)
from vps.core.targets import Kind, Target
from vps.engine.curves import prefixes
from vps.engine.problem import make_problem
from vps.errors import DetectorError, InputError
from vps.methods import Attribution, make_method
from vps.metrics import repaired_name
from vps.search import SEARCHES
from vps.sets.goals import repaired, with_rival
from vps.sets.hiding import map_order
from vps.study.repair import RepairSettings, least_passes, repair

METHODS = ("vps", "drise", "box", "random")
MISSED = dataclasses.replace(TARGET, kind=Kind.MISSED)
FALSE = dataclasses.replace(TARGET, kind=Kind.BACKGROUND)
WRONG = Target(TARGET.box, "dog", Kind.CLASSIFICATION, "cat")


def question_of(detector, target, **settings):
    return make_problem(detector, photo(), with_rival(target), regions=detector.regions, **settings)


def ready(method, search="path_search"):
    return make_method(method, {"search": search} if method == "vps" else {})


def found_by(method, rule, target, count=12, passes=300, search="path_search", **settings):
    """The repair, and how many images the detector was shown, but for those under other fills."""
    detector = strip_detector(rule, count)
    question, chosen = question_of(detector, target), ready(method, search)
    found = repair(question, chosen, passes=passes, **settings)
    return found, len(detector.seen) - len(found.fills) + bool(found.fills)


def distracted(keep):
    """A dog in region 3 that is not found beside region 8."""
    return 0.7 * keep[3] * (not keep[8])


def smallest_of(question, threshold=0.3):
    """The fewest regions whose hiding repairs, by trying all sets."""
    source, goal = question.passes(), repaired(question.targets, threshold)
    count = question.regions.count
    for size in range(count + 1):
        for some in itertools.combinations(range(count), size):
            keep = np.ones((1, count), bool)
            keep[0, list(some)] = False
            if goal(source.evaluate(keep))[0][0]:
                return size
    return None


@pytest.mark.parametrize("count", [12, 40])
def test_the_search_finds_the_one_region_that_distracts(count):
    found, shown = found_by("vps", by_score(distracted), MISSED, count)
    assert found.regions == (8,)
    assert found.exact
    assert found.area == pytest.approx(1 / count, rel=0.1)
    assert found.found_score == pytest.approx(0.7)
    assert found.passes == shown <= 300


@pytest.mark.parametrize("seed", range(4))
def test_the_search_hides_as_few_as_possible(seed):
    """Two labels by weights, the wrong one ahead."""
    weights = np.random.default_rng(seed).random((8, 3)) / 8
    weights[:, 0] *= 1.6
    detector = strip_detector(per_label(weights), 8)
    question = question_of(detector, WRONG)
    found = repair(question, ready("vps"), passes=300, threshold=0.1)
    fewest = smallest_of(question, 0.1)
    assert found.exact == (fewest is not None)
    assert (None if found.regions is None else len(found.regions)) == fewest


def test_a_map_repairs_by_the_shortest_prefix_of_its_order():
    """Of six strips the box covers half of each but the first and the last."""
    found, _ = found_by("box", by_score(lambda keep: 0.7 * (not keep[5])), MISSED, 6, 100)
    assert found.regions == (0, 5)
    assert found.area == pytest.approx(1 / 3)
    assert found.passes == len(prefixes(np.arange(6)))
    found, _ = found_by("box", by_score(lambda keep: 0.7 * (not keep[4])), MISSED, 6, 100)
    assert found.regions == (0, 1, 2, 3, 4, 5)
    found, _ = found_by("box", by_score(lambda keep: 0.9 * keep[2]), FALSE, 6, 100)
    assert found.regions == (1, 2)
    assert found.found_score == 0
    assert not found.exact


def test_maps_say_which_regions_go_first():
    means = [np.array([0.1, 0.5, 0.3]), np.array([0.2, 0.9, 0.1])]
    detector = strip_detector(constant(0.5), 3)
    orders = {
        kind: map_order(question_of(detector, target), means).tolist()
        for kind, target in (("missed", MISSED), ("false", FALSE), ("wrong", WRONG))
    }
    assert orders == {"missed": [0, 2, 1], "false": [1, 2, 0], "wrong": [1, 0, 2]}


def test_random_orders_come_nearer_the_more_passes_there_are():
    areas = [
        found_by("random", by_score(distracted), MISSED, 12, passes)[0].area
        for passes in (52, 100, 200, 400)
    ]
    assert areas == sorted(areas, reverse=True)
    assert areas[-1] == pytest.approx(1 / 12)


def test_random_orders_depend_on_the_seed_alone():
    found = [found_by("random", by_score(distracted), MISSED, 12, 60, seed=s)[0] for s in (1, 1, 2)]
    assert found[0] == found[1] != found[2]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("target", [MISSED, FALSE, WRONG], ids=lambda target: target.kind.value)
@pytest.mark.parametrize("passes", [60, 200])
def test_no_method_spends_more_than_the_others_may(method, target, passes):
    """The smallest set is made irreducible even where that takes some more, here up to m."""
    rng = np.random.default_rng(3)
    weights = rng.random((12, 3)) / 12
    weights[:, 0] *= 1.5
    found, shown = found_by(method, per_label(weights), target, 12, passes, threshold=0.3)
    assert found.passes == shown
    assert shown <= passes + (12 if method == "vps" else 0)
    if method == "drise":
        assert shown >= passes - 1


def test_results_do_not_depend_on_the_batch_size():
    weights = np.random.default_rng(5).random((12, 3)) / 8
    for method in METHODS:
        found = {
            repair(
                question_of(strip_detector(per_label(weights), 12), WRONG, batch_size=size),
                ready(method),
                passes=150,
            )
            for size in (1, 5, 64)
        }
        assert len(found) == 1


@pytest.mark.parametrize("method", METHODS)
def test_what_is_no_failure_has_nothing_to_hide(method):
    found, _ = found_by(method, constant(0.8), MISSED)
    assert found.regions == ()
    assert found.area == 0
    assert found.exact
    assert found.found_score == pytest.approx(0.8)


@pytest.mark.parametrize("method", METHODS)
def test_what_can_never_be_repaired_is_told_within_the_passes(method):
    found, shown = found_by(method, constant(0.1), MISSED, 40, passes=300)
    assert found.regions is found.area is found.found_score is None
    assert not found.exact
    assert found.passes == shown <= 300


@pytest.mark.parametrize("search", [*SEARCHES, "auto"])
@pytest.mark.parametrize("target", [MISSED, WRONG], ids=lambda target: target.kind.value)
def test_the_least_passes_are_enough_for_any_search(search, target):
    weights = np.random.default_rng(0).random((12, 3)) / 12
    least = least_passes(12)
    found, shown = found_by("vps", per_label(weights), target, 12, least, search=search)
    assert found.passes == shown <= least + 12


@pytest.mark.parametrize("method", METHODS)
def test_fewer_passes_are_refused(method):
    with pytest.raises(InputError, match="12 regions need 52"):
        found_by(method, constant(0.1), MISSED, 12, 51)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("call", [0, 3, 12])
def test_an_interruption_and_a_failing_detector_end_it(method, call):
    for error, expected in (
        (KeyboardInterrupt(), KeyboardInterrupt),
        (RuntimeError("no memory"), DetectorError),
    ):
        detector = breaking(strip_detector(constant(0.1), 12), {call: error})
        with pytest.raises(expected):
            repair(question_of(detector, MISSED, batch_size=1), ready(method), passes=200)


def test_the_search_for_the_set_can_be_interrupted_too():
    for call in (120, 150):
        detector = breaking(strip_detector(constant(0.1), 12), {call: KeyboardInterrupt()})
        with pytest.raises(KeyboardInterrupt):
            repair(question_of(detector, MISSED, batch_size=1), ready("vps"), passes=200)


def test_prefixes_beyond_the_best_are_not_shown_again():
    """Once a single region is known to do, random orders show no more than one region."""
    detector = strip_detector(by_score(lambda keep: 0.9 * (not keep.all())), 12)
    found = repair(question_of(detector, MISSED), ready("random"), passes=100)
    assert len(found.regions) == 1
    assert found.passes == 13 == len(prefixes(np.arange(12)))


def test_a_method_that_gives_orders_is_followed_too():
    """What would make the dog comes last."""

    @dataclasses.dataclass(frozen=True)
    class Upwards:
        name = "upwards"

        def planned_passes(self, problem):
            return 0

        def with_passes(self, passes):
            return self

        def attribute(self, problem, budget, seed):
            return Attribution(0, orders=[np.arange(12)])

    detector = strip_detector(by_score(lambda keep: 0.9 * (not keep[10])), 12)
    found = repair(question_of(detector, MISSED), Upwards(), passes=60)
    assert found.regions == (10, 11)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"passes": -1}, "passes must be at least 0"),
        ({"threshold": 0.0}, "threshold must be in"),
        ({"areas": (0.0,)}, "areas must lie in"),
        ({"areas": (0.1, 0.1)}, "a share twice"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        RepairSettings(**settings)


def test_the_usual_shares_have_names():
    assert [repaired_name(share) for share in RepairSettings().areas] == [
        "repaired_5",
        "repaired_10",
        "repaired_20",
    ]


def test_of_regions_that_do_the_smallest_is_hidden():
    """Strips of 4 and of 5 pixels: the larger one brings the higher score."""

    def score(keep: np.ndarray) -> float:
        return max(0.9 * (not keep[large]), 0.5 * (not keep[small]))

    sizes = np.bincount(strip_detector(constant(0), 40).regions.label_map.ravel())
    large, small = int(np.argmax(sizes)), int(np.argmin(sizes))
    for method in ("vps", "random"):
        found, _ = found_by(method, by_score(score), MISSED, 40, 800)
        assert found.regions == (small,)
        assert found.area == pytest.approx(4 / 192)


def test_a_repair_that_depends_on_surroundings_alone_holds_under_all_fills():
    found, _ = found_by("vps", by_score(lambda keep: 0.7 * (not keep[11])), MISSED)
    assert found.fills == dict.fromkeys(("mean", "black", "image-mean", "blur"), True)
    assert list(found.fills)[0] == "mean"
    assert found.beside_area == found.area


def test_what_the_fill_does_is_no_repair_under_the_others():
    """A dog that is found where black stands in strip 8: under other fills, nothing changes."""
    detector = strip_detector(constant(0.1), 12)
    detect, strip = detector.detect, detector.regions.label_map == 8

    def black_dog(pixels, size):
        found = detect(pixels, size)
        black = (pixels[:, :, strip] == 0).all(dim=(1, 2))
        found.scores[black, :, 1] = 0.7
        return found

    detector.detect = black_dog
    question = question_of(detector, MISSED, fill="black")
    found = repair(question, ready("vps"), passes=300)
    assert found.regions == (8,)
    assert found.fills == {"black": True, "mean": False, "image-mean": False, "blur": False}


def test_a_repair_that_needs_a_part_of_the_object_touches_it():
    """The box of the target covers half of all strips of six but the first and the last."""
    found, _ = found_by("vps", by_score(lambda keep: 0.7 * (not keep[3])), MISSED, 6, 100)
    assert (found.regions, found.beside_area) == ((3,), None)
    # Of two ways, the one that touches nothing counts, though it is no smaller.
    found, _ = found_by(
        "vps", by_score(lambda keep: 0.7 * (not keep[3] or not keep[5])), MISSED, 6, 100
    )
    assert found.beside_area == pytest.approx(1 / 6)


def test_a_false_box_has_no_object_to_touch():
    found, _ = found_by("vps", by_score(lambda keep: 0.7 * keep[5]), FALSE, 6, 100)
    assert found.regions == (5,)
    assert found.beside_area is None

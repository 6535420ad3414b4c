"""What an explanation will cost, held against what it costs."""

import dataclasses

import pytest

from tests.helpers.analytic import TARGET, additive, by_score, photo, strip_detector
from tests.helpers.objectives import WEIGHTS
from vps.core.targets import Kind, Target
from vps.engine.budget import Budget
from vps.engine.problem import make_problem
from vps.explaining.cost import Cost
from vps.explaining.explain import explain
from vps.explaining.failure import explain_failure, planned_failure_passes
from vps.methods.search.vps import VPS
from vps.sets.goals import with_rival

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"search": "greedy"},
        {"effort": "fast"},
        {"budget": 60},
        {"method": "drise", "masks": 30},
        {"method": "drise", "budget": 20},
        {"method": "box"},
        {"method": "random"},
    ],
)
def test_no_more_passes_are_made_than_were_told(settings):
    detector = strip_detector(additive(WEIGHTS.repeat(2) / 2), 12)
    given = {"regions": detector.regions, **settings}
    told = explain.cost(detector, photo(), TARGET, **given)
    assert told.pass_seconds > 0
    detector.seen.clear()
    explain(detector, photo(), TARGET, **given)
    # One more tells whether the detector is deterministic.
    assert len(detector.seen) <= told.passes + 1


def test_only_efforts_that_take_fewer_passes_are_named():
    detector = strip_detector(additive(WEIGHTS.repeat(10) / 10), 60)
    given = {"regions": detector.regions}
    usual = explain.cost(detector, photo(), TARGET, **given)
    assert usual.passes == round(0.2 * 60 * 61)
    assert usual.efforts == {"fast": round(0.15 * 60 * 61)}
    assert list(explain.cost(detector, photo(), TARGET, effort="high", **given).efforts) == [
        "fast",
        "balanced",
    ]
    for settings in ({"effort": "fast"}, {"search": "greedy"}, {"method": "box"}):
        assert not explain.cost(detector, photo(), TARGET, **given, **settings).efforts


def test_targets_and_problems_are_asked_about_as_in_explain():
    detector = strip_detector(additive(WEIGHTS))
    problem = make_problem(detector, photo(), [TARGET, TARGET], regions=detector.regions)
    one = explain.cost(detector, photo(), TARGET, regions=detector.regions, search="greedy")
    assert explain.cost(problem, search="greedy").passes == 2 * one.passes


@pytest.mark.parametrize("budget", [None, 90])
@pytest.mark.parametrize("kind", list(Kind))
def test_failures_take_about_what_was_told_at_the_most(kind, budget):
    other = ("cat", (6.0, 2.0, 14.0, 10.0)) if kind.traits.rival else (None, None)
    target = Target(TARGET.box, "dog", kind, *other)
    rule = by_score(lambda keep: 0.7 * keep[3] * (not keep[8]))
    detector = strip_detector(rule, 12)
    problem = make_problem(detector, photo(), with_rival(target), regions=detector.regions)
    told = planned_failure_passes(problem, VPS(), Budget(budget))
    assert explain_failure(problem, budget=budget).passes <= told


def test_it_reads_as_a_line():
    cost = Cost(832, 0.04, {"fast": 624})
    assert cost.seconds == pytest.approx(33.28)
    assert str(dataclasses.replace(cost, efforts={})) == "at most 832 passes, about 33 s"
    assert str(Cost(5000, 0.12)) == "at most 5,000 passes, about 10 min"
    assert str(Cost(10, 0.01)) == "at most 10 passes, less than 1 s"

"""What every method owes, and how it is set."""

import numpy as np
import pytest

from tests.helpers.analytic import per_label, photo, strip_detector
from tests.helpers.method_settings import SETTINGS, ready
from tests.helpers.patches import BOX, question
from vps.core.schema import to_plain
from vps.core.targets import Target
from vps.engine.budget import Budget
from vps.engine.problem import make_problem
from vps.errors import InputError
from vps.explaining.explain import explain
from vps.methods import METHODS, make_method
from vps.methods.perturbation.drise import DRISE
from vps.methods.search.vps import VPS

DOG, BIRD = Target(BOX, "dog"), Target(BOX, "bird")

USE_ALL = ("drise", "vps path_search", "vps top_k", "smooth-grad", "integrated-gradients")
"""What takes as many passes as it may."""


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("targets", [(DOG,), (DOG, BIRD)])
class TestContract:
    def test_it_makes_no_more_passes_than_it_says_and_counts_them(self, name, targets):
        asked, method = question(*targets), ready(name)
        found = method.attribute(asked, Budget(), 0)
        shown = sum(len(pixels) for pixels in asked.detector.seen)
        assert found.forward == shown
        assert found.passes <= method.planned_passes(asked)

    def test_it_never_spends_more_than_its_budget(self, name, targets):
        for passes in (70, 101, 150):
            asked = question(*targets)
            found = ready(name).attribute(asked, Budget(passes=passes), 0)
            shown = sum(len(pixels) for pixels in asked.detector.seen)
            assert found.forward == shown
            assert found.passes <= passes

    def test_it_makes_use_of_the_passes_that_it_is_set_to(self, name, targets):
        asked = question(*targets)
        method = ready(name).with_passes(120)
        assert method.planned_passes(asked) <= 120
        found = method.attribute(asked, Budget(), 0)
        assert found.passes <= 120
        if name in USE_ALL:
            assert found.passes >= 110

    def test_it_gives_each_target_an_order_or_a_map(self, name, targets):
        asked = question(*targets)
        found = ready(name).attribute(asked, Budget(), 0)
        orders = found.orders_of(asked.regions)
        assert len(orders) == len(targets)
        for order in orders:
            assert sorted(order.tolist()) == list(range(asked.regions.count))
        if found.maps is not None:
            assert found.maps.shape == (len(targets), *asked.pixels.shape[1:])
            assert found.maps.dtype == np.float32
            assert np.isfinite(found.maps).all()

    def test_the_seed_decides(self, name, targets):
        if name == "vps":
            pytest.skip("auto depends on the machine's speed")
        orders = [
            ready(name).attribute(question(*targets), Budget(), 5).orders_of(question().regions)
            for _ in range(2)
        ]
        np.testing.assert_array_equal(orders[0], orders[1])

    def test_its_settings_are_recorded_and_make_it_again(self, name, targets):
        method = ready(name)
        assert METHODS[method.name] is type(method)
        assert make_method(method.name, to_plain(method)) == method
        (result,) = explain(question(), method=method)
        assert (result.method, result.options) == (method.name, to_plain(method))


def test_more_than_was_allowed_is_not_spent_on_a_map():
    """A method that would take 5,000 passes takes no more than the 100 that it may."""
    detector = strip_detector(per_label(np.full((6, 3), 0.1)))
    target = Target((2.0, 2.0, 10.0, 10.0), "dog")
    found = explain(detector, photo(), target, regions=detector.regions, method="drise", budget=100)
    assert found.passes == 100
    assert found.stopped == "budget"


@pytest.mark.parametrize(
    "options",
    [{}, {"masks": 1, "grid": 2, "p": 0.01, "objectness": "none"}, {"masks": 5000, "p": 0.99}],
)
def test_options_of_drise(options):
    assert make_method("drise", options) == DRISE(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mask": 5}, "unknown option of drise 'mask', did you mean 'masks'"),
        ({"seed": 5}, "unknown option of drise 'seed'"),
        ({"name": 5}, "unknown option of drise 'name'"),
        ({"masks": 0}, "drise: masks must be at least 1, got 0"),
        ({"masks": 10.5}, "drise: masks must be a whole number, got 10.5"),
        ({"masks": "10"}, "drise: masks must be a whole number"),
        ({"masks": True}, "drise: masks"),
        ({"grid": 1}, "drise: grid must be at least 2"),
        ({"p": 1}, "drise: p must be between 0 and 1, both excluded, got 1"),
        ({"p": 0.0}, "drise: p must be between"),
        ({"p": float("nan")}, "drise: p must be a finite number"),
        ({"objectness": "non"}, "drise: unknown objectness 'non', did you mean 'none'"),
    ],
)
def test_what_drise_cannot_be_set_to(options, message):
    with pytest.raises(InputError, match=message):
        make_method("drise", options)
    if "unknown option" not in message:
        with pytest.raises(InputError, match=message.removeprefix("drise: ")):
            DRISE(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"search": "gredy"}, "vps: unknown search 'gredy', did you mean 'greedy'"),
        ({"effort": "higher"}, "vps: unknown effort 'higher', did you mean 'high'"),
        ({"budget": 1.5}, "vps: a budget is a whole number of passes, or a share"),
        ({"nam": "greedy"}, "unknown option of vps 'nam'"),
    ],
)
def test_what_vps_cannot_be_set_to(options, message):
    with pytest.raises(InputError, match=message):
        make_method("vps", options)


@pytest.mark.parametrize("method", ["random", "box"])
def test_methods_without_options(method):
    assert make_method(method, {}) == METHODS[method]()
    with pytest.raises(InputError, match=f"{method} has no options, got 'masks'"):
        make_method(method, {"masks": 5})


def test_an_unknown_method():
    with pytest.raises(InputError, match="unknown method 'drice', did you mean 'drise'"):
        make_method("drice", {})


class Undeclared:
    """All that a method has, but no dataclass: its settings could not be recorded."""

    name = "undeclared"
    planned_passes = with_passes = attribute = None


def test_what_is_no_method():
    for wrong in (DRISE, None, 5, Undeclared()):
        with pytest.raises(InputError, match="a method is a name or"):
            make_method(wrong)


def test_a_budget_stands_above_the_effort_but_not_above_what_the_search_was_set_to():
    asked = make_problem(*_strips(), [Target((2.0, 2.0, 10.0, 10.0), "dog")], regions=12)
    assert VPS("top_k").attribute(asked, Budget(passes=130), 0).limit == 130
    assert VPS("top_k", budget=100).attribute(asked, Budget(passes=130), 0).limit == 100
    assert VPS("top_k", budget=200).attribute(asked, Budget(passes=130), 0).limit == 130
    assert VPS("greedy").attribute(asked, Budget(), 0).limit is None


def _strips():
    return strip_detector(per_label(np.full((12, 3), 0.05)), 12), photo()

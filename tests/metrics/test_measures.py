import dataclasses
import math
import warnings

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import auc

from tests.helpers.analytic import TARGET, additive, constant, photo, strip_detector
from vps.core.targets import Kind
from vps.errors import InputError
from vps.explaining.explain import explain
from vps.metrics import METRICS, Metric, find_metric
from vps.metrics.fidelity import random_subsets
from vps.metrics.measures import measure
from vps.metrics.settings import MetricSettings
from vps.results.repair import Repair

WEIGHTS = np.array([0.05, 0.3, 0.02, 0.2, 0.1, 0.13])
OF_REPAIRS = [name for name in METRICS if "repair" in name]
OFF_TARGET = (2.0, 2.0, 16.0, 10.0)  # IoU with the target 8 / 14


def explained(answer, **settings):
    detector = strip_detector(answer)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return explain(
            detector, photo(), TARGET, regions=detector.regions, search="greedy", **settings
        )


def asked(answer, hidden):
    """What the runner gives: subsets and the score without each of them."""
    return hidden, np.array([answer(~subset)[1].max() for subset in hidden])


def test_all_metrics_of_an_additive_detector():
    one = explained(additive(WEIGHTS))
    mask = np.zeros((12, 16), bool)
    mask[2:4] = True
    fidelity = asked(additive(WEIGHTS), random_subsets(40, 6, seed=0))
    values = measure(one, mask=mask, fidelity=fidelity)
    assert list(values) == [name for name in METRICS if name not in OF_REPAIRS]
    assert all(type(value) is float for value in values.values())
    # The order is by weight, so the curves are sums of the sorted weights over steps of 1/6.
    shown = np.concatenate([[0], np.cumsum(np.sort(WEIGHTS)[::-1])])
    area = auc(np.arange(7) / 6, shown)
    assert values["insertion"] == pytest.approx(area)
    assert values["deletion"] == pytest.approx(0.8 - area)
    assert values["insertion_class"] == pytest.approx(area)
    assert values["insertion_iou"] == pytest.approx(11 / 12)
    assert values["insertion_normalised"] == pytest.approx(area / 0.8)
    assert values["deletion_normalised"] == pytest.approx(1 - area / 0.8)
    assert values["highest_score_50"] == values["highest_score_75"] == pytest.approx(0.8)
    assert values["success_35at50"] == 1
    # 0.3 + 0.2 + 0.13 + 0.1 = 0.73 >= 0.72; 0.8 - 0.5 = 0.3 <= 0.4.
    assert values["sufficient_area"] == pytest.approx(4 / 6)
    assert values["necessary_area"] == pytest.approx(2 / 6)
    # The second run of 32 pixels, rows 2 and 3, has the maximum; ten columns of it are in the box.
    assert values["pointing"] == pytest.approx(8 / 16)
    in_rows = one.heatmap[2:4].sum() / one.heatmap.sum()
    assert values["energy_pointing_mask"] == pytest.approx(in_rows, rel=1e-6)
    in_box = one.heatmap[2:10, 2:10].sum() / one.heatmap.sum()
    assert values["energy_pointing"] == pytest.approx(in_box, rel=1e-6)
    hidden, scores = fidelity
    sums = [one.heatmap[one.label_map == region].sum() for region in range(6)]
    expected = spearmanr(hidden @ np.array(sums, float), -scores).statistic
    assert values["mu_fidelity"] == pytest.approx(expected)
    assert values["passes"] == one.passes
    assert values["seconds"] == one.seconds


def test_what_does_not_apply_is_absent():
    values = measure(explained(constant(0.0)))
    assert {name for name in METRICS if name not in values} - {*OF_REPAIRS} == {
        "insertion_normalised",
        "deletion_normalised",
        "energy_pointing_mask",
        "mu_fidelity",
        "sufficient_area",
        "necessary_area",
    }
    # Hiding all of the image does not take this score away.
    assert "necessary_area" not in measure(explained(constant(0.6)))
    flat = asked(constant(0.6), random_subsets(10, 6, seed=0))
    assert "mu_fidelity" not in measure(explained(constant(0.6)), fidelity=flat)
    none = asked(additive(WEIGHTS), random_subsets(2, 6, seed=0)[:0])
    assert "mu_fidelity" not in measure(explained(additive(WEIGHTS)), fidelity=none)


def of_repair(explanation, found, *shares):
    """What is measured of a repair, beside what is measured without it."""
    values = measure(explanation, repair=found, repair_shares=shares)
    without = measure(explanation)
    assert not [name for name in without if "repair" in name]
    return {name: value for name, value in values.items() if name not in without}


def test_a_repair_is_measured_by_what_it_hides(explanation):
    fills = {"mean": True, "black": False}
    found = Repair((1, 4), 0.08, 0.5, passes=70, fills=fills, beside_area=0.1)
    values = of_repair(explanation, found, 0.05, 0.1, 0.2)
    assert list(values) == OF_REPAIRS
    assert values == {
        "repaired": 1,
        "repaired_all_fills": 0,
        "repaired_beside": 1,
        "repaired_0": 0,
        "repaired_5": 0,
        "repaired_10": 1,
        "repaired_20": 1,
        "repair_area": 0.08,
        "repair_auc": pytest.approx(0.92),
        "repair_passes": 70,
    }
    nothing = Repair((), 0.0, 0.5, passes=70, beside_area=0.0)
    assert of_repair(explanation, nothing, 0.125) == {
        "repaired": 1,
        "repaired_all_fills": 1,
        "repaired_beside": 1,
        "repaired_0": 1,
        "repaired_12.5": 1,
        "repair_area": 0,
        "repair_auc": 1,
        "repair_passes": 70,
    }


def test_what_is_not_repaired_counts_as_such_and_has_no_area(explanation):
    values = of_repair(explanation, Repair(None, None, None, passes=70), 0.05, 0.1, 0.2)
    assert [name for name in OF_REPAIRS if name not in values] == ["repair_area"]
    assert values.pop("repair_passes") == 70
    assert set(values.values()) == {0.0}


def test_the_three_repair_rates_say_different_things(explanation):
    def rates(target=explanation.target, **found):
        one = dataclasses.replace(explanation, target=target)
        values = of_repair(one, Repair((1,), 0.1, 0.5, passes=9, **found))
        names = ("repaired", "repaired_all_fills", "repaired_beside")
        return [values.get(name) for name in names]

    every = {"mean": True, "blur": True}
    assert rates(fills=every, beside_area=0.2) == [1, 1, 1]
    assert rates(fills=every) == [1, 1, 0]
    assert rates(fills={**every, "black": False}, beside_area=0.2) == [1, 0, 1]
    # A false box has no object; what was not tried under other fills is not known.
    false = dataclasses.replace(explanation.target, kind=Kind.BACKGROUND)
    assert rates(false) == [1, None, None]


def test_a_truth_without_pixels_cannot_be_pointed_at():
    one = explained(additive(WEIGHTS))
    values = measure(one, truth_box=(2.6, 2.6, 3.4, 3.4), mask=np.zeros((12, 16), bool))
    assert not {"pointing", "energy_pointing", "energy_pointing_mask"} & values.keys()


def test_pointing_is_at_the_truth_where_there_is_one():
    one = explained(additive(WEIGHTS))
    assert measure(one, truth_box=(0, 2, 16, 4))["pointing"] == 1
    assert measure(one, truth_box=(0, 4, 16, 12))["pointing"] == 0
    assert measure(one, truth_box=(0, 0, 16, 12))["energy_pointing"] == 1


def test_the_map_of_a_compared_method_is_what_is_measured(explanation):
    saliency = np.zeros((10, 20), np.float32)
    saliency[2, 3] = 5
    one = dataclasses.replace(explanation, saliency=saliency, method="drise")
    values = measure(one, truth_box=(6, 4, 8, 6))
    assert values["pointing"] == values["energy_pointing"] == 1
    # One of 200 pixels, which becomes 4 of 800.
    assert values["sparsity"] == pytest.approx(1 - 1 / 200)


def test_peers_bug_a_constant_map_does_not_win_the_pointing_game():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        values = measure(explained(constant(0.6)), truth_box=(0, 0, 16, 11))
    assert values["pointing"] == values["energy_pointing"] == values["sparsity"] == 0


def test_peers_bug_iou_75_is_not_computed_at_50(explanation):
    one = dataclasses.replace(
        explanation,
        insertion_class=[0.99, 0.9, 0.4, 0.3, 0.2],
        insertion_iou=[0.4, 0.6, 0.8, 0.9, 0.96],
    )
    settings = MetricSettings(highest_ious=(0.5, 0.75, 0.95))
    values = measure(one, settings=settings)
    assert values["highest_score_50"] == 0.9
    assert values["highest_score_75"] == 0.4
    assert values["highest_score_95"] == 0.2
    assert all(find_metric(name).higher_is_better for name in values if "highest" in name)


def test_peers_bug_success_uses_its_own_thresholds(explanation):
    one = dataclasses.replace(
        explanation, insertion_class=[0, 0.9, 0.3, 0, 0], insertion_iou=[0, 0.6, 0.8, 0, 0]
    )
    limits = ((0.35, 0.5), (0.35, 0.75), (0.25, 0.75), (0.95, 0.5), (0.9, 0.5))
    values = measure(one, settings=MetricSettings(success=limits))
    assert {name: value for name, value in values.items() if "success" in name} == {
        "success_35at50": 1,
        "success_35at75": 0,
        "success_25at75": 1,
        "success_95at50": 0,
        "success_90at50": 0,
    }
    assert find_metric("success_25at75").head == "Success > 0.25, IoU > 0.75"


def test_peers_bug_class_and_iou_are_those_of_one_box_not_separate_maxima():
    def answer(keep):
        # On the target 0.3; off it, with a lower product, 0.5.
        return np.array([TARGET.box, OFF_TARGET]), np.array([[0, 0.3, 0], [0, 0.5, 0]])

    values = measure(explained(answer))
    assert values["insertion"] == pytest.approx(0.3)
    assert values["insertion_class"] == values["deletion_class"] == pytest.approx(0.3)
    assert values["insertion_iou"] == values["deletion_iou"] == pytest.approx(1)
    assert values["highest_score_50"] == pytest.approx(0.3)


def test_peers_bug_the_point_at_0_and_the_area_axis(explanation):
    full = dataclasses.replace(explanation, insertion=np.ones(5), deletion=np.ones(5))
    assert measure(full)["insertion"] == 1
    assert measure(full)["insertion_normalised"] == 1
    one = dataclasses.replace(explanation, insertion=[0, 1, 1, 1, 1], areas=[0, 0.7, 0.8, 0.9, 1.0])
    assert measure(one)["insertion"] == pytest.approx(0.65)
    assert measure(one)["sufficient_area"] == pytest.approx(0.7)


def test_interpolated_steps_are_no_highest_score_and_no_smallest_set(explanation):
    one = dataclasses.replace(
        explanation,
        insertion=[0, 0.9, 0.2, 1, 1],
        insertion_class=[0, 0.9, 0.2, 0.5, 0.4],
        insertion_iou=np.ones(5),
        deletion=[1, 0, 0.1, 0, 0],
        measured=[True, False, True, True, True],
    )
    values = measure(one)
    assert values["highest_score_50"] == 0.5
    assert values["sufficient_area"] == 0.75
    assert values["necessary_area"] == 0.5


def test_what_cannot_be_measured(explanation):
    with pytest.raises(InputError, match="image's size"):
        measure(explanation, mask=np.ones((3, 3), bool))
    with pytest.raises(InputError, match="shape"):
        measure(explanation, fidelity=(np.zeros((5, 3), bool), np.zeros(5)))
    broken = dataclasses.replace(explanation, insertion_iou=[0, 0, np.nan, 0, 0])
    with pytest.raises(InputError, match="not finite: insertion_iou"):
        measure(broken)


def share_above(function, **settings):
    return Metric("toy", "Toy", "of a test", function, higher_is_better=True, **settings)


def test_a_metric_that_is_added_is_measured_and_one_that_does_not_apply_is_not(
    explanation, monkeypatch
):
    monkeypatch.setitem(METRICS, "toy", share_above(lambda one: np.float32(one.mask.mean())))
    values = measure(explanation, mask=np.eye(20, 40, dtype=bool))
    assert list(values)[-1] == "toy"
    assert values["toy"] == pytest.approx(1 / 40)
    assert type(values["toy"]) is float
    monkeypatch.setitem(METRICS, "toy", share_above(lambda one: None))
    assert "toy" not in measure(explanation)


@pytest.mark.parametrize("value", [-0.01, 1.01])
def test_a_value_outside_the_range_of_its_metric_is_an_error(explanation, monkeypatch, value):
    monkeypatch.setitem(METRICS, "toy", share_above(lambda one: value))
    with pytest.raises(InputError, match=f"toy is {value}, outside its range of 0 to 1"):
        measure(explanation)
    wide = share_above(lambda one: value, range=(-math.inf, math.inf))
    monkeypatch.setitem(METRICS, "toy", wide)
    assert measure(explanation)["toy"] == value


def test_rounding_may_leave_the_range(explanation, monkeypatch):
    monkeypatch.setitem(METRICS, "toy", share_above(lambda one: 1 + 1e-9))
    assert measure(explanation)["toy"] == 1 + 1e-9


def test_a_metric_under_another_name_than_its_own_is_an_error(explanation, monkeypatch):
    monkeypatch.setitem(METRICS, "tyo", share_above(lambda one: 0.5))
    with pytest.raises(InputError, match="'toy' under 'tyo'"):
        measure(explanation)

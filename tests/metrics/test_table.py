import math

import pytest

from vps.metrics import METRICS


def test_names_and_directions():
    assert list(METRICS) == [
        "insertion",
        "deletion",
        "insertion_minus_deletion",
        "insertion_class",
        "deletion_class",
        "insertion_iou",
        "deletion_iou",
        "insertion_normalised",
        "deletion_normalised",
        "highest_score_50",
        "highest_score_75",
        "success_35at50",
        "pointing",
        "energy_pointing",
        "energy_pointing_mask",
        "mu_fidelity",
        "sparsity",
        "sufficient_area",
        "necessary_area",
        "repaired",
        "repaired_all_fills",
        "repaired_beside",
        "repaired_0",
        "repaired_5",
        "repaired_10",
        "repaired_20",
        "repair_area",
        "repair_auc",
        "repair_passes",
        "passes",
        "seconds",
    ]
    lower = {name for name, metric in METRICS.items() if metric.higher_is_better is False}
    of_deletion = {name for name in METRICS if name.startswith("deletion")}
    assert of_deletion <= lower
    assert lower - of_deletion == {
        "sufficient_area",
        "necessary_area",
        "repair_passes",
        "passes",
        "seconds",
    }


@pytest.mark.parametrize("name", METRICS)
def test_each_can_be_shown(name):
    metric = METRICS[name]
    assert metric.name == name
    assert metric.head
    assert metric.title
    assert metric.definition
    assert not metric.definition.endswith(".")
    assert format(-1234.5678, f"+{metric.format}").startswith("-1")
    assert len({other.title for other in METRICS.values()}) == len(METRICS)


def test_ranges_hold_what_a_metric_can_be():
    others = {name: metric.range for name, metric in METRICS.items() if metric.range != (0, 1)}
    unbounded = {"insertion_normalised", "deletion_normalised"}
    unbounded |= {"repair_passes", "passes", "seconds"}
    signed = dict.fromkeys(("insertion_minus_deletion", "mu_fidelity"), (-1, 1))
    assert others == {**signed, **dict.fromkeys(unbounded, (0, math.inf))}


def test_the_tables_have_what_is_cited_of_a_study():
    def shown(*tables):
        return [name for name, metric in METRICS.items() if metric.tables in tables]

    assert shown("every") == [
        "insertion",
        "deletion",
        "insertion_minus_deletion",
        "highest_score_50",
        "success_35at50",
        "pointing",
        "energy_pointing",
    ]
    assert shown("main") == ["insertion_class", "deletion_class", "passes"]
    assert shown("repairs") == [name for name in METRICS if "repair" in name]
    costs = [name for name, metric in METRICS.items() if metric.cost]
    assert costs == ["repair_passes", "passes", "seconds"]
    assert all(METRICS[name].higher_is_better is False for name in costs)

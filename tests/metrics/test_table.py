import pytest

from vps.errors import InputError
from vps.metrics import METRICS, find_metric, highest_score_name


def test_names_and_directions():
    assert list(METRICS) == [
        "insertion",
        "deletion",
        "insertion_class",
        "deletion_class",
        "insertion_iou",
        "deletion_iou",
        "insertion_normalised",
        "deletion_normalised",
        "highest_score_50",
        "highest_score_75",
        "success",
        "pointing",
        "energy_pointing",
        "energy_pointing_mask",
        "mu_fidelity",
        "sparsity",
        "sufficient_area",
        "necessary_area",
        "passes",
        "seconds",
    ]
    lower = {name for name, metric in METRICS.items() if metric.higher_is_better is False}
    assert {name for name in METRICS if "deletion" in name} <= lower
    assert lower - {name for name in METRICS if "deletion" in name} == {
        "sufficient_area",
        "necessary_area",
        "passes",
        "seconds",
    }


@pytest.mark.parametrize("name", METRICS)
def test_each_can_be_shown(name):
    metric = METRICS[name]
    assert metric.title
    assert metric.definition
    assert not metric.definition.endswith(".")
    assert format(-1234.5678, f"+{metric.format}").startswith("-1")
    assert len({other.title for other in METRICS.values()}) == len(METRICS)


@pytest.mark.parametrize(("threshold", "percent"), [(0.5, "50"), (0.55, "55"), (0.625, "62.5")])
def test_the_highest_score_has_its_threshold_in_its_name(threshold, percent):
    assert highest_score_name(threshold) == f"highest_score_{percent}"
    assert find_metric(f"highest_score_{percent}").title == f"Highest score, IoU > {threshold:g}"


def test_unknown_metrics():
    assert find_metric("insertion") is METRICS["insertion"]
    with pytest.raises(InputError, match="did you mean 'deletion'"):
        find_metric("delettion")
    with pytest.raises(InputError, match="in percent"):
        find_metric("highest_score_x")

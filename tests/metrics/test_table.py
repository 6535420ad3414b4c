import pytest

from vps.errors import InputError
from vps.metrics import METRICS, find_metric, highest_score_name, repaired_name


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
        "repaired",
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
    assert {name for name in METRICS if "deletion" in name} <= lower
    assert lower - {name for name in METRICS if "deletion" in name} == {
        "sufficient_area",
        "necessary_area",
        "repair_passes",
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


@pytest.mark.parametrize(
    ("share", "percent"), [(0, "0"), (0.05, "5"), (0.07, "7"), (0.125, "12.5")]
)
def test_the_repair_rate_has_its_share_of_the_image_in_its_name(share, percent):
    assert repaired_name(share) == f"repaired_{percent}"
    title = f"hiding at most {percent} %" if share else "hiding nothing"
    assert find_metric(f"repaired_{percent}").title == f"Repaired, {title}"


def test_unknown_metrics():
    assert find_metric("insertion") is METRICS["insertion"]
    with pytest.raises(InputError, match="did you mean 'deletion'"):
        find_metric("delettion")
    for name, wanted in (("highest_score_x", "an IoU threshold"), ("repaired_x", "a share")):
        with pytest.raises(InputError, match=f"{wanted} .*in percent"):
            find_metric(name)

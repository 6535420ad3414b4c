import pytest

from vps.errors import InputError
from vps.metrics import (
    METRICS,
    Measured,
    find_metric,
    highest_score_name,
    repaired_name,
    success_name,
)
from vps.metrics.lookup import family_number, metrics_asked
from vps.metrics.settings import MetricSettings


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


@pytest.mark.parametrize(("limits", "end"), [((0.35, 0.5), "35at50"), ((0.025, 0), "2.5at0")])
def test_the_success_rate_has_its_score_and_iou_in_its_name(limits, end):
    assert success_name(limits) == f"success_{end}"
    score, iou = limits
    assert find_metric(f"success_{end}").title == f"Success rate, score > {score:g}, IoU > {iou:g}"


def test_unknown_metrics():
    assert find_metric("insertion") is METRICS["insertion"]
    with pytest.raises(InputError, match="did you mean 'deletion'"):
        find_metric("delettion")
    for name, wanted in (
        ("highest_score_x", "an IoU threshold"),
        ("repaired_x", "a share"),
        ("success_35", "a score and an IoU"),
        ("success_35at50at70", "a score and an IoU"),
    ):
        with pytest.raises(InputError, match=f"{wanted} .*in percent"):
            find_metric(name)


@pytest.mark.parametrize(
    ("name", "number", "head"),
    [
        ("highest_score_50", 50, "Highest"),
        ("highest_score_62.5", 62.5, "Highest score, IoU > 0.625"),
        ("repaired_0", 0, "\u2264 0 %"),
        ("repaired_12.5", 12.5, "\u2264 12.5 %"),
    ],
)
def test_members_of_a_family_are_found_by_their_number(name, number, head):
    metric = find_metric(name)
    assert (metric.name, metric.head) == (name, head)
    assert family_number(name) == number


def test_the_settings_say_which_of_a_family_are_asked(explanation):
    settings = MetricSettings(highest_ious=(0.9, 0.5))
    one = Measured(explanation, repair_shares=(0.025,), settings=settings)
    names = list(metrics_asked(one))
    place = names.index("deletion_normalised")
    assert names[place + 1 : place + 4] == [
        "highest_score_90",
        "highest_score_50",
        "success_35at50",
    ]
    place = names.index("repaired_beside")
    assert names[place + 1 : place + 4] == ["repaired_0", "repaired_2.5", "repair_area"]
    assert list(metrics_asked(Measured(explanation))) == list(METRICS)
    without = Measured(explanation, settings=MetricSettings(highest_ious=()))
    assert not [name for name in metrics_asked(without) if "highest" in name]

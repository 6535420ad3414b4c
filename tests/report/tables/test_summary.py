import dataclasses
import json

import numpy as np
import pytest

from tests.helpers.study_rows import study_rows
from vps.errors import InputError
from vps.metrics.aggregate import mean_interval
from vps.report.tables.rows import ReportSettings
from vps.report.tables.summary import split, summarise

SETTINGS = ReportSettings(draws=50)


@pytest.fixture(scope="module")
def rows():
    return study_rows() + study_rows(4, "lvis")


@pytest.fixture(scope="module")
def summary(rows):
    return summarise(rows, name="study", failed=2, missing=3, skipped=1, settings=SETTINGS)


def test_means_are_those_of_the_rows_with_intervals_over_images(rows, summary):
    own = [row for row in rows if row["dataset"] == "coco" and row["method"] == "drise"]
    values = [row["metrics"]["insertion"] for row in own]
    cell = summary["datasets"]["coco"]["methods"]["drise"]["all"]["metrics"]["insertion"]
    expected = mean_interval(values, [row["image_id"] for row in own], draws=50)
    assert cell == dataclasses.asdict(expected)
    assert cell["mean"] == pytest.approx(np.mean(values))


def test_groups_hold_each_case_once(summary):
    numbers = summary["datasets"]["coco"]
    assert numbers["cases"] == 12
    for own in numbers["methods"].values():
        for grouping in ("kind", "size", "class"):
            assert sum(group["n"] for group in own[grouping].values()) == own["all"]["n"] == 12
        # The label of no case has a frequency.
        assert own["frequency"] == {}
    assert list(numbers["methods"]["vps"]["size"]) == ["small", "medium", "large"]


def test_cases_without_a_value_do_not_count(summary):
    own = summary["datasets"]["coco"]["methods"]["vps"]
    assert own["all"]["metrics"]["pointing"]["n"] == 9
    assert "pointing" not in own["kind"]["missed"]["metrics"]


def test_comparisons_pair_the_cases(rows, summary):
    paired = summary["datasets"]["coco"]["paired"]
    assert paired["reference"] == "vps"
    assert set(paired["methods"]) == {"drise", "random"}
    value = {
        (row["image_id"], row["case"], row["method"]): row["metrics"]["deletion"]
        for row in rows
        if row["dataset"] == "coco"
    }
    differences = [value[i, c, "drise"] - v for (i, c, m), v in value.items() if m == "vps"]
    cell = paired["methods"]["drise"]["all"]["metrics"]["deletion"]
    assert cell["difference"] == pytest.approx(np.mean(differences))
    # Deletion is better low.
    assert cell["wins"] == sum(difference < 0 for difference in differences)
    assert cell["wins"] + cell["ties"] + cell["losses"] == cell["n"] == 12


def test_only_cases_that_both_methods_have_are_compared(rows):
    fewer = [row for row in rows if row["method"] != "drise" or row["image_id"] < 103]
    summary = summarise(fewer, name="study", settings=SETTINGS)
    assert summary["datasets"]["coco"]["paired"]["methods"]["drise"]["all"]["n"] == 6


def test_a_reference_that_a_data_set_lacks_is_compared_with_nothing(rows):
    fewer = [row for row in rows if row["dataset"] == "coco" or row["method"] != "vps"]
    summary = summarise(fewer, name="study", settings=SETTINGS)
    assert summary["datasets"]["lvis"]["paired"]["methods"] == {}


def test_counts_are_of_results(summary):
    assert summary["counts"] == {
        "planned": 54,
        "done": 48,
        "failed": 2,
        "missing": 3,
        "skipped": 1,
    }


def test_it_is_json_without_nan(summary):
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary


def test_kinds_come_in_the_order_of_tide(rows):
    assert list(split(rows, "kind")) == ["correct", "classification", "background", "missed"]


def test_no_rows_and_unknown_references_are_errors(rows):
    with pytest.raises(InputError, match="no results"):
        summarise([], name="study")
    with pytest.raises(InputError, match="did you mean 'drise'"):
        summarise(rows, name="study", settings=ReportSettings(reference="drize"))

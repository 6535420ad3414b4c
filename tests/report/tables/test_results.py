import math

import numpy as np
import pytest

from tests.helpers.study_rows import study_rows
from vps.engine.curve_values import auc
from vps.report.tables.results import GRID, by_case, results_of


def test_columns_hold_what_the_rows_say():
    rows = study_rows(8) + study_rows(4, "lvis")
    results = results_of(iter(rows))
    assert len(results) == len(rows)
    assert results.values("method") == ["vps", "drise", "random"]
    assert results.metric_names == ["insertion", "deletion", "success_35at50", "pointing", "passes"]
    for name in ("dataset", "image_id", "case", "kind", "label", "method", "score", "digest"):
        assert results.facts[name].tolist() == [row[name] for row in rows]
    assert results.pictures() == [row["picture"] for row in rows]
    values = results.metrics["pointing"].tolist()
    for row, value in zip(rows, values, strict=True):
        assert value == pytest.approx(row["metrics"]["pointing"], nan_ok=True)


def test_what_does_not_apply_or_is_infinite_has_no_value():
    rows = study_rows(4, methods=("vps",))
    rows[0]["metrics"]["insertion"] = math.inf
    del rows[1]["metrics"]["insertion"]
    rows[3]["metrics"]["zeal"] = 2.0
    metrics = results_of(rows).metrics
    assert metrics["insertion"].isna().tolist() == [True, True, False, False]
    assert metrics["zeal"].isna().tolist() == [True, True, True, False]
    missed = results_of(rows).where(kind="missed")
    assert "pointing" not in missed.metric_names


def test_curves_are_summed_over_the_cases_of_an_image():
    rows = study_rows(6)
    curves = results_of(rows).curves["coco", "drise"]
    own = [row["curves"] for row in rows if row["method"] == "drise"]
    assert curves.sizes.tolist() == [2, 2, 2]
    expected = [np.interp(GRID, one["areas"], one["deletion"]) for one in own[:2]]
    assert curves.sums[0, 1] == pytest.approx(sum(expected), abs=1e-6)
    areas = [auc(np.array(one["areas"]), np.array(one["insertion"])) for one in own]
    assert curves.areas[0] == pytest.approx(np.mean(areas))


def test_cases_are_found_whatever_the_order_of_the_rows():
    rows = sorted(study_rows(5), key=lambda row: row["method"])
    results = results_of(rows)
    cases = [case for some in by_case(results, at_once=2) for case in some]
    assert [len(case) for case in cases] == [3] * 5
    for case in cases:
        keys = {(rows[place]["image_id"], rows[place]["case"]) for place in case}
        assert len(keys) == 1

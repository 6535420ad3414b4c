import math

import pytest

from tests.helpers.study_rows import study_rows
from vps.errors import InputError
from vps.report.tables.rows import ReportSettings, methods_of, metrics_of, value_of


def test_metrics_come_in_the_order_of_tables_and_only_if_some_row_has_a_value():
    rows = study_rows(4)
    assert metrics_of(rows) == ["insertion", "deletion", "success", "pointing", "passes"]
    missed = [row for row in rows if row["kind"] == "missed"]
    assert "pointing" not in metrics_of(missed)


def test_what_does_not_apply_has_no_value():
    row = {"metrics": {"pointing": math.nan, "insertion": 0.5}}
    assert value_of(row, "pointing") is None
    assert value_of(row, "deletion") is None
    assert value_of(row, "insertion") == 0.5


def test_methods_keep_their_order():
    assert methods_of(study_rows(2)) == ["vps", "drise", "random"]


@pytest.mark.parametrize("wrong", [{"draws": 0}, {"level": 0.0}, {"level": 1.0}])
def test_settings_are_checked(wrong):
    with pytest.raises(InputError):
        ReportSettings(**wrong)

import pytest

from tests.report.study_rows import study_rows
from vps.report.rows import ReportSettings
from vps.report.summary import summarise
from vps.report.tables import counted, overall, tables_of


def summary_of(rows):
    return summarise(rows, name="study", settings=ReportSettings(draws=20))


@pytest.fixture(scope="module")
def summary():
    return summary_of(study_rows())


def test_each_data_set_has_its_tables():
    summary = summary_of(study_rows() + study_rows(1, "lvis", ("vps",)))
    titles = [table.title for table in tables_of(summary)]
    assert titles[0] == "coco: 12 cases (Pointing: 9)"
    assert titles[1].startswith("coco by kind: 3 correct, 3 classification")
    assert titles[2].startswith("coco: difference from vps on the same 12 cases")
    # One kind and one method: there is nothing more to tell.
    assert titles[3:] == ["lvis: 1 cases"]


def test_columns_without_values_are_left_out(summary):
    table = tables_of(summary)[0]
    assert table.columns == ("insertion", "deletion", "success", "pointing", "passes")


def test_the_best_is_the_better_side_and_costs_are_no_merit(summary):
    table = tables_of(summary)[0]
    for column, better in ((0, max), (1, min)):
        means = [row[column]["mean"] for row in table.cells]
        assert {row for row, c in table.best if c == column} == {means.index(better(means))}
    # All methods have the same success, and passes are no merit.
    assert {column for _, column in table.best} <= {0, 1, 3}


def test_kinds_have_a_best_of_their_own(summary):
    table = tables_of(summary)[1]
    best = {table.names[row][0] for row, column in table.best if column == 0}
    assert best == {"correct", "classification", "background", "missed"}


def test_methods_with_fewer_cases_are_named():
    rows = [row for row in study_rows() if row["method"] != "drise" or row["image_id"] < 103]
    numbers = summary_of(rows)["datasets"]["coco"]
    assert overall("coco", numbers).title == "coco: 12 cases (drise: 6, Pointing: 9)"


def test_counts_name_what_is_not_there():
    counts = {"planned": 9, "done": 6, "failed": 2, "missing": 0, "skipped": 1}
    assert counted(counts) == "6 of 9 results, 2 failed, 1 skipped"

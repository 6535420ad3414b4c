import numpy as np
import pytest

from tests.helpers.study_rows import repair_rows, study_rows
from vps.report.tables.rows import ReportSettings
from vps.report.tables.summary import summarise
from vps.report.tables.tables import arrow, counted, head, overall, tables_of


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


def test_titles_say_how_many_masks_a_method_drew(summary):
    told = {**summary, "masks": {"drise": 1000}}
    for table, usual in zip(tables_of(told), tables_of(summary), strict=True):
        assert table.title == f"{usual.title}; drise: 1,000 masks"


def test_columns_without_values_are_left_out(summary):
    table = tables_of(summary)[0]
    assert table.columns == ("insertion", "deletion", "success_35at50", "pointing", "passes")


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


def test_repairs_have_a_table_of_all_failures_and_of_each_kind():
    rows = repair_rows()
    table = next(table for table in tables_of(summary_of(rows)) if "repaired" in table.columns)
    assert table.title.endswith("hidden: 3 classification, 3 background, 3 missed")
    assert table.columns == (
        "repair_auc",
        "repaired",
        "repaired_all_fills",
        "repaired_beside",
        "repair_passes",
        "repaired_0",
        "repaired_5",
        "repaired_10",
        "repaired_20",
        "repair_area",
    )
    assert "look at the other kinds first" in table.note
    assert table.names[:4] == (
        ("all", "vps"),
        ("all", "drise"),
        ("all", "random"),
        ("classification", "vps"),
    )
    # Six of nine failures are repaired; of those that are not, there is no area.
    vps = dict(zip(table.columns, table.cells[0], strict=True))
    own = [row["metrics"] for row in rows if row["method"] == "vps"]
    areas = [metrics["repair_area"] for metrics in own if "repair_area" in metrics]
    assert (vps["repaired"]["n"], vps["repaired"]["mean"]) == (9, pytest.approx(6 / 9))
    assert (vps["repair_area"]["n"], vps["repair_area"]["mean"]) == (
        6,
        pytest.approx(np.mean(areas)),
    )
    assert vps["repair_auc"]["mean"] == pytest.approx(sum(1 - area for area in areas) / 9)
    assert {table.columns[column] for _, column in table.best} <= {
        "repaired_5",
        "repaired_10",
        "repaired_20",
        "repaired_beside",
        "repair_auc",
    }


def test_repairs_of_one_kind_need_no_rows_for_all():
    rows = [row for row in repair_rows() if row["kind"] == "missed"]
    table = tables_of(summary_of(rows))[1]
    assert {kind for kind, _ in table.names} == {"missed"}


def test_shares_of_the_users_choice_are_columns_too():
    rows = repair_rows()
    for row in rows:
        if "repaired" in row["metrics"]:
            row["metrics"] |= {"repaired_15": 0.5, "repaired_2.5": 0.5}
    table = next(table for table in tables_of(summary_of(rows)) if "repaired" in table.columns)
    heads = [head(name) + arrow(name) for name in table.columns]
    assert heads[:4] == ["AUC \u2191", "Repaired \u2191", "All fills \u2191", "Beside \u2191"]
    assert heads[4:] == [
        "Repair passes \u2193",
        "\u2264 0 %",
        *(f"\u2264 {share} % \u2191" for share in ("2.5", "5", "10", "15", "20")),
        "Area",
    ]

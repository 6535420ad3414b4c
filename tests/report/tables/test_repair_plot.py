import numpy as np
import pytest

from tests.helpers.study_rows import METHODS, repair_rows, study_rows
from vps.metrics.repair import repair_rate
from vps.report.tables.repair_plot import draw_repairs
from vps.report.tables.rows import ReportSettings

SETTINGS = ReportSettings(draws=50)


def test_lines_are_the_repair_rates():
    rows = repair_rows(16)
    figure = draw_repairs(rows, METHODS, SETTINGS)
    failures = [row for row in rows if row["kind"] != "correct" and row["method"] == "drise"]
    areas = [row["metrics"].get("repair_area", np.nan) for row in failures]
    line = figure.axes[0].lines[1]
    assert line.get_label() == "drise"
    assert line.get_drawstyle() == "steps-post"
    x, y = line.get_data()
    assert y == pytest.approx(100 * repair_rate(areas, x / 100))
    assert (x[0], x[-1]) == (0, 100)


def test_each_kind_has_a_panel_beside_that_of_all():
    figure = draw_repairs(repair_rows(), METHODS, SETTINGS)
    titles = [axes.get_title("left") for axes in figure.axes if axes.lines]
    assert titles == [
        "all, n = 9",
        "classification, n = 3",
        "background, n = 3",
        "missed, n = 3",
    ]


def test_one_kind_stands_alone():
    rows = [row for row in repair_rows() if row["kind"] == "missed"]
    figure = draw_repairs(rows, METHODS, SETTINGS)
    assert [axes.get_title("left") for axes in figure.axes] == ["missed, n = 3"]


def test_without_repairs_there_is_no_plot():
    assert draw_repairs(study_rows(), METHODS, SETTINGS) is None


def test_a_method_that_repairs_nothing_has_a_line_at_zero():
    rows = repair_rows()
    for row in rows:
        if row["method"] == "random":
            row["metrics"].pop("repair_area", None)
    line = draw_repairs(rows, METHODS, SETTINGS).axes[0].lines[2]
    assert line.get_ydata() == pytest.approx([0, 0])

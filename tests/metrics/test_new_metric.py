"""A metric that is added to METRICS shows itself in all that a study writes."""

from __future__ import annotations

import dataclasses
import io
import json
import re
from pathlib import Path

import pandas as pd
import pytest

from tests.helpers.studies import LOADER, study
from tests.helpers.study_rows import repair_rows
from vps.metrics import METRICS, Measured, Metric
from vps.metrics.aggregate import mean_interval
from vps.report.tables.rows import ReportSettings
from vps.report.tables.summary import summarise
from vps.report.tables.table_text import cases_csv, latex, markdown, print_table
from vps.report.tables.tables import tables_of
from vps.study.run import run
from vps.study.study import report_study


def half_area(one: Measured) -> float:
    return float((one.heatmap >= 0.5).mean())


TOY = Metric(
    "half_area",
    "Area above one half",
    "share of the image where the map is at least 0.5",
    half_area,
    higher_is_better=False,
    short="Half",
    format=".2%",
)


@pytest.fixture
def toy(monkeypatch):
    monkeypatch.setitem(METRICS, "half_area", TOY)


def table_after(text: str, title: str) -> list[list[str]]:
    """The cells of the Markdown table whose title begins so, its head first."""
    lines = text[text.index(f"**{title}") :].split("\n\n")[1].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_a_study_measures_it_and_reports_it(tmp_path, toy):
    config, lists = study(tmp_path, 2)
    run(config, lists, loader=LOADER)
    out = Path(config.out)
    config.save(out / "config.yaml")
    (out / "lists").mkdir()
    lists["drawn"].save(out / "lists" / "drawn.json")
    report_study([out])
    rows = [json.loads(path.read_text()) for path in sorted(out.rglob("*.row.json"))]
    assert len(rows) == 12
    assert all(0 < row["metrics"]["half_area"] < 1 for row in rows)

    cases = pd.read_csv(out / "cases.csv")
    key = ["image_id", "case", "method"]
    known = {tuple(row[name] for name in key): row["metrics"]["half_area"] for row in rows}
    assert cases.set_index(key)["half_area"].to_dict() == pytest.approx(known)

    own = [row for row in rows if row["method"] == "box"]
    interval = mean_interval(
        [row["metrics"]["half_area"] for row in own], [row["image_id"] for row in own]
    )
    mean, low, high = (f"{value:.2%}" for value in (interval.mean, interval.low, interval.high))
    head, _, *lines = table_after((out / "table.md").read_text(), "drawn: 4 cases")
    assert head[-1] == "Half \u2193"
    assert {line[0]: line[-1] for line in lines}["box"] == f"{mean} [{low}, {high}]"

    page = (out / "index.html").read_text()
    assert f'title="{TOY.definition}">Half \u2193</th>' in page
    assert mean in page
    assert f"<small>[{low}, {high}]</small>" in page
    data = json.loads(re.search(r'id="data">(.*?)</script>', page, re.S).group(1))
    assert data["metrics"][-1] == ["half_area", "Area above one half", "Half", 2, True]
    about = json.loads((out / "summary.json").read_text())["metrics"]["half_area"]
    assert about["higher_is_better"] is False


def rows_with_toy():
    rows = repair_rows()
    for row in rows:
        row["metrics"]["half_area"] = {"vps": 0.1, "drise": 0.2, "random": 0.3}[row["method"]]
    return rows


def summary_with_toy():
    return summarise(rows_with_toy(), name="study", settings=ReportSettings(draws=20))


def test_it_is_compared_and_the_better_side_wins(toy):
    summary = summary_with_toy()
    cell = summary["datasets"]["coco"]["paired"]["methods"]["drise"]["all"]["metrics"]["half_area"]
    assert (cell["wins"], cell["losses"]) == (0, 12)
    tables = [table for table in tables_of(summary) if "half_area" in table.columns]
    assert len(tables) == 3
    for table in tables[:2]:
        column = table.columns.index("half_area")
        assert {table.names[row][-1] for row, c in table.best if c == column} == {"vps"}
    text = markdown(summary)
    assert table_after(text, "coco: difference")[2][-1].startswith("+10.00% [")
    assert r"Half $\downarrow$" in latex(summary)
    assert max(map(len, print_table(summary).splitlines())) <= 100


@pytest.mark.parametrize(
    ("changes", "heads"),
    [
        ({"tables": "every"}, ["Half \u2193"] * 3),
        ({"tables": "main"}, ["Half \u2193"]),
        ({"tables": "repairs"}, ["Half \u2193"]),
        ({"tables": "none"}, []),
        # Where neither side is better, there is nothing to win.
        ({"higher_is_better": None}, ["Half"] * 2),
        ({"higher_is_better": True, "short": ""}, ["Area above one half \u2191"] * 3),
    ],
)
def test_it_says_to_which_tables_it_belongs(monkeypatch, changes, heads):
    monkeypatch.setitem(METRICS, "half_area", dataclasses.replace(TOY, **changes))
    text = markdown(summary_with_toy())
    found = re.findall(r"\| +((?:Half|Area above)[^|]*?) +(?=\|)", text)
    assert found == heads
    assert "half_area" in pd.read_csv(io.BytesIO(b"".join(cases_csv(rows_with_toy())))).columns


def test_the_table_of_repairs_ends_with_it(monkeypatch):
    monkeypatch.setitem(METRICS, "half_area", dataclasses.replace(TOY, tables="repairs"))
    table = next(one for one in tables_of(summary_with_toy()) if "repaired" in one.columns)
    assert table.columns[:3] == ("repair_auc", "repaired", "repaired_all_fills")
    assert table.columns[-2:] == ("repair_area", "half_area")

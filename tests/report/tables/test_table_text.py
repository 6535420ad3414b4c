import io
import re

import pandas as pd
import pytest

from tests.helpers.study_rows import repair_rows, study_rows
from vps.report.tables.rows import ReportSettings
from vps.report.tables.summary import summarise
from vps.report.tables.table_text import cases_csv, latex, markdown, print_table


@pytest.fixture(scope="module")
def summary():
    rows = study_rows() + study_rows(4, "lvis_5%")
    return summarise(rows, name="study", failed=1, settings=ReportSettings(draws=20))


def cell_of(summary, method, metric):
    return summary["datasets"]["coco"]["methods"][method]["all"]["metrics"][metric]


def test_markdown_shows_means_with_intervals(summary):
    text = markdown(summary)
    cell = cell_of(summary, "drise", "insertion")
    row = next(line for line in text.splitlines() if line.startswith("| drise"))
    assert f" {cell['mean']:.3f} [{cell['low']:.3f}, {cell['high']:.3f}] |" in row
    assert "48 of 49 results, 1 failed" in text
    assert "95% intervals" in text


def test_latex_has_booktabs_and_the_best_in_bold(summary):
    text = latex(summary)
    tables = text.count(r"\begin{table}")
    for rule in ("toprule", "midrule", "bottomrule", r"end{tabular}", r"end{table}"):
        assert text.count(f"\\{rule.lstrip(chr(92))}") == tables
    assert "hline" not in text
    cell = cell_of(summary, "vps", "insertion")
    half = f"{(cell['high'] - cell['low']) / 2:.3f}"[1:]
    assert rf"$\mathbf{{{cell['mean']:.3f}}}_{{\pm {half}}}$" in text
    assert "$5{,}000_{" in text


def test_latex_escapes_names(summary):
    text = latex(summary)
    assert r"lvis\_5\%: 4 cases" in text
    assert not re.search(r"(?<!\\)%(?! Needs)", text)


def test_differences_have_a_sign_and_a_record(summary):
    cell = summary["datasets"]["coco"]["paired"]["methods"]["random"]["all"]["metrics"]["insertion"]
    shown = f"{cell['difference']:+.3f} [{cell['low']:.3f}, {cell['high']:.3f}]"
    assert f"{shown} ({cell['wins']}/{cell['ties']}/{cell['losses']})" in markdown(summary)


def test_the_terminal_has_a_hundred_columns(summary):
    text = print_table(summary)
    assert max(map(len, text.splitlines())) <= 100
    assert f"{cell_of(summary, 'vps', 'insertion')['mean']:.3f} \u00b1" in text
    long = study_rows(4)
    for row in long:
        row["method"] = f"a method with a very long name: {row['method']}"
    text = print_table(summarise(long, name="study", settings=ReportSettings(draws=5)))
    assert max(map(len, text.splitlines())) <= 100
    assert "Ins." in text


def test_the_csv_has_a_row_for_each_case_and_method():
    rows = study_rows(4)
    rows[0]["warnings"] = ["one, with a comma", "two"]
    table = pd.read_csv(io.BytesIO(b"".join(cases_csv(rows))))
    assert len(table) == 12
    assert table["insertion"].tolist() == [row["metrics"]["insertion"] for row in rows]
    assert table["pointing"].isna().tolist() == [row["kind"] == "missed" for row in rows]
    assert table["warnings"][0] == "one, with a comma; two"
    assert table[["x1", "y1", "x2", "y2"]].iloc[0].tolist() == [1, 2, 30, 40]


def test_repairs_are_in_all_texts():
    rows = repair_rows()
    summary = summarise(rows, name="study", settings=ReportSettings(draws=20))
    assert "\u2264 5 % \u2191 |" in markdown(summary)
    assert "look at the other kinds first" in markdown(summary)
    text = latex(summary)
    assert r"$\leq$ 5 \% $\uparrow$" in text
    assert not re.search(r"(?<!\\)%(?! Needs)", text)
    shown = print_table(summary)
    assert "Repaired \u2191" in shown
    assert "Repair passes \u2193" in shown
    assert max(map(len, shown.splitlines())) <= 100
    table = pd.read_csv(io.BytesIO(b"".join(cases_csv(rows))))
    assert "repair_area" in table.columns
    assert "repair" not in table.columns


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", " =", "\uff1d"])
def test_no_text_in_the_table_of_cases_is_a_formula(start):
    (row,) = study_rows(1, methods=("vps",))
    texts = ("image_name", "label", "predicted_label", "image_id", "dataset", "method", "picture")
    row |= dict.fromkeys(texts, start + "1+1") | {"warnings": [start + "1+1"]}
    row["box"] = [-1.0, 2.0, 30.0, 40.0]
    content = b"".join(cases_csv([row]))
    assert content.count(b"\n") == 2
    assert b"\r" not in content
    table = pd.read_csv(io.BytesIO(content), dtype=str)
    for name in (*texts, "warnings"):
        assert table[name][0].startswith("'")
        assert table[name][0][1:].strip() == (start + "1+1").strip()
    assert table["x1"][0] == "-1.0"
    assert table["kind"][0] == row["kind"]


def test_names_break_no_table_and_are_no_markup():
    rows = study_rows(dataset="a|b <img src=x> [c](d) `e` _f_ g_h\n# i")
    for row in rows:
        row["method"] = {"vps": "vps | *best*"}.get(row["method"], row["method"])
    settings = ReportSettings(draws=20)
    text = markdown(summarise(rows, name="<script> |\n# x", settings=settings))
    assert text.startswith("# \\<script> \\| # x\n")
    title = r"**a\|b \<img src=x> \[c\](d) \`e\` \_f\_ g_h # i: 12 cases"
    assert title in text
    assert r"| vps \| \*best\* " in text
    table = [line for line in text.split(title)[1].split("**")[1].splitlines() if line]
    assert len({line.replace(r"\|", "").count("|") for line in table}) == 1
    assert "\n# x" not in text

import json

import pytest

from tests.helpers.study_rows import study_rows
from vps.errors import InputError, OutputError
from vps.report.tables.study import ReportSettings, write_report

SETTINGS = ReportSettings(draws=5)
FAILURE = {"dataset": "coco", "image_id": 1, "case": "d1", "method": "vps", "error": "no memory"}


def test_all_files_are_written_and_the_table_is_returned(tmp_path):
    rows = study_rows(4)
    text = write_report(
        tmp_path,
        iter(rows),
        name="study",
        failed=[FAILURE],
        missing=2,
        skipped=1,
        settings=SETTINGS,
    )
    assert {path.name for path in tmp_path.iterdir()} == {
        "cases.csv",
        "index.html",
        "plots",
        "summary.json",
        "table.md",
        "table.tex",
    }
    assert len(list((tmp_path / "plots").iterdir())) == 8
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["counts"]["planned"] == 16
    assert "12 of 16 results, 1 failed, 2 missing, 1 skipped" in text
    assert str(tmp_path / "index.html") in text
    page = (tmp_path / "index.html").read_text()
    assert "no memory" in page
    assert 'src="plots/curves_coco.png"' in page


def test_the_same_rows_give_the_same_files(tmp_path):
    for name in ("a", "b"):
        write_report(tmp_path / name, study_rows(4), name="study", settings=SETTINGS)
    for path in (tmp_path / "a").rglob("*.*"):
        assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes()


def test_no_rows_are_an_error(tmp_path):
    with pytest.raises(InputError, match="no results"):
        write_report(tmp_path, [], name="study")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        write_report(tmp_path / "file", study_rows(2), name="study", settings=SETTINGS)


def test_what_of_the_data_was_not_used_is_on_the_page_and_in_the_numbers(tmp_path):
    remarks = {"mine": ["no box (3 annotations): <a>.json, annotation 1"]}
    write_report(tmp_path, study_rows(2), name="study", remarks=remarks, settings=SETTINGS)
    assert json.loads((tmp_path / "summary.json").read_text())["remarks"] == remarks
    page = (tmp_path / "index.html").read_text()
    assert "<li>mine: no box (3 annotations): &lt;a&gt;.json, annotation 1</li>" in page
    write_report(tmp_path, study_rows(2), name="study", settings=SETTINGS)
    assert "Not used of the data" not in (tmp_path / "index.html").read_text()


def test_tables_and_numbers_say_how_many_masks_were_drawn(tmp_path):
    masks = {"drise": 5000}
    text = write_report(tmp_path, study_rows(2), name="study", masks=masks, settings=SETTINGS)
    assert json.loads((tmp_path / "summary.json").read_text())["masks"] == masks
    for written in (text, *((tmp_path / f"table.{kind}").read_text() for kind in ("md", "tex"))):
        assert "drise: 5,000 masks" in written


def test_what_is_no_text_stops_no_report(tmp_path):
    """Names of files in another encoding, and lone surrogates of JSON."""
    rows = study_rows(4)
    for row in rows[:3]:
        row |= {"label": "\ud800", "image_name": "a\udce9.jpg", "image_id": "\udfff"}
        row["warnings"] = ["\udc80"]
    failure = {**FAILURE, "error": "\ud800 is missing"}
    write_report(tmp_path, rows, name="study", failed=[failure], settings=SETTINGS)
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert "\ud800" in summary["datasets"]["coco"]["methods"]["vps"]["class"]
    assert "a\\udce9.jpg" in (tmp_path / "cases.csv").read_text()
    assert "\\ud800 is missing" in (tmp_path / "index.html").read_text()

"""A study's results and detections for other tools."""

import json

import pandas
import pytest
from pycocotools.coco import COCO

from tests.helpers.studies import LOADER, study
from vps.cli import study as commands
from vps.cli.main import main
from vps.results.explanation import Explanation
from vps.study.case_table import CASE_COLUMNS
from vps.study.run import run


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    methods = {"vps": {"options": {"search": "leave_one_out"}}, "box": {}}
    config, lists = study(folder, 2, select={"score_threshold": 0.2}, methods=methods)
    run(config, lists, loader=LOADER)
    config.save(folder / "out" / "config.yaml")
    lists["drawn"].save(folder / "out" / "lists" / "drawn.json")
    return folder


@pytest.fixture(autouse=True)
def _loader(monkeypatch):
    monkeypatch.setattr(commands, "LOADER", LOADER)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_row_a_case_and_method_leads_to_its_explanation(made, form):
    if form == "parquet":
        pytest.importorskip("pyarrow")
    flags = ["--parquet"] if form == "parquet" else []
    out = made / "out"
    assert main(["export", str(out), "--no-detections", *flags]) == 0
    read = pandas.read_parquet if form == "parquet" else pandas.read_csv
    table = read(out / "export" / f"cases.{form}")
    assert len(table) == 2 * 2 * 2
    assert list(table.columns[: len(CASE_COLUMNS)]) == list(CASE_COLUMNS)
    row = table.iloc[0]
    explanation = Explanation.load(out / row["explanation"])
    assert explanation.target.label == row["label"]
    assert list(explanation.target.box) == [row[name] for name in ("x1", "y1", "x2", "y2")]
    assert explanation.insertion_auc == pytest.approx(row["insertion"])
    assert str(row["object_id"]) == "10"


def test_coco_reads_the_detections(made, capsys):
    assert main(["export", str(made / "out"), "--threshold", "0.2"]) == 0
    assert "drawn: 4 detections" in capsys.readouterr().out
    path = made / "out" / "export" / "detections_drawn.json"
    truth = COCO(str(made / "objects.json"))
    results = truth.loadRes(str(path))
    assert len(results.anns) == 4
    first = json.loads(path.read_text())[0]
    assert set(first) == {"image_id", "category_id", "bbox", "score"}
    assert first["category_id"] == 2  # dog
    assert first["bbox"] in ([2, 2, 10, 10], [16, 4, 12, 16])


def test_a_threshold_that_is_none(made, capsys):
    assert main(["export", str(made / "out"), "--threshold", "2"]) == 2
    assert "--threshold" in capsys.readouterr().err

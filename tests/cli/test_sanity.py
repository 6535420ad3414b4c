"""`vps sanity`, as its users call it."""

import csv

import pytest

from tests.helpers.studies import LOADER, config_of, draw
from vps.cli import study
from vps.cli.main import main


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.setattr(study, "LOADER", LOADER)
    draw(tmp_path, 2)
    methods = {"box": {}, "odam": {}}
    changes = {"select": {"score_threshold": 0.2}, "methods": methods}
    return config_of(tmp_path, **changes).save(tmp_path / "study.yaml")


def test_a_table_and_all_values(config, tmp_path, capsys):
    assert main(["sanity", str(config), "--quiet"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:3] == ["randomised", "inert", "other"]
    assert lines[1].startswith("box")
    assert "1.00 (1.00 to 1.00) passed" in lines[1]
    assert "4 of 4 cases failed: odam needs gradients" in lines[3]
    assert any(line.startswith("seeds: rank correlation") for line in lines)
    with (tmp_path / "out" / "sanity.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 8
    assert {row["seeds"] for row in rows if row["method"] == "box"} == {"1.0"}


def test_nothing_to_check(config, capsys):
    arguments = ["sanity", str(config), "--quiet", "--set", "select.kinds=[missed]"]
    assert main([*arguments, "--set", "select.score_threshold=0.02"]) == 2
    assert "error: " in capsys.readouterr().err

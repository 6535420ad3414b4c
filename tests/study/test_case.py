"""Repairs of the failures of a study."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.helpers.studies import BOXES, LOADER, BrightnessDetector, outcome, study
from vps.core.targets import Kind
from vps.engine.problem import make_problem
from vps.methods.control.box import BoxPrior
from vps.methods.search.vps import VPS
from vps.sets.goals import with_rival
from vps.study import case as measuring
from vps.study.case import NO_FAILURE, case_seed
from vps.study.plan import Task
from vps.study.repair import repair
from vps.study.run import run
from vps.study.study import report_study

# Hidden regions become white, and so the object brighter: enough of them, and it is found.
REPAIR = {"fill": [1.0, 1.0, 1.0], "repair": {"passes": 60, "threshold": 0.75, "areas": [0.25]}}


def rows(out):
    return [json.loads(path.read_text()) for path in sorted(Path(out).rglob("*.row.json"))]


def test_failures_have_repairs_in_their_rows_and_others_have_none(tmp_path):
    config, lists = study(tmp_path, 2, **REPAIR)
    assert run(config, lists, loader=LOADER).failed == 0
    for row in rows(config.out):
        metrics = row["metrics"]
        if row["kind"] == "correct":
            assert row["repair"] is None
            assert not any("repair" in name for name in metrics)
            continue
        found = row["repair"]
        assert metrics["repaired"] == 1
        assert metrics["repaired_0"] == 0
        assert metrics["repaired_25"] == float(found["area"] <= 0.25)
        assert (
            metrics["repair_area"]
            == found["area"]
            == pytest.approx(len(found["regions"]) / 6, abs=0.1)
        )
        assert metrics["repair_auc"] == 1 - found["area"]
        assert metrics["repair_passes"] <= 60
        assert found["score"] >= 0.75
    by_method = {
        row["method"]: row["repair"] for row in rows(config.out) if row["kind"] == "missed"
    }
    assert by_method["vps"]["exact"]
    assert by_method["vps"]["area"] <= by_method["box"]["area"]


def test_repairs_are_those_of_repair(tmp_path):
    config, lists = study(tmp_path, 1, **REPAIR)
    run(config, lists, loader=LOADER)
    task = Task("drawn", lists["drawn"].cases[1])
    question = make_problem(
        BrightnessDetector("brightness"),
        np.asarray(Image.open(tmp_path / "images" / "1.png")),
        with_rival(task.case.target),
        regions=6,
        region_method="grid",
        fill=(1.0, 1.0, 1.0),
    )
    for method, chosen in (
        ("vps", VPS("leave_one_out")),
        ("greedy", VPS("greedy")),
        ("box", BoxPrior()),
    ):
        expected = repair(question, chosen, passes=60, threshold=0.75, seed=case_seed(0, task))
        row = next(
            row for row in rows(config.out) if (row["case"], row["method"]) == ("a1", method)
        )
        assert row["repair"]["regions"] == list(expected.regions)
        assert row["metrics"]["repair_passes"] == expected.passes


def test_what_is_no_failure_is_warned_of(tmp_path):
    config, lists = study(tmp_path, 1, **{**REPAIR, "repair": {"passes": 60}})
    run(config, lists, loader=LOADER)
    for row in rows(config.out):
        missed = row["kind"] == "missed"
        assert (NO_FAILURE in row["warnings"]) == missed
        assert row["metrics"].get("repaired_0") == (1 if missed else None)


def test_an_interrupted_repair_is_not_kept(tmp_path, monkeypatch):
    config, lists = study(tmp_path, 1, **REPAIR)
    lists["drawn"] = dataclasses.replace(lists["drawn"], cases=lists["drawn"].cases[1:])

    def interrupted(*arguments, **settings):
        raise KeyboardInterrupt

    monkeypatch.setattr(measuring, "repair", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(config, lists, loader=LOADER)
    assert outcome(config.out) == {}


def test_a_failure_without_what_was_said_instead_has_an_error_record(tmp_path):
    config, lists = study(tmp_path, 1, **REPAIR)
    wrong = dataclasses.replace(lists["drawn"].cases[1], kind=Kind.CLASSIFICATION, box=BOXES[1])
    lists["drawn"] = dataclasses.replace(lists["drawn"], cases=(wrong,))
    assert run(config, lists, loader=LOADER).failed == 1
    error = json.loads(next(Path(config.out).rglob("*.error.json")).read_text())
    assert "what the detector said instead" in error["message"]


def test_repairs_do_not_depend_on_the_batches(tmp_path, tricks):
    config, lists = study(tmp_path, 1, **REPAIR)
    run(config, lists, loader=LOADER)
    tricks(memory=3)
    small, _ = study(tmp_path, 1, **REPAIR, out=str(tmp_path / "small"))
    run(small, lists, loader=LOADER)
    assert outcome(small.out) == outcome(config.out)


def test_the_report_shows_repairs(tmp_path):
    config, lists = study(tmp_path, 1, **REPAIR, run={"pictures": True})
    run(config, lists, loader=LOADER)
    config.save(Path(config.out) / "config.yaml")
    (Path(config.out) / "lists").mkdir()
    lists["drawn"].save(Path(config.out) / "lists" / "drawn.json")
    assert "drawn repairs" in report_study([config.out])
    assert (Path(config.out) / "plots" / "repairs_drawn.png").is_file()

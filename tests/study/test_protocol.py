"""Protocols by name: what they set, and that a config's own settings win."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.helpers.studies import LOADER, study
from vps.cli.settings import RunSettings
from vps.core.targets import Kind
from vps.errors import InputError
from vps.study.config import read_config
from vps.study.looks import list_path
from vps.study.protocol import explain_settings, with_protocol
from vps.study.run import run
from vps.study.study import report_study

SETS = {"coco": "coco", "lvis": "lvis", "refs": "refcoco", "own": "yolo"}


def config(tmp_path, overrides=(), detector="hf-grounding-dino:a/b", **content):
    datasets = {
        name: {"format": kind, "annotations": "a", "images": "i"} for name, kind in SETS.items()
    }
    whole = {"protocol": "vps-paper", "datasets": datasets, "detector": {"name": detector}}
    path = tmp_path / "one.yaml"
    path.write_text(yaml.safe_dump({**whole, **content}))
    return read_config(path, overrides)


@pytest.mark.parametrize(
    ("dataset", "correct", "wrong", "missed"),
    [("coco", 64, 100, 50), ("lvis", 50, 100, 100), ("refs", 64, 64, 64), ("own", 64, 100, 50)],
)
def test_regions_by_data_set_and_kind(tmp_path, dataset, correct, wrong, missed):
    found = config(tmp_path)
    counts = [
        found.region_count(dataset, kind)
        for kind in (Kind.CORRECT, Kind.CLASSIFICATION, Kind.MISSED)
    ]
    assert counts == [correct, wrong, missed]
    assert found.region_count("refs", Kind.GROUNDED_WRONG) == 64


@pytest.mark.parametrize(
    ("detector", "count", "fill"),
    [
        ("hf-florence-2:a/b", 50, "mean"),
        ("demo-florence-2", 50, "mean"),
        ("mmdet:rtmdet.py", 64, "black"),
        ("mmdet:grounding_dino.py", 64, "black"),
    ],
)
def test_some_detectors_have_their_own(tmp_path, detector, count, fill):
    found = config(tmp_path, detector=detector)
    assert {found.region_count(name, kind) for name in SETS for kind in Kind} == {count}
    assert found.fill == fill


def test_rules_and_methods_are_the_papers(tmp_path):
    found = config(tmp_path)
    # 0 after the model's normalisation, where it gets BGR.
    assert (found.fill, found.mode, found.lambdas) == ((0.406, 0.456, 0.485), "object", (1.0, 1.0))
    assert (found.regions.method, found.regions.numbering) == ("opencv-slico", "distance")
    assert found.detector.options == {"channels": "bgr"}
    rise, d_hsic = found.method("rise"), config(tmp_path, methods={"d-hsic": None}).method("d-hsic")
    assert (rise.masks, rise.grid, rise.similarity) == (5000, 16, "score")
    assert (d_hsic.masks, d_hsic.grid, d_hsic.similarity) == (1000, 16, "score")
    assert found.select.target == "truth"
    metrics = found.metrics
    assert (metrics.map_rule, metrics.pointing_rule) == ("vps-paper", "vps-paper")
    assert metrics.map_replay == "pixel-steps"
    assert metrics.success == ((0.35, 0.5), (0.25, 0.5))
    assert found.method("vps").search == "greedy"
    assert found.method("drise").masks == 1000
    assert "random" not in found.methods


def test_all_tokens_of_a_phrase_score_where_each_is_asked_for_by_itself(tmp_path):
    phrases = {"refs": {"format": "refcoco-tsv", "annotations": "a", "images": "i"}}
    found = config(tmp_path, datasets=phrases)
    assert found.detector.options == {"channels": "bgr", "phrase": "caption"}


def test_what_a_config_sets_wins(tmp_path):
    found = config(
        tmp_path,
        ["methods.vps.options.search=top_k", "methods.mine.method=drise"],
        fill="black",
        metrics={"map_rule": None, "fidelity_subsets": 8},
        methods={"vps": None, "few": {"method": "drise", "options": {"masks": 9}}},
        regions={"count": {"missed": 7, "other": 9}},
    )
    assert found.fill == "black"
    assert (found.metrics.map_rule, found.metrics.pointing_rule) == (None, "vps-paper")
    assert found.metrics.fidelity_subsets == 8
    assert found.method("vps").search == "top_k"
    # An entry of another name has what its method has.
    assert (found.method("few").masks, found.method("mine").masks) == (9, 1000)
    assert found.region_count("coco", Kind.MISSED) == 7
    assert found.region_count("lvis", Kind.CORRECT) == 9


def test_an_entry_may_bear_the_name_of_another_method(tmp_path):
    found = config(tmp_path, methods={"drise": {"method": "random"}, "vps": {"method": "lima"}})
    assert [one.method for one in found.methods.values()] == ["random", "lima"]


def test_overrides_of_one_method_leave_the_others_of_the_protocol(tmp_path):
    given = ["methods.drise.options.masks=5"]
    assert [*config(tmp_path, given).methods] == ["vps", "drise", "rise"]
    assert config(tmp_path, given).method("drise").masks == 5
    assert "random" in config(tmp_path, ["protocol=null", *given]).methods


def test_the_saved_config_shows_all_and_reads_back_equal(tmp_path):
    found = config(tmp_path, ["regions.method=grid"])
    path = found.save(tmp_path / "saved.yaml")
    saved = yaml.safe_load(path.read_text())
    assert saved["protocol"] == "vps-paper"
    assert saved["datasets"]["coco"]["regions"]["missed"] == 50
    assert saved["metrics"]["success"] == [[0.35, 0.5], [0.25, 0.5]]
    assert read_config(path) == found


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["protocol=vps_paper"], "unknown protocol 'vps_paper', did you mean 'vps-paper'"),
        (["protocol=[1]"], "unknown protocol"),
        (["datasets.coco.regions={correct: 9}"], "has no number for classification.*'other'"),
        (["datasets.coco.regions={korrect: 9, other: 8}"], "did you mean 'correct'"),
        (["datasets.coco.regions=0"], "regions must be at least 1"),
        (["regions.count={other: 0}"], "count.other must be at least 1"),
        (["datasets=3"], "datasets must hold keys"),
        (["datasets.coco=3"], "datasets.coco must hold keys"),
        (["methods=[a]"], "methods must hold keys"),
        (["methods.vps=3"], "methods.vps must hold keys"),
        (["metrics=3"], "metrics must hold keys"),
        (["detector=3"], "detector must hold keys"),
        (["detector.name=3"], "detector.name must be text"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, overrides, message):
    with pytest.raises(InputError, match=message):
        config(tmp_path, overrides)


def test_without_a_protocol_nothing_is_added():
    content = {"datasets": {}, "fill": "blur"}
    assert with_protocol(content) == content
    assert with_protocol({**content, "protocol": None}) == {**content, "protocol": None}


@pytest.mark.parametrize(
    ("kind", "detector", "regions", "fill"),
    [
        (Kind.CORRECT, "demo-grounding-dino", 64, [0.406, 0.456, 0.485]),
        (Kind.CLASSIFICATION, "groundingdino:a", 100, [0.406, 0.456, 0.485]),
        (Kind.MISSED, "onnx:a.yaml", 50, "mean"),
        (Kind.MISSED, "mmdet:a.py", 64, "black"),
        (Kind.CORRECT, "hf-florence-2:a", 50, "mean"),
    ],
)
def test_by_hand_the_kind_of_question_decides(kind, detector, regions, fill):
    found = explain_settings(
        "vps-paper", detector=detector, kind=kind, method="vps", searched=False
    )
    assert (found["regions"], found["fill"]) == (regions, fill)
    assert found["method_options"] == {"search": "greedy"}


def test_by_hand_what_is_given_wins():
    def settings(given=(), **own):
        run = RunSettings(regions=9, batch_size=8, **own)
        return run.by_protocol("vps-paper", detector="demo", kind=Kind.MISSED, given=given)

    assert settings().regions == 50
    assert settings(["regions"]).regions == 9
    assert settings(["fill"], fill="blur").fill == "blur"
    assert settings().method().search == "greedy"
    assert settings(["effort"], effort="fast").method().effort == "fast"
    assert settings(["search"], search="top_k").method().search == "top_k"
    drise = {"method_name": "drise"}
    assert settings(**drise).method().masks == 1000
    assert settings(**drise, method_options=["masks=7"]).method().masks == 7
    assert settings().problem()["map_rule"] == "vps-paper"
    assert settings().problem()["map_replay"] == "pixel-steps"


def test_a_study_judges_maps_by_pixels_and_says_so(tmp_path):
    """Rows, tables and comparisons of a study in which methods are judged in two ways."""
    config, lists = study(
        tmp_path,
        3,
        metrics={"map_replay": "pixel-steps", "map_rule": "vps-paper", "fidelity_subsets": 16},
        methods={
            "vps": {},
            "box": {},
            "greedy": {"method": "vps", "options": {"search": "greedy"}},
            "drise": {"options": {"masks": 8}},
        },
    )
    assert run(config, lists, loader=LOADER).failed == 0
    config.save(Path(config.out) / "config.yaml")
    for name, cases in lists.items():
        cases.save(list_path(config, name))
    text = report_study([config.out])
    out = Path(config.out)
    rows = [json.loads(path.read_text()) for path in out.rglob("*.row.json")]
    judged = {row["method"]: (row["replay"], len(row["curves"]["areas"])) for row in rows}
    pixels, regions = ("49 pixel steps, black", 50), ("regions, mean", 7)
    assert judged == {"vps": regions, "greedy": regions, "box": pixels, "drise": pixels}
    # Subsets are of regions, however a map is judged.
    assert any("mu_fidelity" in row["metrics"] for row in rows if row["method"] == "drise")
    numbers = json.loads((out / "summary.json").read_text())["datasets"]["drawn"]
    assert numbers["methods"]["drise"]["replay"] == pixels[0]
    # Only what is judged in the same way is compared.
    assert [*numbers["paired"]["methods"]] == ["greedy"]
    assert numbers["ranks"] is None
    table = (out / "table.md").read_text()
    for written in (text, table, (out / "cases.csv").read_text(), (out / "table.tex").read_text()):
        assert pixels[0] in written
    assert "Rows of different replays cannot be compared" in table
    for written in (table, (out / "index.html").read_text()):
        assert "Map rule vps-paper, pointing rule vps." in written

"""A study from config to report, resumed, sharded and merged."""

from __future__ import annotations

import csv
import dataclasses
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.helpers.studies import BOXES, LOADER, TRICKS, calls_of, config_of, draw
from vps.cli.main import main
from vps.data.cases.cases import CaseList
from vps.errors import DetectorError, InputError, MissingExtraError
from vps.results.explanation import Explanation
from vps.study.config import StudyConfig
from vps.study.inputs import draw_scenes
from vps.study.lists import find_lists, read_list
from vps.study.looks import list_path
from vps.study.sections import MethodConfig, RegionsConfig, RunConfig, ScenesConfig
from vps.study.study import report_study, run_study, select


@pytest.fixture
def config(tmp_path) -> StudyConfig:
    draw(tmp_path, 3)
    return config_of(tmp_path, select={"score_threshold": 0.2, "per_image": 1})


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "cases.csv").open() as file:
        return list(csv.DictReader(file))


def errors(folder: Path) -> list[dict[str, str]]:
    return [json.loads(path.read_text()) for path in folder.rglob("*.error.json")]


def run_quietly(config: StudyConfig, **settings) -> int:
    return run_study(config, LOADER, quiet=True, **settings)


def test_a_study_selects_explains_and_reports(config, capsys):
    out = Path(config.out)
    assert run_quietly(config) == 0
    assert {(row["kind"], row["method"]) for row in rows(out)} == {
        ("correct", method) for method in ("vps", "greedy", "box")
    }
    assert len(rows(out)) == 3 * 3  # an object an image, three methods
    assert "vps" in capsys.readouterr().out
    for name in ("config.yaml", "summary.json", "table.md", "table.tex", "index.html"):
        assert (out / name).is_file()


def test_regions_of_a_folder_and_near_to_the_box(config, tmp_path):
    maps = tmp_path / "maps"
    maps.mkdir()
    for number in (1, 2):
        tiles = np.arange(12).reshape(3, 4).repeat(8, axis=0).repeat(8, axis=1)
        np.save(maps / f"{number}.npy", tiles + 5 * number)
    regions = RegionsConfig(file=str(maps), numbering="distance")
    config = dataclasses.replace(config, regions=regions)
    assert run_quietly(config) == 1  # image 3 has none
    found = [Explanation.load(path) for path in Path(config.out).rglob("box-*.npz")]
    assert sorted(one.region_method for one in found) == ["file:1.npy", "file:2.npy"]
    for one in found:
        x1, y1, x2, y2 = one.target.box
        rows, columns = np.nonzero(one.label_map == 0)
        assert rows.min() <= (y1 + y2) / 2 <= rows.max() + 1
        assert columns.min() <= (x1 + x2) / 2 <= columns.max() + 1
    (reason,) = {one["message"] for one in errors(Path(config.out))}
    assert "image 3.png needs one label map" in reason
    assert config.absolute().regions.file == str(maps)


def test_regions_that_cannot_be_had_are_told_before_anything_is_looked_at(config, monkeypatch):
    gone = dataclasses.replace(config, regions=RegionsConfig(file="no/maps.npy"))
    with pytest.raises(InputError, match="maps.npy does not exist"):
        run_quietly(gone)
    monkeypatch.setitem(sys.modules, "cv2", None)
    lacking = dataclasses.replace(config, regions=RegionsConfig(method="opencv-slico"))
    with pytest.raises(MissingExtraError, match="opencv"):
        run_quietly(lacking)
    assert not (Path(config.out) / "cases").exists()


def test_tables_say_how_many_masks_the_methods_of_the_config_draw(config, capsys):
    methods = {
        "box": MethodConfig("box"),
        "few": MethodConfig("drise", {"masks": 9}),
        "more": MethodConfig("drise", {"masks": 18}),
    }
    run_quietly(dataclasses.replace(config, methods=methods))
    assert "; few: 9 masks; more: 18 masks" in capsys.readouterr().out


def test_the_selection_takes_no_more_threads_than_are_set(config, monkeypatch):
    taken = []
    monkeypatch.setattr(torch, "set_num_threads", taken.append)
    select(dataclasses.replace(config, run=RunConfig(threads=1)), LOADER, quiet=True)
    assert taken == [1]


def test_a_second_start_asks_the_detector_nothing(config, monkeypatch, tmp_path):
    run_quietly(config)
    monkeypatch.setenv(TRICKS, json.dumps({"log": str(tmp_path / "log")}))
    run_quietly(config)
    assert calls_of(tmp_path / "log") == []


def test_lists_are_made_again_when_what_they_depend_on_changes(config):
    first = find_lists(config, LOADER)["drawn"]
    assert read_list(config, "drawn") == first
    more = dataclasses.replace(config, select=dataclasses.replace(config.select, per_image=2))
    assert len(find_lists(more, LOADER)["drawn"].cases) == 2 * len(first.cases)


def test_shards_of_several_folders_make_one_report(config, tmp_path):
    whole, parts = tmp_path / "whole", [tmp_path / "one", tmp_path / "two"]
    run_quietly(dataclasses.replace(config, out=str(whole)))
    for number, part in enumerate(parts, start=1):
        run_quietly(dataclasses.replace(config, out=str(part)), shard=f"{number}/2")
        assert not (part / "index.html").exists()
    assert main(["report", *map(str, parts), "--out", str(tmp_path / "merged")]) == 0
    timed = {"seconds"}
    merged, alone = (
        [{key: value for key, value in row.items() if key not in timed} for row in rows(folder)]
        for folder in (tmp_path / "merged", whole)
    )
    assert merged == alone
    summary = json.loads((tmp_path / "merged" / "summary.json").read_text())
    assert summary["counts"]["missing"] == 0


def test_one_shard_alone_reports_what_is_missing(config):
    run_quietly(config, shard="1/3")
    report_study([config.out])
    counts = json.loads((Path(config.out) / "summary.json").read_text())["counts"]
    assert (counts["done"], counts["missing"]) == (3, 6)


def test_failures_are_counted_and_the_exit_status_says_so(config, monkeypatch, capsys):
    find_lists(config, LOADER)
    monkeypatch.setenv(TRICKS, json.dumps({"fail": 2}))
    assert run_quietly(config) == 1
    counts = json.loads((Path(config.out) / "summary.json").read_text())["counts"]
    assert (counts["done"], counts["failed"]) == (6, 3)
    assert "2 of 3 cases done, 1 failed" in capsys.readouterr().out


def test_the_lists_of_vps_serve_as_they_are(config, tmp_path):
    path = tmp_path / "vps_list.json"
    entry = {"file_name": "1.png", "category": "dog", "bbox": BOXES[0]}
    path.write_text(json.dumps({"case1": [entry]}))
    data = dataclasses.replace(config.datasets["drawn"], cases=str(path))
    config = dataclasses.replace(config, datasets={"drawn": data})
    assert run_quietly(config) == 0
    assert {row["case"] for row in rows(Path(config.out))} == {"l1"}
    # Joined to the data set, and kept as a list of ours.
    (case,) = CaseList.load(list_path(config, "drawn")).cases
    assert (case.image_id, case.object_id) == (1, 10)


@pytest.mark.parametrize("content", ["{", '{"cases": []}', "[3]"])
def test_what_is_no_list_is_refused(config, tmp_path, content):
    path = tmp_path / "list.json"
    path.write_text(content)
    data = dataclasses.replace(config.datasets["drawn"], cases=str(path))
    with pytest.raises(InputError, match="list"):
        find_lists(dataclasses.replace(config, datasets={"drawn": data}), LOADER)


def test_a_folder_without_a_study_is_told(tmp_path, capsys):
    assert main(["report", str(tmp_path)]) == 2
    assert "holds no study" in capsys.readouterr().err


def test_a_report_without_results_is_told(config):
    find_lists(config, LOADER)
    config.save(Path(config.out) / "config.yaml")
    with pytest.raises(InputError, match="no results to report"):
        report_study([config.out])


def test_scenes_are_drawn_once_and_others_are_refused(tmp_path):
    scenes = ScenesConfig(str(tmp_path / "scenes"), count=2)
    draw_scenes(scenes)
    image = next((tmp_path / "scenes" / "images" / "val").iterdir())
    before = image.stat().st_mtime_ns
    draw_scenes(scenes)
    assert image.stat().st_mtime_ns == before
    with pytest.raises(InputError, match="holds other scenes"):
        draw_scenes(dataclasses.replace(scenes, seed=8))


def test_other_annotations_or_images_under_the_same_settings_are_other_results(config, tmp_path):
    run_quietly(config)
    before = {path.name for path in Path(config.out).rglob("*.row.json")}
    annotations = tmp_path / "objects.json"
    annotations.write_text(annotations.read_text().replace("256.0", "255.0") + " ")
    run_quietly(config)
    after = {path.name for path in Path(config.out).rglob("*.row.json")}
    assert len(after) > len(before)
    (tmp_path / "dark").symlink_to(tmp_path / "images")
    data = dataclasses.replace(config.datasets["drawn"], images=str(tmp_path / "dark"))
    run_quietly(dataclasses.replace(config, datasets={"drawn": data}))
    assert len({path.name for path in Path(config.out).rglob("*.row.json")}) > len(after)


def test_folders_of_another_study_are_refused_by_the_report(config, tmp_path):
    run_quietly(config)
    other = dataclasses.replace(config, out=str(tmp_path / "2024"), seed=3)
    run_quietly(other)
    assert report_study([other.out])  # a name that YAML would take for a number
    with pytest.raises(InputError, match="2024 is of other settings"):
        report_study([config.out, other.out])
    with pytest.raises(InputError, match="nowhere holds no study"):
        report_study([config.out, tmp_path / "nowhere"])


def test_selection_halves_batches_that_do_not_fit(config, monkeypatch):
    monkeypatch.setenv(TRICKS, json.dumps({"memory": 1}))
    assert len(find_lists(config, LOADER)["drawn"].cases) == 3


def test_a_detector_that_cannot_be_loaded_is_told_by_its_name(config):
    broken = dataclasses.replace(config.detector, options={"broken": True})
    with pytest.raises(DetectorError, match="brightness cannot be loaded: no such weights"):
        find_lists(dataclasses.replace(config, detector=broken), LOADER)


def test_a_list_made_with_other_labels_is_refused(config, tmp_path):
    made = find_lists(config, LOADER)["drawn"]
    path = dataclasses.replace(made, labels=("person",)).save(tmp_path / "other.json")
    data = dataclasses.replace(config.datasets["drawn"], cases=str(path))
    with pytest.raises(InputError, match="selected with other labels"):
        run_quietly(dataclasses.replace(config, datasets={"drawn": data}))


def test_a_case_of_an_image_that_is_not_there_is_a_failure(config, tmp_path):
    made = find_lists(config, LOADER)["drawn"]
    cases = (*made.cases, dataclasses.replace(made.cases[0], image_id=99))
    path = dataclasses.replace(made, cases=cases).save(tmp_path / "other.json")
    data = dataclasses.replace(config.datasets["drawn"], cases=str(path))
    assert run_quietly(dataclasses.replace(config, datasets={"drawn": data})) == 1


def test_a_damaged_row_is_reported_as_missing_and_computed_again(config):
    run_quietly(config)
    out = Path(config.out)
    damaged = sorted(out.rglob("*.row.json"))[:2]
    whole = [json.loads(path.read_text()) for path in damaged]
    for path, name in zip(damaged, ("metrics", "curves"), strict=True):
        path.write_text(json.dumps({**json.loads(path.read_text()), name: None}))
    assert "7 of 9 results, 2 missing" in report_study([config.out])
    assert run_quietly(config) == 0
    assert len(rows(out)) == 9
    for path, before in zip(damaged, whole, strict=True):
        again = json.loads(path.read_text())
        assert again["curves"] == before["curves"]


def test_a_list_with_a_bad_value_is_refused_before_anything_is_explained(config, capsys):
    lists = find_lists(config, LOADER)
    path = Path(config.out) / "lists" / "drawn.json"
    record = json.loads(path.read_text())
    record["cases"][1]["score"] = float("nan")
    path.write_text(json.dumps(record))
    with pytest.raises(InputError, match=r"drawn.json.*case 2.score must be a finite number"):
        run_quietly(config)
    assert lists["drawn"].cases
    assert not (Path(config.out) / "cases").exists()

"""A dry run finds out what a study would do, without a pass."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from tests.helpers.studies import BOXES, LOADER, calls_of, config_of, draw
from vps.cli.main import main
from vps.study.dry_run import dry_run
from vps.study.lists import find_lists
from vps.study.run import run
from vps.study.sections import ScenesConfig

METHODS = {"vps": {"options": {"search": "greedy"}}, "drise": {"options": {"masks": 20}}}


@pytest.fixture
def config(tmp_path, tricks):
    draw(tmp_path, 3)
    tricks(log=tmp_path / "log")
    return config_of(tmp_path, methods=METHODS, select={"score_threshold": 0.2})


def listed(config, folder, *entries, **changes):
    (folder / "list.json").write_text(json.dumps(entries))
    data = dataclasses.replace(config.datasets["drawn"], cases=str(folder / "list.json"), **changes)
    return dataclasses.replace(config, datasets={"drawn": data})


def entry(number, label="dog", box=BOXES[0]):
    return {"file_name": f"{number}.png", "category": label, "bbox": list(box)}


def test_cases_passes_and_cost_are_told_without_a_pass(config, tmp_path):
    given = listed(config, tmp_path, entry(1), entry(2), section="case3")
    found = dry_run(given, LOADER)
    assert found.exit_code == 0
    assert not calls_of(tmp_path / "log")
    assert not Path(config.out).exists()
    text = found.text()
    assert "drawn: 3 images, 2 labels" in text
    assert "drawn: 2 cases (2 missed)" in text
    # Six regions: greedy takes 6 x 7, masks 20 and the whole image, curves 2 x 6.
    assert [line.split() for line in text.splitlines() if line.startswith("  ")][1:] == [
        ["vps", "42", "0", "84"],
        ["drise", "21", "12", "66"],
        ["mu-fidelity", "8", "0", "16"],
    ]
    assert "166 passes for 2 cases" in text


def test_no_more_passes_are_made_than_told(config, tmp_path):
    given = listed(config, tmp_path, entry(1), entry(2))
    told = int(dry_run(given, LOADER).text().split(" passes for")[0].splitlines()[-1])
    lists = find_lists(given, LOADER)
    run(given, lists, loader=LOADER)
    made = sum(batch for _, batch in calls_of(tmp_path / "log"))
    assert told / 2 < made <= told


def test_cases_that_are_still_to_be_selected(config, tmp_path):
    text = dry_run(config, LOADER).text()
    assert "still to be selected, by a pass for each of 3 images" in text
    assert "known once the cases are: vps select" in text
    find_lists(config, LOADER)
    assert "cases (6 correct)" in dry_run(config, LOADER).text()
    scenes = ScenesConfig(str(tmp_path / "nowhere"), count=4)
    found = dry_run(dataclasses.replace(config, scenes=scenes), LOADER)
    assert (found.exit_code, found.lines[0]) == (0, "4 scenes are still to be drawn: vps select")


def test_passes_are_told_by_the_kind_of_a_list_whose_data_set_is_not_there(config, tmp_path):
    kept = config.datasets["drawn"]
    gone = dataclasses.replace(kept, annotations=str(tmp_path / "no"), cases="no", section="case2")
    counts = {"correct": 4, "classification": 9, "missed": 6, "other": 5}
    settings = dataclasses.replace(config.regions, count=counts)
    two = dataclasses.replace(config, regions=settings, datasets={"drawn": kept, "gone": gone})
    # Of the first, any kind may still be selected.
    assert "at about 4 or 5 or 6 or 9 regions" in dry_run(two, LOADER).text()
    one = dataclasses.replace(two, datasets={"gone": gone})
    assert "at about 9 regions" in dry_run(one, LOADER).text()
    # Of cases that are known and others that are not, both are told.
    known = listed(two, tmp_path, entry(1), section="case3").datasets["drawn"]
    both = dataclasses.replace(two, datasets={"known": known, "gone": gone})
    assert "at about 6 or 9 regions" in dry_run(both, LOADER).text()


def test_repairs_are_counted_for_failures_alone(config, tmp_path):
    repair = dataclasses.replace(config.repair, passes=100, threshold=0.3)
    given = dataclasses.replace(listed(config, tmp_path, entry(1), section="case3"), repair=repair)
    assert "283 passes for 1 cases" in dry_run(given, LOADER).text()


def test_all_problems_are_told_at_once(config, tmp_path):
    found = dry_run(listed(config, tmp_path, entry(1), entry(9), entry(2, "cow")), LOADER)
    assert found.exit_code == 0  # those are left out, and it says so
    assert "image that the data set does not have (1 entry)" in found.text()
    methods = config_of(tmp_path, methods={"odam": {}}).methods
    broken = dataclasses.replace(listed(config, tmp_path, entry(9)), methods=methods)
    found = dry_run(broken, LOADER)
    assert found.exit_code == 1
    assert len(found.problems) == 2
    assert "drawn, cases: no case of" in found.problems[0]
    assert "method odam needs gradients, feature layers, which brightness has not" in found.text()
    (tmp_path / "objects.json").unlink()
    assert "PROBLEM drawn: annotation file" in dry_run(broken, LOADER).text()


def test_cases_of_ours_are_held_against_data_set_and_detector(config, tmp_path):
    made = find_lists(config, LOADER)["drawn"]
    first = made.cases[0]
    cases = (
        dataclasses.replace(first, image_id=99, key="x1"),
        dataclasses.replace(first, object_id=99, key="x2"),
        dataclasses.replace(first, label="cow", key="x3"),
        dataclasses.replace(first, box=(100, 100, 120, 120), key="x4"),
        *made.cases,
    )
    path = dataclasses.replace(made, cases=cases).save(tmp_path / "ours.json")
    data = dataclasses.replace(config.datasets["drawn"], cases=str(path))
    found = dry_run(dataclasses.replace(config, datasets={"drawn": data}), LOADER)
    assert len(found.problems) == 4
    assert "has no image 99" in found.problems[0]
    assert "no annotation 99" in found.problems[1]
    assert "does not know 'cow'" in found.problems[2]
    assert "and 1 more of its cases" in found.problems[3]


def test_the_command_line_says_the_same(config, tmp_path, capsys):
    path = config.save(tmp_path / "small.yaml")
    # Its detector is none of those that the command knows.
    assert main(["study", str(path), "--dry-run"]) == 1
    printed = capsys.readouterr().out
    assert "PROBLEM drawn, detector: unknown detector 'brightness'" in printed
    assert printed.endswith("1 problem; no pass was made\n")

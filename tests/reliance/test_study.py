"""From a study's results to facts, tables and the page."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as mask_utils

from tests.helpers.studies import BOXES, LOADER, SIZE, study
from vps.cli import study as commands
from vps.cli.main import main
from vps.data.dataset import Annotation, Dataset, ImageEntry
from vps.engine.curves import prefixes
from vps.reliance.facts import fact_passes, scenery_of
from vps.reliance.study import CaseReader, chosen_method
from vps.results.explanation import Explanation
from vps.study.run import run
from vps.study.store import Store, facts_of

FIRST = np.zeros(SIZE, bool)
FIRST[2:12, 2:12] = True


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Six images with two dogs each, the first of which is a case, and was explained."""
    folder = tmp_path_factory.mktemp("study")
    config, lists = study(folder, 6, select={"score_threshold": 0.2})
    run(config, lists, loader=LOADER)
    config.save(folder / "out" / "config.yaml")
    for name, cases in lists.items():
        cases.save(folder / "out" / "lists" / f"{name}.json")
    return config, lists


def reader(made, **changes):
    config, lists = made
    return CaseReader(config, lists, "vps", LOADER, "cpu", **{"share": 1.0, **changes})


def test_facts_are_what_the_detector_says_by_hand(made):
    config, lists = made
    records = list(reader(made).records())
    assert len(records) == 12
    record = records[0]
    facts = record.facts
    explanation = Explanation.load(Store(config, facts_of(lists)).path(record.task, "vps"))
    # The score is the brightness of the box, of which the annotated triangle is half.
    image = np.asarray(Image.open(Path(config.datasets["drawn"].images) / "1.png")) / 255
    polygon = [[2, 2, 12, 2, 12, 12]]
    mask = mask_utils.decode(mask_utils.frPyObjects(polygon, *SIZE)[0]).astype(bool)
    fill = np.array([0.485, 0.456, 0.406])
    for shown, said in ((mask, facts.alone), (~mask, facts.around)):
        expected = np.where(shown[..., None], image, fill)[2:12, 2:12].mean()
        assert said == pytest.approx(expected, abs=1e-6)
    assert facts.score == pytest.approx(image[2:12, 2:12].mean(), abs=1e-6)
    assert facts.alone_found
    assert facts.around_found
    assert list(facts.others) == ["dog"]
    other = facts.others["dog"]
    assert other.hidden == pytest.approx(facts.score)  # They do not touch.
    assert 1 <= len(other.elsewhere) <= 4
    assert facts.passes == 3 + len(other.elsewhere)
    shown = explanation.order[: explanation.smallest_sufficient()]
    share = prefixes(explanation.order)[len(shown)][explanation.label_map].mean()
    assert facts.sufficient_area == pytest.approx(share)


def test_evidence_adds_up(made):
    for record in reader(made).records():
        facts = record.facts
        assert facts.own + facts.rest + facts.others["dog"].share == pytest.approx(1)
        assert 0 <= facts.box <= 1
        assert facts.distance >= 0


def test_facts_are_kept_and_made_anew_for_other_settings(made, tricks, tmp_path):
    list(reader(made).records())
    tricks(log=tmp_path / "log")
    again = list(reader(made).records())
    assert not (tmp_path / "log").exists()
    fewer = list(reader(made, share=0.0).records())
    assert (tmp_path / "log").exists()
    assert {record.facts.passes for record in fewer} == {2}
    assert {record.facts.others["dog"].hidden for record in fewer} == {None}
    assert [record.facts.own for record in fewer] == [record.facts.own for record in again]


def test_a_case_that_fails_says_why_and_the_others_go_on(made, tricks):
    config, _ = made
    tricks(fail=2)
    records = list(reader(made, share=0.5).records())
    failed = [record for record in records if record.facts is None]
    assert [record.task.case.image_id for record in failed] == [2, 2]
    assert "too much for me" in failed[0].error


def test_the_command_writes_tables_and_a_page(made, monkeypatch, capsys):
    config, _ = made
    monkeypatch.setattr(commands, "LOADER", LOADER)
    assert main(["reliance", config.out, "--quiet", "--passes", "1"]) == 0
    printed = capsys.readouterr().out
    assert "drawn: 6 correct detections" in printed
    assert "drawn: 1 pairs of classes, 0 of them" in printed
    assert "passes, " in printed
    folder = config.out
    with open(f"{folder}/reliance.csv") as file:
        (row,) = csv.DictReader(file)
    assert (row["label"], row["other"], row["cases"]) == ("dog", "dog", "6")
    with open(f"{folder}/reliance_cases.csv") as file:
        assert len(list(csv.DictReader(file))) == 12
    with open(f"{folder}/reliance.json") as file:
        content = json.load(file)
    (entry,) = content["datasets"]["drawn"]
    # Of so few regions, one holds a sliver of the one dog and a part of the other.
    assert entry["verdict"] == row["verdict"] == "evidence only"
    with open(f"{folder}/reliance.html") as file:
        page = file.read()
    assert "All 1 pairs of classes" in page
    assert 'src="plots/reliance_drawn.png" width=' in page


def test_what_cannot_be_read_is_told(made, tmp_path, capsys, monkeypatch):
    config, _ = made
    monkeypatch.setattr(commands, "LOADER", LOADER)
    assert main(["reliance", str(tmp_path), "--quiet"]) == 2
    assert "holds no study" in capsys.readouterr().err
    assert main(["reliance", config.out, "--method", "vsp"]) == 2
    assert "method of the study" in capsys.readouterr().err
    assert main(["reliance", config.out, "--passes", "2", "--quiet"]) == 2
    assert "must lie in [0, 1]" in capsys.readouterr().err
    assert chosen_method(config, None) == "vps"


def test_a_study_without_results(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(commands, "LOADER", LOADER)
    config, lists = study(tmp_path, 2)
    config.save(tmp_path / "out" / "config.yaml")
    lists["drawn"].save(tmp_path / "out" / "lists" / "drawn.json")
    assert main(["reliance", config.out, "--quiet"]) == 2
    assert "run `vps study` first" in capsys.readouterr().err


class _Grey:
    name = "grey.png"

    def read(self):
        return np.full((*SIZE, 3), 100, np.uint8)


def sample_of(*annotations):
    return Dataset("grey", [ImageEntry(1, _Grey(), annotations)], labels=("dog", "cat"))[0]


def test_scenery_leaves_out_crowds_and_the_object_itself():
    sample = sample_of(
        Annotation(1, "dog", BOXES[0], 100.0),
        Annotation(2, "cat", (8, 2, 20, 12), 100.0),
        Annotation(3, "cat", (0, 0, 32, 24), 100.0, True),
        Annotation(4, "dog", BOXES[0], 100.0),
    )
    scenery = scenery_of(sample, 1, (0, 0, 1, 1), SIZE, {"cat": "kitten"})
    assert not scenery.masked
    assert scenery.box == BOXES[0]
    assert np.array_equal(scenery.surroundings.own, FIRST)
    # A dog where the dog itself is covers nothing else.
    assert list(scenery.surroundings.others) == ["kitten"]
    mask = scenery.surroundings.others["kitten"]
    assert mask.sum() == 10 * 8
    assert not (mask & FIRST).any()


def test_scenery_of_a_box_on_nothing_and_of_an_image_without_annotations():
    scenery = scenery_of(sample_of(), None, BOXES[0], SIZE, {})
    assert np.array_equal(scenery.surroundings.own, FIRST)
    assert scenery.surroundings.others == {}


@pytest.mark.parametrize(("spent", "share", "most"), [(300, 0.1, 30), (5, 0.1, 2), (0, 0.5, 2)])
def test_passes_allowed(spent, share, most):
    assert fact_passes(spent, share) == most

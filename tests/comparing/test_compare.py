"""Two detectors, of which one needs a cue that the other does not."""

import csv
import json

import numpy as np
import pytest
import torch
import yaml

import detectors
from tests.helpers.studies import BOXES, LABELS, draw
from vps.cli import study as commands
from vps.cli.main import main
from vps.comparing.changes import Change, ObjectChange
from vps.comparing.data_set import compare_studies
from vps.comparing.explained import in_turns
from vps.comparing.maps import MapSettings, Moved, moved_evidence
from vps.comparing.outcomes import Fate, ObjectOutcome
from vps.comparing.report import PICTURES, write_comparison
from vps.core.candidates import Candidates
from vps.study.config import read_config

LOADER = "tests.comparing.test_compare:load"


class CueDetector:
    """Finds a dog in the first box where it is bright; the weak one only if the second box is
    dark. In the second box, both find one."""

    device = torch.device("cpu")
    labels = LABELS

    def __init__(self, name):
        self.name = name

    def prepare(self, image):
        return torch.from_numpy(image.astype(np.float32) / 255).permute(2, 0, 1)

    def detect(self, pixels, size):
        first, second = (
            pixels[:, :, int(y1) : int(y2), int(x1) : int(x2)].mean(dim=(1, 2, 3))
            for x1, y1, x2, y2 in BOXES
        )
        if self.name == "weak":
            first = first * (second < 0.5)
        dogs = torch.stack([first, second.clamp(min=0.4)], dim=1)
        scores = torch.stack([0.1 * dogs, dogs], dim=-1)
        return Candidates(torch.tensor(BOXES).expand(len(pixels), -1, -1), scores, self.labels)


def load(name, usual, *, device, dtype, **options):
    return CueDetector(name)


@pytest.fixture
def configs(tmp_path, monkeypatch):
    monkeypatch.setattr(commands, "LOADER", LOADER)
    draw(tmp_path, 3)
    for name in ("strong", "weak"):
        content = {
            "name": name,
            "datasets": {
                "drawn": {
                    "format": "coco",
                    "annotations": str(tmp_path / "objects.json"),
                    "images": str(tmp_path / "images"),
                }
            },
            "detector": {"name": name, "device": "cpu"},
        }
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(content))
    return [str(tmp_path / f"{name}.yaml") for name in ("strong", "weak")]


def test_what_the_weak_one_loses_and_the_hiding_that_brings_it_back(configs, tmp_path):
    out = tmp_path / "out"
    settings = MapSettings(regions=12, passes=30)
    first, second = (read_config(path) for path in configs)
    (found,) = compare_studies(first, second, LOADER, out / PICTURES, most=1, settings=settings)
    assert [one.change for one in found.changes] == [Change.LOST, Change.SAME] * 3
    (told,) = found.explained
    # What has to be hidden lies in the second box, and nothing of it in the first.
    answer = told.maps.answer
    assert told.maps.failing == "B"
    hidden = np.isin(answer.explanation.label_map, answer.repair.regions)
    x1, y1, x2, y2 = map(int, BOXES[1])
    assert hidden[y1:y2, x1:x2].sum() > 0.5 * hidden.sum()
    x1, y1, x2, y2 = map(int, BOXES[0])
    assert not hidden[y1:y2, x1:x2].any()
    assert (out / PICTURES / told.picture).is_file()
    assert set(told.maps.places) == {"the object", "dog", "the rest"}
    page = write_comparison(out, [found]).read_text()
    assert "dog, image 1" in page
    assert "2 changes more are in compare.csv" in page
    with (out / "compare.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["change"] for row in rows] == ["lost", "same"] * 3
    assert (rows[0]["fate_a"], rows[0]["fate_b"]) == ("found", "missed")
    assert rows[0]["hide"].split() == [str(region) for region in answer.repair.regions]
    assert rows[2]["picture"] == rows[2]["hide"] == ""
    content = json.loads((out / "compare.json").read_text())
    assert content["datasets"]["drawn"]["counts"][0]["count"] == 3


def test_the_command_says_how_many(configs, tmp_path, capsys):
    out = ["--out", str(tmp_path / "out"), "--explain", "0", "--quiet"]
    assert main(["compare", *configs, *out]) == 0
    printed = capsys.readouterr().out
    assert "drawn: strong (A) and weak (B)" in printed
    assert "6 objects compared, 3 the same of both" in printed
    assert "lost: 3 of 6 (50.0%): A finds it, B misses it; dog 3 of 6" in printed


def test_swapped_it_is_gained(configs, tmp_path, capsys):
    out = ["--out", str(tmp_path / "out"), "--explain", "0", "--quiet"]
    assert main(["compare", *reversed(configs), *out]) == 0
    assert "gained: 3 of 6" in capsys.readouterr().out


def test_one_image(configs, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(detectors, "load", lambda name, **_: CueDetector(name))
    image = str(tmp_path / "images" / "1.png")
    out = ["--out", str(tmp_path / "out"), "--passes", "30", "--regions", "12"]
    assert main(["compare", image, "--detector", "strong", "--detector", "weak", *out]) == 0
    printed = capsys.readouterr().out
    assert "2 objects compared, 1 the same of both" in printed
    assert "lost: 1 of 2" in printed
    assert "1 change explained" in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{image}"], "an image needs --detector twice, for A and B; got 0"),
        (["{image}", "--detector", "a", "--detector", "a"], "there is nothing to compare"),
        (["{image}", "{image}"], "takes two configs"),
        (["{a}", "{b}", "--detector", "a"], "--detector is of an image"),
        (["{a}", "{b}", "--explain", "-1"], "--explain must be"),
    ],
)
def test_what_cannot_be_compared(configs, tmp_path, capsys, monkeypatch, arguments, message):
    monkeypatch.setattr(detectors, "load", lambda name, **_: CueDetector(name))
    names = {"image": str(tmp_path / "images" / "1.png"), "a": configs[0], "b": configs[1]}
    given = [text.format(**names) for text in arguments]
    assert main(["compare", *given, "--out", str(tmp_path / "out"), "--quiet"]) == 2
    assert message in capsys.readouterr().err


def test_data_sets_that_are_not_the_same(configs, tmp_path, capsys):
    content = yaml.safe_load((tmp_path / "weak.yaml").read_text())
    content["datasets"]["drawn"]["annotations"] = "other.json"
    (tmp_path / "weak.yaml").write_text(yaml.safe_dump(content))
    assert main(["compare", *configs, "--quiet"]) == 2
    assert "data set drawn is another in both studies" in capsys.readouterr().err
    content["datasets"] = {"else": content["datasets"]["drawn"]}
    (tmp_path / "weak.yaml").write_text(yaml.safe_dump(content))
    assert main(["compare", *configs, "--quiet"]) == 2
    assert "have no data set in common" in capsys.readouterr().err


def test_kinds_and_classes_take_turns():
    def change(number, label, kind):
        own = ObjectOutcome(number, label, BOXES[0], Fate.FOUND)
        return ObjectChange(1, own, own, kind)

    given = [change(k, "dog", Change.LOST) for k in range(4)]
    given += [change(9, "cat", Change.LOST), change(10, "dog", Change.GAINED)]
    found = in_turns(given, 4)
    assert sorted(one.first.object_id for one in found) == [0, 1, 9, 10]
    assert in_turns([], 3) == []


def test_where_the_evidence_differs():
    class Made:
        label_map = np.array([[0, 1], [2, 2]])

        def __init__(self, values):
            self.region_scores = np.array(values)

    found = moved_evidence(Made([1.0, 0.0, 0.5]), Made([0.0, 1.0, 0.5]))
    assert found == (Moved(0, 0.5, 0.0), Moved(1, 0.0, 0.5))
    assert moved_evidence(Made([0.0, 0.0, 0.0]), Made([0.0, 0.0, 0.0])) == ()

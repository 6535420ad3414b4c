"""Detectors of a worker: weights are loaded once, and phrases asked one by one."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from PIL import Image

from tests.helpers import studies
from tests.helpers.large import LAMP, OnItsGrid, large_photo, note_sizes
from tests.helpers.studies import BOXES, BrightnessDetector, config_of, study
from vps.core.targets import Kind
from vps.data.cases.cases import Case, CaseList
from vps.study.plan import plan
from vps.study.store import facts_of
from vps.study.work import Worker

loads: list[tuple[str, ...]] = []
asked: list[tuple[str, ...]] = []


class OpenDetector(BrightnessDetector):
    """Gives the scores of cat and dog whatever two or fewer labels it is asked for."""

    def __init__(self, labels):
        super().__init__("open")
        self.labels = labels

    def with_labels(self, labels):
        asked.append(labels)
        return OpenDetector(labels)

    def detect(self, pixels, size):
        found = super().detect(pixels, size)
        scores = found.scores[..., -len(self.labels) :]
        return dataclasses.replace(found, scores=scores, labels=self.labels)


def load_open(name, labels, *, device, dtype):
    loads.append(labels)
    return OpenDetector(labels)


def load_grid(name, labels, *, device, dtype):
    return OnItsGrid()


def load_closed(name, labels, *, device, dtype):
    loads.append(labels)
    return BrightnessDetector(name)


@pytest.fixture
def two_sets(tmp_path):
    """Objects with labels, and the same with phrases, in the form of MDETR."""
    config, lists = study(tmp_path, 1, methods={"vps": {}})
    content = json.loads((tmp_path / "objects.json").read_text())
    image = content["images"][0]
    phrases = ["the left one", "the right one"]
    content["images"] = [
        {**image, "id": number, "original_id": 1, "caption": phrase}
        for number, phrase in enumerate(phrases)
    ]
    for number, annotation in enumerate(content["annotations"][:2]):
        annotation["image_id"] = number
    content["annotations"] = content["annotations"][:2]
    path = tmp_path / "phrases.json"
    path.write_text(json.dumps(content))
    phrase_set = dataclasses.replace(
        config.datasets["drawn"], format="refcoco-mdetr", annotations=str(path)
    )
    datasets = {**config.datasets, "phrases": phrase_set}
    cases = tuple(
        Case(1, f"a{number}", Kind.GROUNDED_RIGHT, BOXES[number], phrase, object_id=number)
        for number, phrase in enumerate(phrases)
    )
    spoken = dataclasses.replace(lists["drawn"], labels=(), cases=cases)
    return dataclasses.replace(config, datasets=datasets), {**lists, "phrases": spoken}


def statuses(config, lists, loader):
    loads.clear()
    asked.clear()
    worker = Worker(config, facts_of(lists), f"{__name__}:{loader}", "cpu")
    return [worker.run(task).statuses["vps"] for tasks in plan(lists) for task in tasks]


def test_an_open_vocabulary_is_loaded_once_and_asked_each_phrase_alone(two_sets):
    config, lists = two_sets
    assert statuses(config, lists, "load_open") == ["done"] * 4
    assert loads == [studies.LABELS]
    assert asked == [("the left one",), ("the right one",)]


def test_results_do_not_depend_on_what_was_asked_before(two_sets, tmp_path):
    config, lists = two_sets
    statuses(config, lists, "load_open")
    expected = studies.outcome(config.out)
    other = dataclasses.replace(config, out=str(tmp_path / "reversed"))
    statuses(other, dict(reversed(lists.items())), "load_open")
    assert asked[-1] == studies.LABELS
    assert studies.outcome(other.out) == expected


def test_a_detector_of_fixed_labels_fails_at_phrases_and_says_so(two_sets):
    config, lists = two_sets
    assert statuses(config, lists, "load_closed") == ["done", "done", "failed", "failed"]


def test_a_large_image_is_read_as_finely_as_the_detector_needs(tmp_path, monkeypatch):
    photo = large_photo(tmp_path, monkeypatch)
    x1, y1, x2, y2 = LAMP
    content = {
        "images": [{"id": 1, "file_name": photo.name, "height": 600, "width": 1200}],
        "annotations": [
            {
                "id": 7,
                "image_id": 1,
                "category_id": 1,
                "bbox": [x1, y1, x2 - x1, y2 - y1],
                "segmentation": [[x1, y1, x2, y1, x2, y2, x1, y2]],
            }
        ],
        "categories": [{"id": 1, "name": "lamp"}],
    }
    (tmp_path / "objects.json").write_text(json.dumps(content))
    config = config_of(tmp_path, methods={"box": {}}, run={"pictures": True})
    config.datasets["drawn"] = dataclasses.replace(config.datasets["drawn"], images=str(tmp_path))
    case = Case(1, "d1", Kind.CORRECT, LAMP, "lamp", score=0.9, iou=1.0, object_id=7)
    lists = {"drawn": CaseList("drawn", "grid", ("lamp",), {}, {}, (case,))}
    seen = note_sizes(monkeypatch)
    worker = Worker(config, facts_of(lists), f"{__name__}:load_grid", "cpu")
    (reply,) = [worker.run(task) for tasks in plan(lists) for task in tasks]
    assert reply.statuses == {"box": "done"}
    assert 120 <= max(seen[-1]) <= 240
    (row,) = [json.loads(path.read_text()) for path in (tmp_path / "out").rglob("*.row.json")]
    assert row["metrics"]["pointing"] == 1
    assert row["metrics"]["energy_pointing_mask"] == row["metrics"]["energy_pointing"] == 1
    (path,) = (tmp_path / "out").rglob("*.jpg")
    picture = np.asarray(Image.open(path)).astype(int)
    half = picture.shape[1] // 2
    lit = np.argwhere(picture[:, : half - 10].min(-1) > 200) / half
    # The lamp lies at the same place of the picture as of the photo, within its own frame.
    assert np.allclose(lit.mean(0), [180 / 1200, 750 / 1200], atol=0.02)

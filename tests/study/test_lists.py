"""Cases are selected by the workers, and come to the same list whoever they are."""

from __future__ import annotations

import dataclasses
import json

import pytest

from tests.helpers.studies import LOADER, calls_of, config_of, draw
from vps.data.cases.select import select_cases
from vps.errors import DetectorError, InputError, VpsError
from vps.study import looks
from vps.study.inputs import load_detector, open_data
from vps.study.lists import find_lists
from vps.study.looks import list_path

COUNT = 7
PROCESSES = {"executor": "processes", "workers": 2}
RAY = {"executor": "ray", "workers": 2}


@pytest.fixture(autouse=True)
def _small_ranges(monkeypatch):
    monkeypatch.setattr(looks, "IMAGES_OF_RANGE", 2)


@pytest.fixture
def drawn(tmp_path):
    """Seven images: the third cannot be read, the fifth has a mask that does not fit."""
    draw(tmp_path, COUNT)
    (tmp_path / "images" / "3.png").write_bytes(b"no image")
    path = tmp_path / "objects.json"
    content = json.loads(path.read_text())
    content["annotations"][8]["segmentation"] = {"size": [1, 1], "counts": [1]}
    path.write_text(json.dumps(content))
    return tmp_path


def config(folder, run=None, **changes):
    chosen = {"select": {"score_threshold": 0.2}, "batch_size": 1, "run": run or {}}
    return config_of(folder, out=str(folder / "out"), **{**chosen, **changes})


def plain(cases):
    """A list without what only a study notes."""
    settings = {
        key: value for key, value in cases.settings.items() if key not in ("origin", "annotations")
    }
    return dataclasses.replace(cases, settings=settings)


def expected(settings):
    data = open_data(settings, "drawn")
    detector = load_detector(settings, data, LOADER, "cpu")
    return select_cases(detector, data, settings.select, batch_size=1)


@pytest.mark.parametrize(
    "run", [{}, PROCESSES, pytest.param(RAY, marks=pytest.mark.slow)], ids=lambda run: str(run)
)
def test_workers_come_to_the_same_list(drawn, tricks, run):
    if run == RAY:
        pytest.importorskip("ray")
    tricks(log=drawn / "log")
    settings = config(drawn, run)
    heard = []
    found = find_lists(settings, LOADER, lambda *told: heard.append(told))["drawn"]
    assert len({process for process, _ in calls_of(drawn / "log")}) == (run or {}).get("workers", 1)
    assert len(calls_of(drawn / "log")) == COUNT - 1
    assert plain(found) == expected(settings)
    assert [entry["image_id"] for entry in found.skipped] == [None, 3]
    assert "(1 mask)" in found.skipped[0]["reason"]
    done = [done for _, done, _ in heard]
    assert done == sorted(done)
    assert len(done) == 4
    assert heard[-1] == ("drawn", COUNT, COUNT)
    assert not list_path(settings, "drawn").with_suffix(".parts").exists()


def test_a_worker_that_dies_once_costs_nothing(drawn, tricks):
    settings = config(drawn, PROCESSES)
    wanted = expected(settings)
    tricks(die=6, once=drawn / "died")
    assert plain(find_lists(settings, LOADER)["drawn"]) == wanted
    assert (drawn / "died").exists()


def test_an_image_that_always_kills_its_worker_is_skipped(drawn, tricks):
    settings = config(drawn, {**PROCESSES, "attempts": 2})
    whole = expected(settings)
    tricks(die=6)
    found = find_lists(settings, LOADER)["drawn"]
    assert found.cases == tuple(case for case in whole.cases if case.image_id != 6)
    (note,) = [entry for entry in found.skipped if entry["image_id"] == 6]
    assert "killed by signal 9, SIGKILL" in note["reason"]
    assert "drawn, image 6 of the selection" in note["reason"]
    assert "2 times" in note["reason"]


@pytest.mark.slow
def test_a_strict_selection_stops_at_an_image_that_kills_its_worker(tmp_path, tricks):
    draw(tmp_path, 3)
    tricks(die=2)
    settings = config(tmp_path, {"executor": "processes", "attempts": 1, "strict": True})
    with pytest.raises(VpsError, match=r"image 2 of the selection.*run.strict is on"):
        find_lists(settings, LOADER)
    with pytest.raises(VpsError, match=r"image 2 of the selection"):
        find_lists(settings, LOADER)  # it was not taken for skipped


def test_errors_of_a_selection_come_out(drawn):
    broken = {"name": "brightness", "options": {"broken": True}}
    with pytest.raises(DetectorError, match="no such weights"):
        find_lists(config(drawn, PROCESSES, detector=broken), LOADER)
    with pytest.raises(InputError, match=r"3\.png"):
        find_lists(config(drawn, {"strict": True}), LOADER)


def test_a_selection_without_cases_says_why(drawn):
    settings = config(drawn, select={"score_threshold": 0.2, "min_area": 5000})
    with pytest.raises(InputError, match=r"kinds leaves 12, min_area 5000 none"):
        find_lists(settings, LOADER)


def test_a_lost_range_is_told(drawn, monkeypatch):
    """Somebody tidies up while the last worker is at work."""
    settings = config(drawn)
    keep = looks.Parts.save

    def save(self, start, stop, look):
        if start:
            keep(self, start, stop, look)

    monkeypatch.setattr(looks.Parts, "save", save)
    with pytest.raises(InputError, match="image 1 of the selection: what was found there is gone"):
        find_lists(settings, LOADER)

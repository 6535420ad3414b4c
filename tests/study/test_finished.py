import html

import numpy as np
import pytest

from tests.helpers.studies import BOXES, LOADER, config_of, draw
from vps.errors import InputError
from vps.study.finished import FinishedStudy
from vps.study.study import run_study


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("study")
    draw(place, 2)
    config = config_of(place, select={"score_threshold": 0.2, "per_image": 1})
    run_study(config, LOADER, quiet=True)
    return place


@pytest.fixture
def study(folder) -> FinishedStudy:
    return FinishedStudy(folder / "out")


def test_its_cases_and_results_are_there_with_their_images(study):
    tasks = list(study.tasks())
    assert [task.case.image_id for task in tasks] == [1, 2]
    found = study.explanation(tasks[1], "greedy")
    assert (found.search, found.target.box) == ("greedy", tuple(tasks[1].case.box))
    assert found.target.box in BOXES
    assert found.image.pixels[0, 0, 0] == 2
    np.testing.assert_array_equal(study.image(tasks[1]).pixels, found.image.pixels)
    assert study.methods == ("vps", "greedy", "box")


def test_a_result_that_is_not_there_or_whose_image_is_gone(study, folder, monkeypatch):
    task = next(study.tasks())
    study._store.path(task, "box", ".json").rename(folder / "kept.json")
    assert study.explanation(task, "box") is None
    (folder / "kept.json").rename(study._store.path(task, "box", ".json"))
    moved = folder / "moved"
    (folder / "images").rename(moved)
    found = study.explanation(task, "box")
    moved.rename(folder / "images")
    assert found.image is None
    assert found._repr_png_()


def test_a_cell_shows_its_tables(study):
    shown = study._repr_html_()
    assert "<th>method</th>" in shown
    assert all(f"<td>{method}</td>" in shown for method in study.methods)
    assert repr(study) == "FinishedStudy(small: 2 cases, vps, greedy, box)"


def test_without_a_report_it_says_how_to_make_one(study, folder, monkeypatch):
    (folder / "out" / "summary.json").rename(folder / "summary.json")
    shown = html.unescape(FinishedStudy(folder / "out")._repr_html_())
    (folder / "summary.json").rename(folder / "out" / "summary.json")
    assert "make the report, vps report" in shown


def test_a_folder_that_is_no_study(tmp_path):
    with pytest.raises(InputError, match="holds no study"):
        FinishedStudy(tmp_path)

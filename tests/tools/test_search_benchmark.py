import json

import pytest

import detectors
from detectors import DETECTORS, DetectorEntry
from tests.helpers.benchmarks import Knowing, arguments
from tools.benchmarks import cases, search, targets
from tools.benchmarks.search_report import reached, summarise
from vps.data.scenes.scenes import make_scene
from vps.errors import InputError

SEED = 5


class Counting(Knowing):
    seen = 0

    def detect(self, pixels, size):
        Counting.seen += len(pixels)
        return super().detect(pixels, size)


@pytest.fixture
def scenes(monkeypatch):
    """One scene of each size, known to the detector, as the whole data set."""
    found = {scene.layout.size: scene for scene in (make_scene(SEED, i) for i in range(12))}
    known = list(found.values())
    monkeypatch.setitem(DETECTORS, "knowing", DetectorEntry("", "", (), "", "", prompted=True))
    monkeypatch.setattr(detectors, "load", lambda *_, **__: Counting(known))
    monkeypatch.setattr(cases, "make_scene", lambda _, index: known[index])
    monkeypatch.setattr(cases, "count", lambda: range(len(known)))
    return known


def test_table_and_plot_and_what_is_there_is_not_searched_again(scenes, tmp_path, capsys):
    given = ("--data", "scenes:5", "--detector", "knowing", "--objects", 4, "--regions", 9)
    given += ("--search", "path_search", "random", "--budgets", 0.9, "--out", tmp_path)
    search.run(arguments(search, *given))
    first = capsys.readouterr().out
    rows = {line.split()[0]: line.split() for line in first.splitlines()}
    assert rows["greedy"][6] == "1.000"
    assert float(rows["path_search"][6]) > float(rows["random"][6])
    folder = tmp_path / "knowing_scenes-5_9"
    assert (folder / "search.png").stat().st_size > 1000
    assert len(list(folder.glob("*/*.json"))) == 12
    next(folder.glob("random/*.json")).unlink()
    Counting.seen = 0
    search.run(arguments(search, *given))
    assert capsys.readouterr().out == first
    # A look at each scene for its cases, twice, and the one search that was missing.
    assert Counting.seen <= 2 * len(scenes) + 2 * 12


def test_what_holds_passes_back_is_run_for_each_budget(scenes, tmp_path, capsys):
    given = ("--data", "scenes:5", "--detector", "knowing", "--objects", 2, "--regions", 9)
    given += ("--search", "sampled_search", "--budgets", 0.6, 0.9, "--out", tmp_path)
    search.run(arguments(search, *given))
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[3:5]]
    assert [row[:2] for row in rows] == [["sampled_search", "60%"], ["sampled_search", "90%"]]
    for row, share in zip(rows, (60, 90), strict=True):
        assert float(row[2].rstrip("%")) <= share
    folder = tmp_path / "knowing_scenes-5_9"
    assert len(list(folder.glob("sampled_search@0.6/*.json"))) == 2


def test_other_weights_of_f_are_rows_of_their_own(scenes, tmp_path, capsys):
    given = ("--data", "scenes:5", "--detector", "knowing", "--objects", 2, "--regions", 4)
    given += ("--search", "greedy", "bidirectional", "--lambdas", 20, 5, 0.01, "--out", tmp_path)
    search.run(arguments(search, *given))
    lines = capsys.readouterr().out.splitlines()
    assert [line[:23].strip() for line in lines[2:5]] == [
        "greedy",
        "greedy 20,5,0.01",
        "bidirectional 20,5,0.01",
    ]
    assert len(list(tmp_path.glob("*/bidirectional 20,5,0.01/*.json"))) == 2
    with pytest.raises(InputError, match="lambdas must be"):
        search.run(arguments(search, *given[:-2], "--lambdas", 0, 0))


def test_halves_share_no_image(scenes):
    found = []
    for half in ("even", "odd", "all"):
        given = ("--data", "scenes:5", "--detector", "knowing", "--images", half)
        found.append({case.image_id for case in search._cases(arguments(search, *given))[1]})
    assert not found[0] & found[1]
    assert found[0] | found[1] == found[2]


def test_together_is_cheaper_than_one_by_one(scenes, capsys):
    given = ("--data", "scenes:5", "--detector", "knowing", "--targets", 2, "--images", 1)
    targets.run(arguments(targets, *given, "--regions", 30))
    passes = next(line for line in capsys.readouterr().out.splitlines() if "passes" in line)
    assert 1 <= float(passes.split()[1]) < 2
    with pytest.raises(InputError, match="has 50 objects"):
        targets.run(arguments(targets, *given[:4], "--targets", 50))


def record(case, image, *steps):
    return {"case": case, "image": image, "regions": 9, "trace": [list(step) for step in steps]}


def test_ratio_is_that_of_the_means_and_reads_the_trace_within_the_budget():
    guessed = (2, 1, 0.9, 0.0, 0.0, False)
    records = {
        "greedy": [
            record("a", 1, (86, 8, 0.8, 0.2, 1, True)),
            record("b", 2, (86, 8, 0.3, 0.1, 1, True)),
        ],
        "ours": [
            record("a", 1, guessed, (20, 2, 0.5, 0.2, 1, True), (40, 3, 0.9, 0.1, 2, True)),
            record("b", 2, guessed, (20, 2, 0.2, 0.1, 1, True), (50, 3, 0.9, 0.1, 2, True)),
        ],
    }
    assert reached(records["ours"][0], 0.05) is None
    # A share is of whole passes, as the search itself rounds it.
    assert reached(records["ours"][0], 19.6 / 90)[0] == 20
    assert reached(records["ours"][0], 19.4 / 90) is None
    assert summarise(records, "ours", "greedy", 0.1) is None
    row = summarise(records, "ours", "greedy", 0.5)
    assert row.passes == pytest.approx((40 + 20) / 2 / 90)
    assert row.ratio == pytest.approx((0.8 + 0.1) / (0.6 + 0.2))
    assert row.median == pytest.approx((0.8 / 0.6 + 0.1 / 0.2) / 2)
    assert row.interval == (pytest.approx(0.5), pytest.approx(0.8 / 0.6))
    assert json.dumps(records)


def test_unknown_search_and_data(scenes):
    with pytest.raises(InputError, match="did you mean 'top_k'"):
        search.run(arguments(search, "--data", "scenes:5", "--search", "topk"))
    with pytest.raises(InputError, match="named by their seed"):
        search.run(arguments(search, "--data", "scenes:x"))

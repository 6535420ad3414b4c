import pytest

pytest.importorskip("pycocotools")

from tests.helpers.benchmarks import SEED, arguments
from tools.benchmarks import causes, faithfulness  # noqa: E402
from vps.data.scenes.scene_files import write_coco  # noqa: E402
from vps.errors import InputError  # noqa: E402
from vps.results.explanation import Explanation  # noqa: E402


def test_faithfulness_explains_what_is_found_and_prints_a_row_a_search(
    scenes, monkeypatch, tmp_path, capsys
):
    numbers = iter(scenes)
    monkeypatch.setattr("vps.data.scenes.scene_files.draw_scene", lambda _: next(numbers))
    write_coco(tmp_path, "val", len(scenes), seed=SEED)
    (tmp_path / "val").symlink_to(tmp_path / "images" / "val")
    given = ("--data", tmp_path, "--split", "val", "--objects", 4, "--regions", 9)
    out = ("--out", tmp_path / "out", "--pictures", 1)
    faithfulness.run(arguments(faithfulness, *given, *out))
    rows = {line.split()[0]: line.split() for line in capsys.readouterr().out.splitlines()}
    assert float(rows["greedy"][1]) > float(rows["random"][1])
    assert float(rows["greedy"][4]) < float(rows["random"][4])
    saved = sorted((tmp_path / "out" / "greedy").glob("*.json"))
    assert len(saved) == 4
    assert len(list((tmp_path / "out" / "greedy").glob("*.png"))) == 1
    # At most two of an image, each under the id of its own object.
    explanations = [Explanation.load(path) for path in saved]
    assert max(sum(e.image_name == f.image_name for f in explanations) for e in explanations) <= 2


def test_causes_are_found_by_a_search_that_looks(scenes, monkeypatch, capsys):
    monkeypatch.setattr(causes, "make_scene", lambda _, index: scenes[index % len(scenes)])
    causes.run(arguments(causes, "--objects", 2, "--regions", 40, "--share", 0.6))
    row = capsys.readouterr().out.splitlines()[-1].split()
    assert row[0] == "all"
    assert float(row[3]) >= float(row[4])


def test_no_objects_is_an_error(scenes):
    with pytest.raises(InputError, match="at least one"):
        causes.run(arguments(causes, "--objects", 0))

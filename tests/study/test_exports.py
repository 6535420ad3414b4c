"""Results as files of VPS, and back: the same curves, the same tables."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.studies import BOXES, LOADER, SIZE, config_of, draw
from vps.cli.main import main
from vps.core.targets import Kind
from vps.data.cases.cases import Case
from vps.data.left_out import LeftOut
from vps.data.readers.vps_list import read_entries
from vps.errors import InputError
from vps.study.exports import export_lists, export_results, file_names
from vps.study.import_source import ImportSettings
from vps.study.imports import import_results
from vps.study.inputs import open_data
from vps.study.lists import find_lists, read_list
from vps.study.result_names import entries_by_name
from vps.study.study import report_study, run_study

METHODS = {
    "greedy": {"method": "vps", "options": {"search": "greedy"}},
    "drise": {"options": {"masks": 20}},
    "box": {},
}
UNTOLD = ("mu_fidelity", "energy_pointing_mask")


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """A study that has written its results as files of VPS, too."""
    folder = tmp_path_factory.mktemp("ran")
    draw(folder, 3)
    config = config_of(
        folder,
        methods=METHODS,
        select={"score_threshold": 0.2, "target": "truth"},
        run={"export": "vps", "pictures": False},
    )
    assert run_study(config, LOADER, quiet=True) == 0
    return folder, config


def rows(out):
    found = [json.loads(path.read_text()) for path in sorted(Path(out).rglob("*.row.json"))]
    return {(row["image_id"], row["case"], row["method"]): row for row in found}


def table(out):
    """All means and comparisons of a study's tables, without what the files do not hold."""
    found = json.loads((Path(out) / "summary.json").read_text())["datasets"]["drawn"]
    return _without(found, (*UNTOLD, "seconds"))


def _without(value, names):
    if isinstance(value, dict):
        return {key: _without(one, names) for key, one in value.items() if key not in names}
    return value


def folders_of(folder):
    return {name: folder / "out" / "vps" / "drawn" / name for name in METHODS}


def test_each_result_has_the_files_that_their_scripts_read(ran):
    folder, config = ran
    cases = read_list(config, "drawn").cases
    for path in folders_of(folder).values():
        names = {one.stem for one in (path / "json").iterdir()}
        assert names == {one.stem for one in (path / "npy").iterdir()}
        assert names == {f"{case.image_id}_{case.object_id}" for case in cases}
    record = json.loads((folders_of(folder)["greedy"] / "json" / "1_10.json").read_text())
    masks = np.load(folders_of(folder)["greedy"] / "npy" / "1_10.npy", allow_pickle=False)
    assert record["target_box"] == [int(value) for value in BOXES[0]]
    assert masks.shape == (6, *SIZE, 1)
    # Their map: each region's step of F, added up from F of nothing shown.
    start = 1 - record["org_score"] + record["baseline_score"]
    steps = np.abs(np.diff([start, *record["smdl_score"]]))
    assert steps.shape == (6,)
    areas = np.cumsum(masks.sum(axis=(1, 2, 3))) / masks[0].size
    assert np.allclose(areas, record["region_area"])


def test_what_is_there_is_not_written_again(ran):
    folder, config = ran
    lists = {"drawn": read_list(config, "drawn")}
    files = sorted(Path(config.out, "vps").rglob("*.json"))
    before = [path.stat().st_mtime_ns for path in files]
    assert export_results(config, lists) == len(files) == 18
    assert [path.stat().st_mtime_ns for path in files] == before
    files[0].write_text("{}")
    assert export_results(config, lists) == 18
    assert json.loads(files[0].read_text())["org_score"] >= 0


def test_what_is_read_back_has_the_same_rows_and_tables(ran, tmp_path):
    folder, config = ran
    settings = ImportSettings(images=folder / "images")
    study, left_out = import_results(
        folders_of(folder), tmp_path / "back", settings, ["run.pictures=true"]
    )
    assert left_out == 0
    assert study.methods == config.methods
    ours, theirs = rows(config.out), rows(study.out)
    assert ours.keys() == theirs.keys()
    for key, row in ours.items():
        other = theirs[key]
        assert other["curves"] == row["curves"]
        known = {name: one for name, one in row["metrics"].items() if name not in UNTOLD}
        assert other["metrics"] == known
        assert (tmp_path / "back" / other["picture"]).is_file()
        for name in ("kind", "label", "box", "size", "score", "image_name", "dataset"):
            assert other[name] == row[name], name
    report_study([study.out])
    assert table(study.out) == table(config.out)
    mine, back = (read_list(one, "drawn").cases for one in (config, study))
    assert set(mine) == set(back)


def test_their_own_files_become_a_study(ran, tmp_path, capsys):
    """Without our field: curves, areas under them and maps are the same, and cases as the list."""
    folder, config = ran
    theirs = tmp_path / "slico-1.0-1.0"
    shutil.copytree(folders_of(folder)["greedy"], theirs)
    for path in (theirs / "json").iterdir():
        record = json.loads(path.read_text())
        del record["vps"], record["model_forward_calls"], record["category"]
        record["target_label"] = [7]
        path.write_text(json.dumps(record))
    given, _ = export_lists(config, {"drawn": read_list(config, "drawn")}, LOADER)["drawn"]
    command = ["import", str(theirs), "--out", str(tmp_path / "study")]
    command += ["--images", str(folder / "images"), "--cases", str(given), "--section", "case1"]
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert "slico-1.0-1.0" in printed
    ours, back = rows(config.out), rows(tmp_path / "study")
    assert len(back) == 6
    keys = {case.object_id: case.key for case in read_list(config, "drawn").cases}
    for (image, key, _), row in back.items():
        same = ours[image, keys[int(key)], "greedy"]
        assert row["curves"] == same["curves"]
        assert (row["label"], row["box"]) == ("dog", same["box"])
        # Pointing games look for the target, which is the truth here.
        names = set(same["metrics"]) - set(UNTOLD) - {"passes", "seconds"}
        assert set(row["metrics"]) == names
        for name in names:
            assert row["metrics"][name] == pytest.approx(same["metrics"][name], abs=1e-6), name


def test_their_results_are_of_the_cases_that_ours_of_the_same_name_tell(ran, tmp_path, capsys):
    """Compared case by case, whichever is named first; of another box they are no such result."""
    folder, config = ran
    theirs = tmp_path / "theirs"
    shutil.copytree(folders_of(folder)["box"], theirs)
    paths = sorted((theirs / "json").iterdir())
    for number, path in enumerate(paths):
        record = json.loads(path.read_text())
        del record["vps"], record["category"]
        record["target_label"] = [7]
        if number == 0:
            record["target_box"] = [0, 0, 3, 3]
        path.write_text(json.dumps(record))
    command = ["import", str(theirs), f"greedy={folders_of(folder)['greedy']}"]
    assert main([*command, "--out", str(tmp_path / "study")]) == 1
    assert f"(1 result): theirs, {paths[0].stem}" in capsys.readouterr().out
    ours, back = rows(config.out), rows(tmp_path / "study")
    assert len(back) == 2 * len(paths) - 1
    for (image, key, method), row in back.items():
        same = ours[image, key, "box" if method == "theirs" else method]
        assert (row["dataset"], row["label"], row["box"]) == ("drawn", "dog", same["box"])
        assert row["curves"] == same["curves"]


def test_without_images_nothing_is_said_of_places(ran, tmp_path):
    folder, _ = ran
    theirs = tmp_path / "theirs"
    shutil.copytree(folders_of(folder)["box"], theirs)
    for path in (theirs / "json").iterdir():
        record = json.loads(path.read_text())
        del record["vps"]
        path.write_text(json.dumps(record))
    study, _ = import_results({"box": theirs}, tmp_path / "study")
    assert study.methods["box"].method == "vps"  # what it was is not in the files
    for row in rows(study.out).values():
        assert "insertion" in row["metrics"]
        assert "passes" in row["metrics"]
        assert not [name for name in row["metrics"] if "pointing" in name]
        assert "the size of the image is not known" in row["warnings"][-1]


def test_images_that_are_not_in_their_folder_are_told(ran, tmp_path, capsys):
    folder, _ = ran
    theirs = tmp_path / "theirs"
    shutil.copytree(folders_of(folder)["box"], theirs)
    for path in (theirs / "json").iterdir():
        record = json.loads(path.read_text())
        del record["vps"]
        path.write_text(json.dumps(record))
    (tmp_path / "images").mkdir()
    command = ["import", str(theirs), "--out", str(tmp_path / "study")]
    # They are used, so that the exit status is that of no problem.
    assert main([*command, "--images", str(tmp_path / "images")]) == 0
    count = len([*(theirs / "json").iterdir()])
    told = f"image is not in the folder of images, or not told by its name ({count} results)"
    assert told in capsys.readouterr().out


def test_an_entry_of_a_list_is_found_by_id_or_by_class_and_may_stand_there_twice(tmp_path):
    cat, dog = (
        {"file_name": "a.jpg", "category": name, "bbox": [1, 1, 9, 9]} for name in ("cat", "dog")
    )
    entries = [cat, cat, {**dog, "id": 5}, {**dog, "id": 6, "bbox": [2, 2, 9, 9]}]
    (tmp_path / "list.json").write_text(json.dumps(entries))
    found = entries_by_name(read_entries(tmp_path / "list.json", LeftOut())[1])
    numbers = {name: entry.number for name, entry in found.items()}
    assert numbers == {"a_cat": 1, "a_5": 3, "a_6": 4}


def test_bad_files_are_named_and_counted(ran, tmp_path, capsys):
    folder, _ = ran
    theirs = tmp_path / "theirs"
    shutil.copytree(folders_of(folder)["greedy"], theirs)
    first, second, third, *_ = sorted((theirs / "json").iterdir())
    first.write_text("{")
    (theirs / "npy" / f"{second.stem}.npy").write_bytes(b"no array")
    assert main(["import", f"a={theirs}", "--out", str(tmp_path / "one")]) == 1
    printed = capsys.readouterr().out
    assert "result that cannot be used (2 results)" in printed
    assert first.stem in printed
    assert f"result {second.stem}: masks" in printed
    # Another target under the same name is no result of the same case.
    other = tmp_path / "other"
    shutil.copytree(folders_of(folder)["box"], other)
    record = json.loads((other / "json" / third.name).read_text())
    record["vps"]["case"]["box"] = [0, 0, 3, 3]
    (other / "json" / third.name).write_text(json.dumps(record))
    assert main(["import", str(theirs), str(other), "--out", str(tmp_path / "two")]) == 1
    assert f"other, {third.stem}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: shutil.rmtree(folder / "json"), "has no folder json/"),
        (lambda folder: shutil.rmtree(folder / "npy"), "no result can be used: result that cannot"),
    ],
)
def test_a_folder_of_nothing_is_an_error(ran, tmp_path, change, message):
    folder, config = ran
    theirs = tmp_path / "theirs"
    shutil.copytree(folders_of(folder)["box"], theirs)
    change(theirs)
    with pytest.raises(InputError, match=message):
        import_results({"box": theirs}, tmp_path / "study")
    with pytest.raises(InputError, match="holds a study already"):
        import_results(folders_of(folder), Path(config.out))


def test_lists_are_written_beside_ours(ran, tmp_path):
    folder, config = ran
    cases = find_lists(config, LOADER)
    path, remarks = export_lists(config, cases, LOADER)["drawn"]
    assert path == Path(config.out) / "lists" / "drawn.vps.json"
    assert not remarks
    content = json.loads(path.read_text())
    assert [entry["id"] for entry in content["case1"]] == [
        case.object_id for case in cases["drawn"].cases
    ]
    assert content["case1"][0]["bbox"] == [int(value) for value in BOXES[0]]


def test_files_of_one_name_are_told_apart(ran):
    _, config = ran
    data = open_data(config, "drawn")
    cases = [
        Case(1, "d1", Kind.CORRECT, BOXES[0], "dog", object_id=10),
        Case(1, "d2", Kind.CORRECT, BOXES[0], "dog", object_id=10),
        Case(1, "d3", Kind.CORRECT, BOXES[0], "dog"),
        Case(2, "d1", Kind.CORRECT, BOXES[0], "dog", object_id=20),
    ]
    assert list(file_names(cases, data).values()) == ["1_d1", "1_d2", "1_d3", "2_20"]

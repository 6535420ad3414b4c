import json
import sys
import textwrap

import numpy as np
import pytest
from PIL import Image

from detectors import load, load_for
from tests.helpers.studies import draw
from vps.cli.main import main
from vps.core.detect import detect
from vps.errors import InputError

HERE = "tests.helpers.own_detector"
IMAGE = np.full((24, 32, 3), 200, np.uint8)


def test_a_function_builds_a_detector_with_options():
    detector = load(f"{HERE}:build", scale="0.5")
    assert detector.labels == ("cat", "dog")
    assert detect(detector, IMAGE)[0].score == pytest.approx(100 / 255, abs=1e-3)
    assert load(f"{HERE}:ready").name == "mine"


def test_a_raw_model_is_wrapped_and_named():
    detector = load(f"{HERE}:raw_model", labels=["cat", "dog", "cow"])
    assert detector.labels == ("cat", "dog", "cow")
    with pytest.raises(InputError, match="scores 4 classes; give their names as labels"):
        load(f"{HERE}:raw_model")


def test_labels_of_a_data_set_go_to_what_cannot_do_without():
    usual = ("person", "car")
    assert load_for(f"{HERE}:asked", usual).labels == usual
    assert load_for(f"{HERE}:asked", usual, labels=["car"]).labels == ("car",)
    # Names of classes are never taken from a data set.
    assert load_for(f"{HERE}:build", usual).labels == ("cat", "dog")
    with pytest.raises(InputError, match="asked wants labels"):
        load(f"{HERE}:asked")


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("nowhere_at_all:build", {}, "nowhere_at_all cannot be imported"),
        (f"{HERE}:biuld", {}, "has no 'biuld', did you mean 'build'"),
        (f"{HERE}:build", {"scael": 2}, "did you mean 'scale'"),
        (f"{HERE}:build", {"scale": "much"}, "must be a number"),
        (f"{HERE}:build", {"dtype": "float16"}, "no parameter dtype"),
        (f"{HERE}:build", {"labels": ["a", "b"]}, "labels of its own"),
        (f"{HERE}:ready", {"scale": 2}, "is no function, and so has no options"),
        (f"{HERE}:failing", {}, "failing fails: OSError, no such weights"),
        (f"{HERE}:nothing", {}, "gave nothing"),
        (f"{HERE}:brightest", {}, "image.*wrap.brightest"),
        (f"{HERE}:LABELS", {}, "cannot be wrapped"),
        ("nowhere/mine.py:build", {}, "no file nowhere/mine.py"),
    ],
)
def test_what_cannot_be_built(name, settings, message):
    with pytest.raises(InputError, match=message):
        load(name, **settings)


MODULE = """
    import numpy as np
    from detectors import wrap

    def find(image):
        return np.array([[2., 2, 12, 12]]), np.array([image[2:12, 2:12].mean() / 255]), ["dog"]

    def build():
        return wrap(find, labels=["cat", "dog"], boxes="xyxy", channels="rgb")
"""


@pytest.mark.parametrize("name", ["module_of_mine:build", "folder/module_of_mine.py:build"])
def test_the_command_line_finds_modules_in_the_working_directory(
    name, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr("sys.path", [*sys.path])
    path = tmp_path / name.split(":")[0].replace(".py", "")
    path.parent.mkdir(exist_ok=True)
    path.with_suffix(".py").write_text(textwrap.dedent(MODULE))
    Image.fromarray(IMAGE).save(tmp_path / "a.png")
    monkeypatch.chdir(tmp_path)
    assert main(["detect", "a.png", "--detector", name, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["label"] == "dog"
    more = ["--regions", "4", "--region-method", "grid", "--out", "out", "--quiet"]
    assert main(["explain", "a.png", "--detector", name, *more]) == 0


@pytest.mark.parametrize("executor", ["serial", pytest.param("processes", marks=pytest.mark.slow)])
def test_a_study_runs_a_detector_of_ones_own(executor, tmp_path):
    draw(tmp_path, 1)
    config = {
        "datasets": {
            "drawn": {
                "format": "coco",
                "annotations": str(tmp_path / "objects.json"),
                "images": str(tmp_path / "images"),
            }
        },
        "detector": {"name": f"{HERE}:build", "options": {"scale": 0.9}},
        "out": str(tmp_path / "out"),
        "regions": {"count": 4, "method": "grid"},
        "methods": {"box": {}},
        "metrics": {"fidelity_subsets": 0},
        "run": {"pictures": False, "executor": executor},
    }
    (tmp_path / "study.yaml").write_text(json.dumps(config))
    assert main(["study", str(tmp_path / "study.yaml"), "--quiet"]) == 0
    paths = sorted((tmp_path / "out" / "cases").rglob("*.row.json"))
    assert [json.loads(path.read_text())["method"] for path in paths] == ["box", "box"]

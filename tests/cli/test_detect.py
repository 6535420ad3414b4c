"""`vps detect`, and the detector that it shares with `vps explain`."""

from __future__ import annotations

import json

import pytest

import detectors
from tests.helpers.cli import BOX, Bright, fails, run_explain
from vps.cli.main import main


def test_detect_prints_a_numbered_table(image, bright, capsys):
    assert main(["detect", image]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.split() == ["1", "dog", "1.000", "8.0", "8.0", "24.0", "24.0"]
    assert second.split()[1] == "cat"


def test_detect_prints_json(image, bright, capsys):
    assert main(["detect", image, "--json", "--threshold", "0.5"]) == 0
    assert json.loads(capsys.readouterr().out) == [{"label": "dog", "score": 1.0, "box": list(BOX)}]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--detector", "demo-grounding-dyno"], ["demo-grounding-dino"]),
        (["--detector", "hf-grounding-dino:./nowhere", "--prompt", "dog"], ["nowhere"]),
        (["--detector", "onnx:nowhere.yaml"], ["nowhere.yaml"]),
        (["--prompt", " . "], ["label"]),
        (["--prompt", "dog " * 200], ["tokens"]),
        (["--prompt", "dog", "--device", "cuda:9"], ["cuda"]),
        (["--prompt", "dog", "--device", "mps"], ["mps", "use cpu"]),
        (["--prompt", "dog", "--dtype", "int8"], ["dtype"]),
    ],
)
def test_detectors_that_cannot_be_loaded(image, tmp_path, capsys, options, words):
    pytest.importorskip("transformers")
    pytest.importorskip("onnxruntime")
    fails(capsys, run_explain(image, tmp_path, *options), *words)


def test_options_of_a_detector(monkeypatch, image):
    given = {}
    monkeypatch.setattr(detectors, "load", lambda *_, **options: given.update(options) or Bright())
    assert main(["detect", image, "--option", "a=<OD>", "--option", "b=c=1"]) == 0
    assert (given["a"], given["b"]) == ("<OD>", "c=1")


@pytest.mark.parametrize("text", ["device=cpu", "prompt=dog", "name=x"])
def test_what_has_an_argument_of_its_own_is_no_option(image, capsys, text):
    assert main(["detect", image, "--option", text]) == 2
    assert "is no --option" in capsys.readouterr().err


def test_options_that_are_none(image, capsys):
    assert main(["detect", image, "--option", "threads"]) == 2
    assert "takes NAME=VALUE, got 'threads'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--dtype", "float23"], "did you mean 'float32'"),
        (["--threshold", "-0.1"], "--threshold must lie in [0, 1], got -0.1"),
        (["--option", "threads"], "takes NAME=VALUE"),
    ],
)
def test_what_no_detector_takes_is_told_before_one_is_loaded(capsys, given, message):
    fails(capsys, main(["detect", "no.png", "--detector", "none", *given]), message)

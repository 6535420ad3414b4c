"""`vps inspect`, and what `vps detect` takes of an ONNX file alone."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("yaml")

from tests.helpers.cli import fails
from tests.models.exports import save_export
from vps.cli.main import main

DOG = [24.0, 16.0, 40.0, 48.0, 0.9, 1.0]


def save(tmp_path, row=DOG, **settings):
    table = np.zeros((1, 300, 6), np.float32)
    table[0, 0] = row
    Image.new("RGB", (64, 48), "grey").save(tmp_path / "photo.png")
    return str(save_export(tmp_path / "model.onnx", {"output0": table}, **settings))


def test_inspect_prints_and_writes_what_detect_then_takes(tmp_path, capsys):
    model = save(tmp_path, metadata={"names": "{0: 'cat', 1: 'dog'}", "task": "detect"})
    out, photo = str(tmp_path / "new" / "detector.yaml"), str(tmp_path / "photo.png")
    assert main(["inspect", model, "--out", out]) == 0
    printed = capsys.readouterr().out
    for words in (
        "inputs: images: tensor(float) [1, 3, 64, 64]",
        "class names: 2: cat, dog",
        "taken for: YOLOv10",
        "drops boxes inside",
        "columns: [x1, y1, x2, y2, score, class]",
        f"written: {out}; use it as onnx:{out}",
    ):
        assert words in printed
    for detector in (out, model):
        assert main(["detect", photo, "--detector", f"onnx:{detector}"]) == 0
        captured = capsys.readouterr()
        assert captured.out.split() == ["1", "dog", "0.900", "24.0", "8.0", "40.0", "40.0"]
        assert captured.err.startswith("note: model.onnx ")
        assert captured.err.count("\n") == 1


def test_what_only_the_user_knows_is_said_by_set_or_prompt(tmp_path, capsys):
    model = save(tmp_path)
    assert main(["inspect", model]) == 1
    captured = capsys.readouterr()
    assert "to be said: labels: " in captured.out
    assert captured.err == "note: say labels with --set\n"
    for said in (["--set", "labels=[cat, dog]"], ["--prompt", "cat . dog"]):
        assert main(["inspect", model, *said, "--set", "input.scale=255"]) == 0
        printed = capsys.readouterr().out
        assert "- dog" in printed
        assert "scale: 255" in printed
    assert main(["detect", str(tmp_path / "photo.png"), "--detector", f"onnx:{model}"]) == 2
    assert "does not name its classes" in capsys.readouterr().err


def test_the_trial_can_be_on_an_image_of_the_users(tmp_path, capsys):
    model, photo = save(tmp_path), str(tmp_path / "photo.png")
    assert main(["inspect", model, "--prompt", "cat . dog", "--image", photo]) == 0
    assert "1 boxes score 0.3 or more, the best 0.90 (dog)" in capsys.readouterr().out


def test_inspect_fails_in_one_line(tmp_path, capsys):
    model = save(tmp_path)
    pointer = tmp_path / "pointer.onnx"
    pointer.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    for arguments, words in [
        (["nowhere.onnx"], "nowhere.onnx does not exist"),
        ([str(pointer)], "is a Git LFS pointer"),
        ([model, "--out", "a.txt"], "--out writes a description, FILE.yaml"),
        ([model, "--set", "labels"], "--set takes NAME=VALUE"),
        ([model, "--set", "labels=[a"], "is no value of YAML"),
        ([model, "--set", "labels=[cat, dog]", "--set", "input.sale=1"], "did you mean 'scale'"),
        ([model, "--set", "labels=[dog]"], "class 1, counted from 0"),
    ]:
        fails(capsys, main(["inspect", *arguments]), words)

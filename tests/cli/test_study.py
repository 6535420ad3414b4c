"""`vps study` and `vps select`, as their users call them."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from tests.helpers.paths import ROOT
from tests.helpers.studies import LOADER, config_of, draw
from vps.cli import study
from vps.cli.main import main


@pytest.fixture
def config(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(study, "LOADER", LOADER)
    draw(tmp_path, 2)
    return config_of(tmp_path, select={"score_threshold": 0.2}).save(tmp_path / "study.yaml")


def test_selection_alone_writes_lists_and_says_what_is_in_them(config, tmp_path, capsys):
    assert main(["select", str(config), "--quiet", "--set", "select.per_kind=3"]) == 0
    path = tmp_path / "out" / "lists" / "drawn.json"
    assert capsys.readouterr().out == f"drawn: 3 cases (3 of 4 correct) -> {path}\n"
    assert len(json.loads(path.read_text())["cases"]) == 3


def odd(tmp_path):
    path = tmp_path / "objects.json"
    content = json.loads(path.read_text())
    content["annotations"].append({**content["annotations"][0], "id": 77, "bbox": []})
    path.write_text(json.dumps(content))


def test_what_of_the_data_is_left_out_is_said_and_recorded(config, tmp_path, capsys):
    odd(tmp_path)
    said = (
        "drawn: bbox that is not four numbers (1 annotation): objects.json, annotation 77 of "
        "image 1, bbox must be 4 numbers, got []\n"
    )
    assert main(["select", str(config), "--quiet"]) == 0
    assert said in capsys.readouterr().out
    assert main(["study", str(config), "--quiet", "--set", "methods={box: }"]) == 0
    assert said in capsys.readouterr().out
    assert "annotation 77 of image 1" in (tmp_path / "out" / "index.html").read_text()


@pytest.mark.parametrize("where", ["run.strict", "datasets.drawn.options.strict"])
def test_strict_refuses_what_would_be_left_out(config, tmp_path, capsys, where):
    odd(tmp_path)
    assert main(["select", str(config), "--quiet", "--set", f"{where}=true"]) == 2
    assert "annotation 77 of image 1" in capsys.readouterr().err
    both = ["--set", "run.strict=true", "--set", "datasets.drawn.options.strict=false"]
    assert main(["select", str(config), "--quiet", *both]) == 0


def test_a_study_is_run_with_overrides_and_its_config_saved(config, tmp_path, capsys):
    out = tmp_path / "other"
    given = ["--set", f"out={out}", "--set", "methods={box: }", "--set", "seed=3", "--quiet"]
    assert main(["study", str(config), *given]) == 0
    assert f"{out}/index.html" in capsys.readouterr().out
    assert "seed: 3" in (out / "config.yaml").read_text()
    assert len(list(out.rglob("*.row.json"))) == 4


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--set", "regoins.count=9"], "did you mean 'regions'"),
        (["--set", "datasets.drawn.annotations=none.json"], "none.json does not exist"),
        (["--set", "select.kinds=[duplicate]"], "no case is left of drawn"),
        (["--set", "datasets.drawn.rename={cow: cat}"], "cow"),
        (["--shard", "3/2"], "1 <= I <= N"),
        (["--shard", "half"], "a shard is I/N"),
        (["--set", "out=FILE/below"], "cannot be written"),
    ],
)
def test_mistakes_are_told_in_a_line(config, tmp_path, capsys, given, message):
    (tmp_path / "file").touch()
    given = [text.replace("FILE", str(tmp_path / "file")) for text in given]
    assert main(["study", str(config), "--quiet", *given]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert message in error


def test_an_image_that_is_gone_is_skipped_unless_strict(config, tmp_path, capsys):
    (tmp_path / "images" / "2.png").write_bytes(b"no image")
    strict = [str(config), "--quiet", "--set", "run.strict=true"]
    assert main(["study", *strict]) == 2
    assert "2.png is not an image" in capsys.readouterr().err
    assert main(["study", str(config), "--quiet"]) == 0
    cases = json.loads((tmp_path / "out" / "lists" / "drawn.json").read_text())
    assert [entry["image_id"] for entry in cases["skipped"]] == [2]


def test_the_schema_of_a_config_is_printed_and_takes_the_shipped_ones(capsys):
    assert main(["study", "--schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    validator = jsonschema.Draft202012Validator(schema)
    content = yaml.safe_load((ROOT / "configs" / "demo.yaml").read_text(encoding="utf-8"))
    assert not list(validator.iter_errors(content))
    wrong = list(validator.iter_errors({**content, "regoins": {}}))
    assert "regoins" in wrong[0].message


def test_a_protocol_sets_what_the_config_does_not(config, tmp_path, capsys):
    whole = yaml.safe_load(config.read_text())
    kept = ("out", "datasets", "detector", "regions", "select")
    small = {key: whole[key] for key in kept} | {"run": {"pictures": False}}
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(small))
    given = ["--protocol", "vps-paper", "--set", "methods={box: }", "--quiet"]
    assert main(["study", str(path), *given]) == 0
    assert "49 pixel steps, black" in capsys.readouterr().out
    saved = yaml.safe_load((tmp_path / "out" / "config.yaml").read_text())
    assert saved["protocol"] == "vps-paper"
    assert saved["metrics"]["map_rule"] == "vps-paper"
    assert "Protocol vps-paper" in (tmp_path / "out" / "index.html").read_text()
    # A config that sets everything leaves nothing to a protocol, which must not go unsaid.
    assert main(["study", str(config), "--protocol", "vps-paper"]) == 2
    assert "sets all that the protocol vps-paper would" in capsys.readouterr().err

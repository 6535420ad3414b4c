"""What single pages say: measures, files, data sets, libraries of models, and commands."""

import argparse
import importlib
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
import yaml

import detectors
from tests.helpers.doc_pages import blocks, load_known, named, pages, read, run_python
from tests.helpers.paths import ROOT
from tests.helpers.studies import LOADER, config_of, draw
from tools.make_scenes import main as make_scenes
from vps import METRICS, Explanation
from vps.cli.main import _command
from vps.data.readers.formats import open_dataset
from vps.results.explanation import SCHEMA_VERSION
from vps.results.stored import ARRAYS
from vps.study.study import run_study

DOCS = ROOT / "docs"


@pytest.fixture
def known(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(detectors, "load", load_known)


def names_in_cells(text: str) -> set[str]:
    """What tables have in their first cells, between ticks."""
    cells = re.findall(r"^\| ([^|]+) \|", text, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([\w-]+)`", cell)}


@pytest.mark.usefixtures("known")
def test_measures_are_all_on_their_page(tmp_path):
    assert set(METRICS) == names_in_cells(read(DOCS / "measures.md"))
    names = run_python(DOCS / "measures.md", tmp_path)
    assert names["values"]["insertion"] == names["explanation"].insertion_auc
    assert names["more"]["highest_score_90"] <= names["more"]["highest_score_50"]
    assert names["more"]["success_50at75"] == (names["more"]["highest_score_75"] > 0.5)


@pytest.mark.usefixtures("known")
def test_files_hold_what_their_page_says(tmp_path):
    draw(tmp_path, 2)
    study = config_of(tmp_path, out="out/eval/demo", select={"score_threshold": 0.2})
    assert run_study(study, LOADER, quiet=True) == 0
    page = DOCS / "file_formats.md"
    names = run_python(page, tmp_path)
    text = read(page)
    assert names["explanation"] == Explanation.load("out/first")
    assert names["record"]["schema_version"] == SCHEMA_VERSION
    assert f"| {SCHEMA_VERSION} |" in text
    assert f"| {SCHEMA_VERSION + 1} |" not in text
    assert set(ARRAYS) <= names_in_cells(text)
    assert set(names["arrays"]) <= set(ARRAYS)
    words = set(re.findall(r"`(\w+)`", text))
    assert set(names["record"]) | set(names["record"]["target"]) <= words
    assert names["first"].any()
    assert len(names["by_vps"]) == 4
    listed = json.loads(Path("out/eval/demo/lists/drawn.json").read_text())
    assert set(listed["cases"][0]) <= words | {"predicted_box", "predicted_label"}
    (row,) = Path("out/eval/demo/cases/drawn/1/d1").glob("vps-*.row.json")
    assert row.with_name(row.name.replace(".row.json", ".npz")).exists()


def test_data_sets_of_the_page_are_read(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    page = DOCS / "data_sets.md"
    (command,) = [code for code in blocks(page, "sh") if "make_scenes" in code]
    monkeypatch.setattr("sys.argv", [*shlex.split(command)[1:2], "out/scenes", "--count", "4"])
    make_scenes()
    (content,) = blocks(page, "yaml")
    for data in yaml.safe_load(content)["datasets"].values():
        options = data.get("options", {})
        dataset = open_dataset(data["format"], data["annotations"], data["images"], **options)
        assert len(dataset) > 0
    sample = run_python(page, tmp_path)["sample"]
    assert len(sample.labels) == len(sample.boxes) > 0


def test_weights_of_the_page_are_read(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    names = run_python(DOCS / "model_libraries.md", tmp_path)
    assert names["detector"].labels == ("cat", "dog")


def commands() -> Iterator[tuple[str, list[str]]]:
    """Each command that a page shows, with the page; what comes after a pipe is left out."""
    for page in pages():
        for code in blocks(page, "sh"):
            for line in code.replace("\\\n", " ").splitlines():
                words = shlex.split(line, comments=True)
                if words:
                    yield named(page), words


def of_vps(words: list[str]) -> list[str] | None:
    """The arguments of the `vps` command."""
    program = Path(words[0]).name
    if program == "vps":
        return words[1:]
    if words[1:2] == ["tools/eval.py"]:
        return ["study", *words[2:]]
    return ["explain", *words[2:]] if words[1:2] == ["tools/explain.py"] else None


def check_vps(arguments: list[str]) -> None:
    """Parse them as the command would, without running it."""
    _command().commands[arguments[0]].make_context(arguments[0], arguments[1:])


def check_benchmark(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    importlib.import_module(f"tools.benchmarks.{arguments[0]}").add_arguments(parser)
    parser.parse_args(arguments[1:])


def test_commands_of_the_pages_are_understood():
    wrong, seen = [], 0
    for page, words in commands():
        arguments = of_vps(words)
        try:
            if arguments is not None and arguments[:1] != ["--version"]:
                check_vps(arguments)
            elif words[1:2] == ["tools/benchmark.py"]:
                check_benchmark(words[2:])
            else:
                continue
        except (KeyError, typer.TyperException, SystemExit) as error:
            wrong.append(f"{page}: {' '.join(words)}: {error!r}")
        seen += 1
    assert wrong == []
    assert seen > 50

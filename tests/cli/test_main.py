"""What holds for every command: help, version, near names, exit statuses."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import vps
from tests.helpers.cli import fails
from tests.helpers.paths import ROOT
from vps.cli.main import main

COMMANDS = (
    "detect",
    "explain",
    "study",
    "select",
    "report",
    "demo",
    "detectors",
    "methods",
    "searches",
)


@pytest.mark.parametrize("arguments", [["--help"], ["explain", "--help"], ["--version"]])
def test_help_and_version_import_nothing_that_takes_long(arguments):
    code = (
        f"import sys\nfrom vps.cli.main import main\nassert main({arguments}) == 0\n"
        "slow = {'torch', 'numpy', 'transformers', 'matplotlib', 'yaml', 'tqdm'}\n"
        "assert not slow & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, capture_output=True)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_a_help_that_fits_a_terminal(command, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["--help"]) == 0
    assert f" {command} " in capsys.readouterr().out
    assert main([command, "--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(f"vps {command}" in line for line in lines)
    assert max(map(len, lines)) <= 80
    assert not any("\x1b" in line for line in lines)


def test_the_same_door_from_a_checkout(image, tmp_path):
    command = [sys.executable, str(ROOT / "tools" / "explain.py"), "no.png", "--out", "out"]
    environment = {**os.environ, "PYTHONPATH": ""}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert done.returncode == 2
    assert done.stderr == "error: image no.png does not exist\n"


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"vps {vps.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "near"),
    [
        (["explan", "a.png"], "'explain'"),
        (["detect", "a.png", "--promt", "dog ."], "--prompt"),
        (["explain", "a.png", "--serch", "greedy"], "--search"),
    ],
)
def test_what_is_misspelt_gets_the_nearest_name(arguments, near, capsys):
    fails(capsys, main(arguments), arguments[0], near, "--help)")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["Missing command"]),
        (["explain", "a.png"], ["'--out'", "vps explain --help"]),
        (["explain", "a.png", "--box", "1", "2", "x", "4", "--out", "o"], ["'--box'", "'x'"]),
        (["detect", "a.png", "--threshold", "high"], ["'--threshold'", "'high'"]),
        (["detect", "a.png", "b.png"], ["b.png"]),
        (["report"], ["FOLDER"]),
        (["study"], ["CONFIG"]),
    ],
)
def test_wrong_arguments_are_told_in_a_line(arguments, words, capsys):
    fails(capsys, main(arguments), *words)


def test_ctrl_c_is_told_and_ends_with_130(tmp_path, capsys, monkeypatch, image):
    # Not by a signal: where the tests run in the background, it is ignored.
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("detectors.load", interrupted)
    assert main(["detect", image]) == 130
    assert capsys.readouterr().err == "interrupted; saved so far: nothing\n"


@pytest.mark.parametrize("arguments", ["explain --help", "methods"])
def test_a_reader_that_goes_away_ends_a_command_quietly(arguments):
    # The pipe is closed before anything is written into it.
    script = f"{sys.executable} -m vps.cli.main {arguments} | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "1\n"
    assert done.stderr == ""

"""The names that the help shows and a shell completes are those of the registries."""

from __future__ import annotations

import subprocess
import sys

import pytest

from detectors.shared.pixels import DTYPES
from tests.helpers.paths import ROOT
from vps.cli import choices
from vps.cli.main import main
from vps.core.masking import FILLS
from vps.core.regions import NUMBERINGS, REGION_METHODS
from vps.core.scoring import MODES
from vps.methods import METHODS
from vps.search import SEARCHES
from vps.search.settings import AUTO, EFFORTS


@pytest.mark.parametrize(
    ("names", "registry"),
    [
        (choices.SEARCH_NAMES, {AUTO, *SEARCHES}),
        (choices.METHOD_NAMES, METHODS),
        (choices.EFFORT_NAMES, EFFORTS),
        (choices.REGION_METHOD_NAMES, REGION_METHODS),
        (choices.NUMBERING_NAMES, dict.fromkeys(NUMBERINGS)),
        (choices.FILL_NAMES, FILLS),
        (choices.MODE_NAMES, MODES),
        (choices.DTYPE_NAMES, DTYPES),
    ],
)
def test_names_are_those_of_the_registry_and_stand_in_the_help(names, registry, capsys):
    assert sorted(names) == sorted(registry)
    assert main(["explain", "--help"]) == 0
    text = capsys.readouterr().out
    assert [name for name in names if name not in text] == []


def complete(words: str, monkeypatch, capsys) -> list[str]:
    """What bash is told when Tab is pressed after some words."""
    monkeypatch.setenv("_VPS_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split(" ")) - 1))
    with pytest.raises(SystemExit, match="0"):
        main([])
    return capsys.readouterr().out.split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("vps exp", ["explain", "export"]),
        ("vps explain --reg", ["--regions", "--region-method", "--regions-file"]),
        ("vps explain a.png --fill b", ["black", "blur"]),
        ("vps explain a.png --search ", list(choices.SEARCH_NAMES)),
        ("vps demo --effort h", ["high"]),
        ("vps study --s", ["--set", "--shard", "--schema"]),
    ],
)
def test_a_shell_completes_commands_options_and_choices(words, offered, monkeypatch, capsys):
    assert sorted(complete(words, monkeypatch, capsys)) == sorted(offered)


def test_the_completion_of_bash_is_printed():
    script = f"{sys.executable} -m vps.cli.main --show-completion; exit $?"
    done = subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "complete -o default -F _vps_completion vps" in done.stdout

"""`vps detectors`, `vps methods`, `vps searches`."""

from __future__ import annotations

import detectors
from detectors import DETECTORS
from vps.cli.main import main
from vps.methods import METHODS
from vps.search import SEARCHES


def test_detectors_lists_every_kind_with_what_it_needs(capsys, monkeypatch):
    monkeypatch.setitem(
        DETECTORS,
        "rare",
        detectors.DetectorEntry("a:b", "rare birds", ("torch", "dodo"), "rare", "rare:x"),
    )
    assert main(["detectors"]) == 0
    printed = capsys.readouterr().out
    for kind, entry in DETECTORS.items():
        assert f"{kind}: {entry.about}" in printed
        assert f"--detector {entry.example}" in printed
    assert "not installed: dodo; pip install 'visual-precision-search[rare]'" in printed


def test_searches_are_listed_with_what_they_do(capsys):
    assert main(["searches"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["auto", *SEARCHES]
    assert all(len(line.partition(": ")[2]) > 20 for line in lines)


def test_methods_are_listed_with_family_passes_and_needs(capsys):
    assert main(["methods"]) == 0
    head, *lines, note = capsys.readouterr().out.splitlines()
    assert head.split() == ["method", "family", "passes", "needs", "what", "it", "does"]
    assert [line.split()[0] for line in lines] == list(METHODS)
    (drise,) = [line for line in lines if line.startswith("drise")]
    assert drise.split()[1:4] == ["perturbation", "5,001", "-"]
    assert "64 regions" in note

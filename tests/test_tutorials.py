"""The tutorials, which are notebooks kept as text, run from their first cell to their last."""

from __future__ import annotations

import runpy

import pytest

from tests.helpers.paths import ROOT
from vps import METHODS, METRICS

TUTORIALS = sorted((ROOT / "docs" / "tutorials").glob("*.py"))
LAST = {
    "add_your_own": "8.3%",
    "compare_methods": "table.tex",
    "explain_one_detection": "True",
    "why_did_it_fail": "of the image",
}
"""How what each prints ends."""


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_a_tutorial_runs(path, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    before = [dict(METHODS), dict(METRICS)]
    try:
        runpy.run_path(str(path))
    finally:
        for table, entries in zip((METHODS, METRICS), before, strict=True):
            table.clear()
            table.update(entries)
    assert capsys.readouterr().out.strip().endswith(LAST[path.stem])

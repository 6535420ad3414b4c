import importlib
import subprocess
import sys

import pytest

from tests.test_layout import ROOT


def test_measures_a_small_grid(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "tools")
    overhead = importlib.import_module("benchmarks.overhead")
    monkeypatch.setattr(overhead, "SIZE", (160, 200))
    own, clone, ratio = overhead._times("cpu", 8, 3, 12, runs=2)
    assert min(own, clone, ratio) > 0


@pytest.mark.parametrize("arguments", [["--help"], ["overhead", "--help"]])
def test_runs_from_a_checkout_without_being_installed(arguments, tmp_path):
    command = [sys.executable, str(ROOT / "tools" / "benchmark.py"), *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "overhead" in done.stdout

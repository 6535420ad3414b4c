import multiprocessing
import subprocess
import sys

import pytest

from tests.helpers.paths import ROOT
from tools.benchmarks import overhead


def test_measures_a_small_grid(monkeypatch):
    monkeypatch.setattr(overhead, "SIZE", (310, 400))
    own, clone, ratio = overhead._times("cpu", 8, 3, 12, runs=2)
    assert min(own, clone, ratio) > 0


@pytest.mark.parametrize("arguments", [["--help"], ["overhead", "--help"]])
def test_runs_from_a_checkout_without_being_installed(arguments, tmp_path):
    command = [sys.executable, str(ROOT / "tools" / "benchmark.py"), *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "overhead" in done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak memory of Linux")
@pytest.mark.parametrize("count", [64, 256])
def test_memory_of_the_engine_stays_under_three_batches(count):
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(overhead._memory, ("cpu", count, 4, 16)) < 3

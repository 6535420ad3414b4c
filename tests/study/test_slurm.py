"""The job for SLURM clusters, with stubs of `srun` and `vps` on the path."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.paths import ROOT
from tests.helpers.studies import config_of, draw, outcome
from vps.cli.study import LOADER
from vps.study.study import run_study

SCRIPT = ROOT / "configs" / "study.sbatch"

# Starts the tasks side by side, each with its number, and ends when all have.
SRUN = """#!/bin/bash
while [[ $1 == --* ]]; do shift; done
echo "$SLURM_NTASKS tasks" >> "$STARTED"
for ((task = 0; task < SLURM_NTASKS; task++)); do SLURM_PROCID=$task "$@" & done
wait
"""
VPS = """#!/bin/bash
echo "$@" >> "$STARTED"
exec {python} -m vps.cli.entry "$@"
"""


def stub(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)


@pytest.mark.skipif(sys.platform != "linux", reason="SLURM runs on Linux")
def test_tasks_of_a_job_leave_what_one_process_does(tmp_path):
    draw(tmp_path, 4)
    chosen = {"select": {"score_threshold": 0.2, "per_image": 1}}
    config = config_of(
        tmp_path, **chosen, detector={"name": "tests.helpers.studies:bright", "device": "cpu"}
    )
    config.save(tmp_path / "study.yaml")
    binaries = tmp_path / "bin"
    binaries.mkdir()
    stub(binaries, "srun", SRUN)
    stub(binaries, "vps", VPS.format(python=sys.executable))
    started = tmp_path / "started"
    alone, spread = tmp_path / "alone", tmp_path / "spread"
    environment = os.environ | {
        "PATH": f"{binaries}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "STARTED": str(started),
        "SLURM_NTASKS": "2",
        "OMP_NUM_THREADS": "1",
    }
    job = ["bash", str(SCRIPT), "study.yaml", "--set", f"out={spread}"]
    done = subprocess.run(job, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told = started.read_text().splitlines()
    assert told[0] == "2 tasks"
    assert sorted(line.split("--shard ")[1][:3] for line in told[1:3]) == ["1/2", "2/2"]
    assert "2 of 2 cases done" in done.stdout  # by each of them
    assert "4 of 4 cases done" in done.stdout
    assert (spread / "index.html").exists()

    assert run_study(dataclasses.replace(config, out=str(alone)), LOADER, quiet=True) == 0
    assert outcome(spread) == outcome(alone)
    assert len([name for name in outcome(alone) if name.endswith(".npz")]) == 12


def test_the_page_shows_the_job_as_it_is():
    page = (ROOT / "docs" / "clusters.md").read_text(encoding="utf-8")
    assert f"```sh\n{SCRIPT.read_text(encoding='utf-8')}```" in page

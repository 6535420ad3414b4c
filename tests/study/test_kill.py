"""What is killed at any moment and started again gives what an undisturbed start does."""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.studies import LOADER, calls_of, outcome, select, start, start_call, study
from vps.results.explanation import Explanation
from vps.study.run import run
from vps.study.store import Store, facts_of
from vps.study.study import report_study

COUNT = 12
DELAY = 0.003  # seconds of a pass, so that a kill finds a run at work
PROCESSES = {"executor": "processes", "workers": 2}
RAY = {"executor": "ray", "workers": 2}


def results(out: Path) -> int:
    return len(list(out.rglob("*.npz")))


def gone(process: int) -> bool:
    """Whether a process has ended; one that nobody waits for is a zombie."""
    try:
        return ") Z " in Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return True


def wait_until(done, seconds: float = 600) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("settings", "kills"),
    [
        pytest.param({}, 2, id="serial"),
        pytest.param({}, 10, id="serial often", marks=pytest.mark.slow),
        pytest.param(PROCESSES, 1, id="processes", marks=pytest.mark.slow),
        pytest.param(PROCESSES, 10, id="processes often", marks=pytest.mark.slow),
        pytest.param(RAY, 10, id="ray often", marks=pytest.mark.slow),
    ],
)
def test_kills_leave_no_trace(tmp_path, settings, kills):
    if settings == RAY:
        pytest.importorskip("ray")
    config, lists = study(tmp_path, COUNT)
    run(config, lists, loader=LOADER)
    expected = outcome(config.out)
    out, log = tmp_path / "killed", tmp_path / "log"
    rng = np.random.default_rng()
    for _ in range(kills):
        done = results(out)
        child = start(tmp_path, COUNT, out, settings, delay=DELAY, log=str(log))
        # Not before it works: what is to be hit are the writes, not the imports.
        wait_until(lambda done=done, child=child: results(out) > done or not child.is_alive())
        time.sleep(rng.uniform(0, 0.06))
        assert child.is_alive(), "the run is over before it could be killed"
        child.kill()
        child.join()
        # Workers notice, and do not go on for nobody.
        wait_until(lambda: all(gone(process) for process, _ in calls_of(log)))
        for path in out.rglob("*.row.json"):
            json.loads(path.read_text())
    last = start(tmp_path, COUNT, out, settings)
    last.join(600)
    assert last.exitcode == 0
    assert outcome(out) == expected
    killed, _ = study(tmp_path, COUNT, out=str(out))
    statuses = {record.status for record in Store(killed, facts_of(lists)).records(lists)}
    assert statuses == {"done"}


def test_workers_of_a_killed_parent_end_in_the_middle_of_a_case(tmp_path):
    log = tmp_path / "log"
    child = start(tmp_path, 2, tmp_path / "out", PROCESSES, delay=1000, log=str(log))
    wait_until(lambda: len({process for process, _ in calls_of(log)}) == 2)
    child.kill()
    child.join()
    wait_until(lambda: all(gone(process) for process, _ in calls_of(log)))


@pytest.mark.parametrize(
    ("settings", "kills"),
    [
        pytest.param({}, 1, id="serial"),
        pytest.param(PROCESSES, 1, id="processes", marks=pytest.mark.slow),
        pytest.param(PROCESSES, 3, id="processes often", marks=pytest.mark.slow),
        pytest.param(RAY, 3, id="ray often", marks=pytest.mark.slow),
    ],
)
def test_a_killed_selection_goes_on(tmp_path, settings, kills):
    if settings == RAY:
        pytest.importorskip("ray")
    logs = [tmp_path / name for name in ("whole.log", "killed.log", "rest.log")]
    whole, out = tmp_path / "whole", tmp_path / "killed"
    study(tmp_path, COUNT)  # draws the images
    start_call(select, tmp_path, COUNT, whole, {"log": str(logs[0])}, {}).join(600)
    slowed = {"log": str(logs[1]), "delay": 0.05}
    for number in range(kills):
        child = start_call(select, tmp_path, COUNT, out, slowed, settings)
        wait_until(lambda n=number: len(list(out.rglob("*.parts/*.json"))) > n)
        child.kill()
        child.join()
        wait_until(lambda: all(gone(process) for process, _ in calls_of(logs[1])))
    assert not (out / "lists" / "drawn.json").exists()
    left = COUNT - 2 * len(list(out.rglob("*.parts/*.json")))
    start_call(select, tmp_path, COUNT, out, {"log": str(logs[2])}, settings).join(600)
    first, again = (json.loads((f / "lists" / "drawn.json").read_text()) for f in (whole, out))
    assert first == again
    assert len(calls_of(logs[0])) == COUNT
    assert len(calls_of(logs[2])) == left
    assert not list(out.rglob("*.parts"))


def report(out: Path) -> None:
    report_study([out])


def test_a_killed_report_is_made_again(tmp_path):
    config, lists = study(tmp_path, 2, report={"draws": 20})
    run(config, lists, loader=LOADER)
    out = Path(config.out)
    config.save(out / "config.yaml")
    lists["drawn"].save(out / "lists" / "drawn.json")
    report(out)
    names = ("summary.json", "cases.csv", "table.md", "table.tex")
    expected = {name: (out / name).read_bytes() for name in names}
    for name in names[:2]:
        for path in (out / one for one in names):
            path.unlink(missing_ok=True)
        child = start_call(report, out)
        wait_until(lambda name=name: (out / name).exists())
        child.kill()
        child.join()
        assert all(
            (out / one).read_bytes() == expected[one] for one in names if (out / one).exists()
        )
    report(out)
    assert {name: (out / name).read_bytes() for name in names} == expected


def save_for_ever(explanation: Explanation, path: Path) -> None:
    for number in range(10**9):
        dataclasses.replace(explanation, seed=number).save(path)


def test_a_killed_save_leaves_a_whole_result_or_none(tmp_path, explanation):
    path = tmp_path / "result"
    record = path.with_suffix(".json")  # where it is there, the pair is whole
    rng = np.random.default_rng()
    for _ in range(10):
        child = start_call(save_for_ever, explanation, path)
        wait_until(record.exists)
        time.sleep(rng.uniform(0, 0.05))
        child.kill()
        child.join()
        if record.exists():
            assert dataclasses.replace(Explanation.load(path), seed=0) == explanation
    explanation.save(path)
    assert Explanation.load(path) == explanation

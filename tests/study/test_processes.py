from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from tests.helpers.studies import LOADER, calls_of, outcome, start, study
from vps.errors import DetectorError, OutputError, VpsError
from vps.study.run import run


def processes(workers=2, **settings):
    return {"executor": "processes", "workers": workers, "pictures": False, **settings}


def parallel(tmp_path, count=3, **changes):
    out = str(tmp_path / "parallel")
    return study(tmp_path, count, **{"run": processes(), "out": out, **changes})


def undisturbed(tmp_path, count=3):
    config, lists = study(tmp_path, count)
    run(config, lists, loader=LOADER)
    return outcome(config.out)


def first_cases(lists):
    """One case an image."""
    cases = lists["drawn"].cases[::2]
    return {"drawn": dataclasses.replace(lists["drawn"], cases=cases)}


def test_processes_write_the_same_files_even_if_one_is_killed(tmp_path, tricks):
    expected = undisturbed(tmp_path)
    tricks(die=2, once=tmp_path / "died", log=tmp_path / "log")
    config, lists = parallel(tmp_path)
    summary = run(config, lists, loader=LOADER)
    assert (tmp_path / "died").exists()
    assert (summary.done, summary.failed, summary.results) == (6, 0, 18)
    assert outcome(config.out) == expected
    assert len({process for process, _ in calls_of(tmp_path / "log")}) == 3


def test_a_case_that_always_kills_its_worker_is_given_up(tmp_path, tricks):
    tricks(die=1, log=tmp_path / "log")
    config, lists = parallel(tmp_path, 2, run=processes(1, attempts=2))
    summary = run(config, first_cases(lists), loader=LOADER)
    assert (summary.done, summary.failed) == (1, 1)
    error = json.loads(next(Path(config.out).rglob("*.error.json")).read_text())
    assert "killed by signal 9, SIGKILL" in error["message"]
    assert "2 times" in error["message"]
    assert len({process for process, _ in calls_of(tmp_path / "log")}) == 3


def test_a_worker_that_loses_its_gpu_is_replaced(tmp_path, tricks):
    tricks(lost=1)
    config, lists = parallel(tmp_path, 2, run=processes(1, attempts=1))
    summary = run(config, first_cases(lists), loader=LOADER)
    assert (summary.done, summary.failed) == (1, 1)


def test_a_worker_that_keeps_dying_while_it_loads_stops_the_run(tmp_path):
    dying = {"name": "brightness", "options": {"dying": True}}
    config, lists = parallel(tmp_path, 1, detector=dying, run=processes(1, attempts=2))
    with pytest.raises(DetectorError, match="while they load the detector"):
        run(config, lists, loader=LOADER)


def test_errors_that_end_the_run_come_out_of_the_workers(tmp_path):
    broken = {"name": "brightness", "options": {"broken": True}}
    config, lists = parallel(tmp_path, 1, detector=broken, run=processes(1))
    with pytest.raises(DetectorError, match="no such weights"):
        run(config, lists, loader=LOADER)


def test_a_folder_that_cannot_be_written_stops_the_run(tmp_path):
    config, lists = parallel(tmp_path, 1, run=processes(1))
    Path(config.out).touch()
    with pytest.raises(OutputError):
        run(config, lists, loader=LOADER)


def test_a_strict_run_stops_at_the_first_failure(tmp_path, tricks):
    tricks(fail=1)
    config, lists = parallel(tmp_path, 2, run=processes(1, strict=True))
    with pytest.raises(VpsError, match="image 1, case d1"):
        run(config, lists, loader=LOADER)


def test_no_process_is_started_where_nothing_is_missing(tmp_path):
    undisturbed(tmp_path, 1)
    config, lists = study(tmp_path, 1, run=processes())
    assert run(config, lists, loader="no.such:loader").computed == 0


def test_two_runs_on_one_folder_share_the_work(tmp_path, tricks):
    expected = undisturbed(tmp_path, 6)
    log, out = tmp_path / "log", tmp_path / "shared"
    children = [start(tmp_path, 6, out, log=str(log), delay=0.003) for _ in range(2)]
    for child in children:
        child.join(60)
    assert [child.exitcode for child in children] == [0, 0]
    assert outcome(out) == expected
    # Each case was computed by one of the two only.
    calls = calls_of(log)
    tricks(log=tmp_path / "alone")
    config, lists = study(tmp_path, 6, out=str(tmp_path / "again"))
    run(config, lists, loader=LOADER)
    assert len(calls) == len(calls_of(tmp_path / "alone"))
    assert len({process for process, _ in calls}) == 2

"""A run that is killed at any moment and started again gives what an undisturbed one does."""

from __future__ import annotations

import json
import time

import numpy as np

from tests.helpers.studies import LOADER, outcome, start, study
from vps.study.run import run
from vps.study.store import Store, facts_of

COUNT, KILLS = 12, 10


def test_ten_kills_leave_no_trace(tmp_path):
    config, lists = study(tmp_path, COUNT)
    run(config, lists, loader=LOADER)
    expected = outcome(config.out)
    out = tmp_path / "killed"
    rng = np.random.default_rng()
    for _ in range(KILLS):
        done = len(list(out.rglob("*.npz")))
        child = start(tmp_path, COUNT, out, delay=0.003)
        # Not before it works: what is to be hit are the writes, not the imports.
        while child.is_alive() and len(list(out.rglob("*.npz"))) <= done:
            time.sleep(0.001)
        time.sleep(rng.uniform(0, 0.06))
        assert child.is_alive(), "the run is over before it could be killed"
        child.kill()
        child.join()
        for path in out.rglob("*.row.json"):
            json.loads(path.read_text())
    last = start(tmp_path, COUNT, out)
    last.join(60)
    assert last.exitcode == 0
    assert outcome(out) == expected
    killed, _ = study(tmp_path, COUNT, out=str(out))
    statuses = {record.status for record in Store(killed, facts_of(lists)).records(lists)}
    assert statuses == {"done"}

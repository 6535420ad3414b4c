"""Broken inputs at every door: a slice of what `make fuzz` tries, and the judge of it all."""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import time

import numpy as np
import pytest
import torch

from tools.fuzzing import verdicts
from tools.fuzzing.doors import DOORS
from tools.fuzzing.mutation import DEEP, as_json, broken_bytes, broken_tree
from tools.fuzzing.run import fuzz, show
from tools.fuzzing.verdicts import Verdict, outcomes
from vps.errors import InputError

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="forks, reads /proc")


def attempt(number: int) -> int | None:
    if number == 2:
        raise InputError("a clear error")
    if number == 3:
        raise ZeroDivisionError("deep inside")
    if number == 4:
        faulthandler.disable()  # pytest's would print
        os.kill(os.getpid(), signal.SIGSEGV)
    if number == 5:
        while True:
            pass
    if number == 6:
        time.sleep(60)
    if number == 7:
        np.ones(1 << 40, np.uint8)
    return {8: 2, 9: 1}.get(number)


def test_each_input_gets_its_verdict(monkeypatch):
    monkeypatch.setattr(verdicts, "SECONDS", 1)
    monkeypatch.setattr(verdicts, "PATIENCE", 3.0)
    found = {one.number: one for one in outcomes(range(1, 10), attempt)}
    assert {number: one.verdict.value for number, one in found.items()} == {
        **{1: "works", 2: "clean", 3: "traceback", 4: "crash", 5: "hang", 6: "hang"},
        **{7: "traceback", 8: "clean", 9: "works"},
    }
    assert found[2].text == "a clear error"
    assert "deep inside" in found[3].text
    assert "-11" in found[4].text
    assert "MemoryError" in found[7].text


def test_threads_of_the_parent_are_not_waited_for(monkeypatch):
    """A fork has none of them, and its first sum of many numbers would wait for ever."""
    monkeypatch.setattr(verdicts, "PATIENCE", 3.0)
    numbers = torch.ones(1 << 20)
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        (numbers * 2).sum()
        (found,) = outcomes([1], lambda number: (numbers * 2).sum() and None)
    finally:
        torch.set_num_threads(threads)
    assert found.verdict is Verdict.WORKS, found.text


def test_the_same_number_is_the_same_input():
    value = {"a": [1, {"b": "c"}], "d": None}
    trees = [as_json(broken_tree(value, np.random.default_rng(n))) for n in (*range(50),) * 2]
    assert trees[:50] == trees[50:]
    assert len(set(trees)) > 30
    assert value == {"a": [1, {"b": "c"}], "d": None}
    texts = [broken_bytes(b"abcdefgh" * 9, np.random.default_rng(n)) for n in (*range(50),) * 2]
    assert texts[:50] == texts[50:]
    assert len(set(texts)) > 30
    assert as_json({"a": DEEP}).startswith(b'{"a": [[[')


QUICK = [kind for kind in DOORS if kind not in ("report", "selection")]


def test_a_slice_of_all_kinds(tmp_path):
    found = fuzz(tmp_path, count=90, kinds=QUICK, jobs=2)
    assert not found.faults, show(found)
    assert sum(found.counts.values()) >= 85
    assert {verdict for _, verdict in found.counts} <= {Verdict.CLEAN, Verdict.WORKS}
    assert not list(tmp_path.iterdir())


def test_some_inputs_of_a_kind_still_work(tmp_path):
    """Where all are refused, the door may refuse the whole input that they are made from."""
    kinds = ["coco", "lvis", "refcoco", "refcoco-mdetr", "refcoco-tsv"]
    found = fuzz(tmp_path, count=120, kinds=kinds)
    assert all(found.counts[kind, Verdict.WORKS] for kind in kinds), show(found)

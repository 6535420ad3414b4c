from __future__ import annotations

import os

import pytest
import torch

from vps.study.devices import (
    cores_here,
    devices_here,
    environment,
    thread_settings,
    threads_alone,
)


@pytest.mark.parametrize(
    ("device", "workers", "gpus", "expected"),
    [
        ("auto", 0, 0, ["cpu"]),
        ("auto", 2, 0, ["cpu", "cpu"]),
        ("auto", 0, 3, ["cuda:0", "cuda:1", "cuda:2"]),
        ("auto", 3, 2, ["cuda:0", "cuda:1", "cuda:0"]),
        ("cpu", 0, 2, ["cpu"]),
        ("cuda:1", 2, 4, ["cuda:1", "cuda:1"]),
    ],
)
def test_each_worker_has_a_device(monkeypatch, device, workers, gpus, expected):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    assert devices_here(device, workers) == expected


def test_the_environment_is_as_before_afterwards(monkeypatch):
    monkeypatch.setenv("VPS_ONE", "1")
    monkeypatch.delenv("VPS_TWO", raising=False)
    with environment({"VPS_ONE": "x", "VPS_TWO": "y"}):
        assert (os.environ["VPS_ONE"], os.environ["VPS_TWO"]) == ("x", "y")
    assert os.environ["VPS_ONE"] == "1"
    assert "VPS_TWO" not in os.environ


def test_no_process_takes_more_threads_than_are_set_or_than_it_has_cores(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 10_000)
    assert threads_alone(1) == 1
    assert threads_alone(None) == threads_alone(10_000) == cores_here()


def test_workers_wait_asleep():
    settings = thread_settings(3)
    assert settings["OMP_NUM_THREADS"] == "3"
    assert settings["OMP_WAIT_POLICY"] == "PASSIVE"

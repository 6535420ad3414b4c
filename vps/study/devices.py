"""Who computes where: devices and cores of the workers on one machine."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping

import torch

AUTO_DEVICE = "auto"


def devices_here(device: str, workers: int) -> list[str]:
    """The device of each worker: with "auto", GPUs in turn where there are some, else the CPU.

    Args:
        device: as the config has it.
        workers: how many; 0 for one a GPU, or one without a GPU.
    """
    # Does not open the GPUs, which would take memory of each.
    gpus = torch.cuda.device_count() if device == AUTO_DEVICE else 0
    count = workers or gpus or 1
    if device != AUTO_DEVICE:
        return [device] * count
    return [f"cuda:{number % gpus}" if gpus else "cpu" for number in range(count)]


def cores_here() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def thread_settings(threads: int) -> dict[str, str]:
    """Environment variables that libraries read once, when they are imported.

    Threads that have nothing to do sleep: where cores are shared, waiting in a loop takes them away
    from those that have.
    """
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    return {**dict.fromkeys(names, str(threads)), "OMP_WAIT_POLICY": "PASSIVE"}


def threads_alone(threads: int | None) -> int:
    """How many threads one process takes for itself: what is set, but no more than its cores."""
    return min(threads or torch.get_num_threads(), cores_here())


@contextlib.contextmanager
def environment(settings: Mapping[str, str]) -> Iterator[None]:
    """Environment variables for the processes that are started meanwhile."""
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value

"""Who does the work of a study: this process, others, or a cluster."""

from __future__ import annotations

import importlib
from collections.abc import Generator

from vps.core.names import choose
from vps.study.plan import Queue, Work
from vps.study.replies import Job, Reply

EXECUTORS = {
    "serial": "vps.study.serial:run_serially",
    "processes": "vps.study.processes:run_in_processes",
    "ray": "vps.study.cluster:run_on_ray",
}
"""How work gets to workers, by name: from a job and a queue to the work with what became of it."""


def execute(job: Job, queue: Queue) -> Generator[tuple[Work, Reply], None, None]:
    """Work off a queue, by the executor of the config; see those of `EXECUTORS` for errors."""
    module, function = choose(EXECUTORS, job.config.run.executor, "executor").split(":")
    yield from getattr(importlib.import_module(module), function)(job, queue)

"""One worker, in this process."""

from __future__ import annotations

from collections.abc import Iterator

from vps.errors import InputError
from vps.study.devices import devices_here, threads_alone
from vps.study.plan import Queue, Work
from vps.study.replies import Job, Reply
from vps.study.work import Worker


def run_serially(job: Job, queue: Queue) -> Iterator[tuple[Work, Reply]]:
    """Work off a queue; the detector is loaded with the first of it."""
    run = job.config.run
    if run.workers > 1:
        raise InputError(
            f"run.workers is {run.workers}, but the serial executor is one: set "
            "run.executor=processes"
        )
    worker = None
    while (work := queue.take(0)) is not None:
        if worker is None:
            device = devices_here(job.config.detector.device, 1)[0]
            worker = Worker(job.config, job.facts, job.loader, device, threads_alone(run.threads))
        yield work, worker.run(work)

"""Workers as Ray actors, on this machine or on a cluster that shares the output folder."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Iterator
from typing import Any

from vps.core.extras import require
from vps.errors import DetectorError, InputError, one_line
from vps.study.devices import AUTO_DEVICE, thread_settings
from vps.study.plan import Queue, Work
from vps.study.replies import FalseStarts, Fatal, Job, Reply, Retries, guarded
from vps.study.work import Worker

_POLL = 0.2  # seconds between two looks at an actor that Ray starts again


def run_on_ray(job: Job, queue: Queue) -> Iterator[tuple[Work, Reply]]:
    """Work off a queue with one actor a GPU, or a share of the cores.

    Joins the cluster that Ray is told of (RAY_ADDRESS, `ray start`, an earlier `ray.init`), else
    starts one here. Actors get tasks as soon as they are placed, one at a time, so slow nodes slow
    down nobody, and a cluster may grow meanwhile. An actor whose process or node dies comes back
    elsewhere, and its task is tried again, `run.attempts` times in all.

    Raises:
        OutputError, InputError, DetectorError: what a worker cannot go on after.
        MissingExtraError: Ray is not installed.
    """
    ray = require("ray", extra="ray")
    first = queue.take(None)
    if first is None:
        return
    queue.retry(first, None)
    own = not ray.is_initialized()
    if own:
        try:
            ray.init(log_to_driver=False, logging_level="warning")
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise InputError(f"the Ray cluster cannot be joined: {one_line(error)}") from error
    # Actors on other nodes start in folders of their own.
    job = dataclasses.replace(job, config=job.config.absolute())
    actors: list[Any] = []
    try:
        actors = _actors(ray, job)
        yield from _work(ray, job, queue, actors)
    finally:
        for actor in actors:
            ray.kill(actor)
        if own:
            ray.shutdown()


class Actor:
    """A worker that Ray starts on some node.

    Args:
        job: of the run.
        device: of the detector.
        threads: how many cores it may use.
    """

    def __init__(self, job: Job, device: str, threads: int) -> None:
        self._worker = Worker(job.config, job.facts, job.loader, device, threads)

    def ready(self) -> None:
        """Returns once the actor has been placed."""

    def open(self, dataset: str) -> Fatal | None:
        """Open a data set and load the detector for it, see `vps.study.work.Worker.open`."""
        return guarded(lambda: self._worker.open(dataset))

    def run(self, task: Work) -> Reply | Fatal:
        """Do it, see `vps.study.work.Worker.run`."""
        return guarded(lambda: self._worker.run(task))


def _actors(ray: Any, job: Job) -> list[Any]:
    """Actors that fit the cluster, all of one size."""
    run, device = job.config.run, job.config.detector.device
    resources = ray.cluster_resources()
    gpus, cores = resources.get("GPU", 0), resources.get("CPU", 1)
    if device == AUTO_DEVICE:
        device = "cuda" if gpus else "cpu"
    on_gpu = device.startswith("cuda")
    count = run.workers or (int(gpus) if on_gpu else 0) or 1
    share = cores / count
    threads = run.threads or max(int(share), 1)
    options = {
        # Whole cores where there are enough, so that actors of one size fill different nodes.
        "num_cpus": min(threads, int(share) or share),
        "num_gpus": min(1, gpus / count) if on_gpu else 0,
        "max_restarts": -1,
        "runtime_env": {"env_vars": {**thread_settings(threads), "PYTHONPATH": _module_path()}},
    }
    actor = ray.remote(Actor).options(**options)
    # Ray shows each actor its own GPU as the first.
    return [actor.remote(job, device, threads) for _ in range(count)]


def _module_path() -> str:
    """Where actors find what this process finds: a detector may be a function of one's own."""
    here = [os.getcwd(), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    return os.pathsep.join(dict.fromkeys(filter(None, here)))


def _work(ray: Any, job: Job, queue: Queue, actors: list[Any]) -> Iterator[tuple[Work, Reply]]:
    retries, starts = Retries(job), FalseStarts(job)
    # An actor without a place, for which the cluster is too small, never gets a task.
    waiting = {actor.ready.remote(): actor for actor in actors}
    idle: list[Any] = []
    loading: dict[Any, tuple[Any, Work]] = {}
    working: dict[Any, tuple[Any, Work]] = {}
    loaded: set[Any] = set()
    while True:
        while idle and (task := queue.take(idle[-1])) is not None:
            actor = idle.pop()
            if actor in loaded:
                working[actor.run.remote(task)] = actor, task
            else:
                loading[actor.open.remote(task.dataset)] = actor, task
        if not (working or loading) and (idle or not waiting):
            return
        finished, _ = ray.wait([*working, *loading, *waiting], num_returns=1)
        for reference in finished:
            if reference in waiting:
                actor = waiting.pop(reference)
                if _is_ready(ray, reference):
                    idle.append(actor)
                else:
                    time.sleep(_POLL)
                    waiting[actor.ready.remote()] = actor
                continue
            was_loading = reference in loading
            actor, task = (loading if was_loading else working).pop(reference)
            try:
                message = ray.get(reference)
            except ray.exceptions.RayError as error:
                # Ray starts it again; a task given to it before that would fail at once.
                waiting[actor.ready.remote()] = actor
                loaded.discard(actor)
                how = type(error).__name__
                if was_loading:
                    starts.count(actor, how)
                    queue.retry(task, actor)
                    continue
                message = retries.give_up(task, how)
            else:
                if isinstance(message, Fatal):
                    raise message.error()
                if was_loading:
                    loaded.add(actor)
                    starts.clear(actor)
                    working[actor.run.remote(task)] = actor, task
                    continue
                idle.append(actor)
            if message is None:
                queue.retry_after_death(task, actor)
            else:
                yield task, message


def _is_ready(ray: Any, reference: Any) -> bool:
    """Whether an actor has its place; False while Ray starts it again after its death."""
    try:
        ray.get(reference)
    except ray.exceptions.ActorUnavailableError:
        return False
    except ray.exceptions.RayError as error:
        raise DetectorError(f"a worker cannot be started by Ray: {one_line(error)}") from error
    return True

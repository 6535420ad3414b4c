"""Workers as processes of this machine, each with a detector and a share of the cores."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from vps.study.devices import cores_here, devices_here, environment, thread_settings
from vps.study.plan import Queue, Work
from vps.study.replies import FalseStarts, Fatal, Job, Reply, Retries, guarded
from vps.study.work import Worker

_READY = "ready"
_GRACE = 5.0  # seconds for a process to end by itself


def run_in_processes(job: Job, queue: Queue) -> Iterator[tuple[Work, Reply]]:
    """Work off a queue; each worker has one task at a time, so nothing piles up.

    A worker that dies is replaced, and its task tried again, `run.attempts` times in all.

    Raises:
        OutputError, InputError, DetectorError: what a worker cannot go on after.
    """
    run = job.config.run
    devices = devices_here(job.config.detector.device, run.workers)
    threads = run.threads or max(cores_here() // len(devices), 1)
    seats = [_Seat(job, device, threads) for device in devices]
    deaths = Retries(job)
    try:
        while True:
            for seat in seats:
                if seat.task is None and (task := queue.take(seat)) is not None:
                    seat.give(task)
            working = {seat.pipe: seat for seat in seats if seat.task is not None}
            if not working:
                return
            for pipe in wait(list(working)):
                seat = working[pipe]
                message = seat.receive()
                if isinstance(message, Fatal):
                    raise message.error()
                if message == _READY:
                    continue
                task = seat.release()
                reply = message or deaths.give_up(task, seat.bury())
                if reply is None:
                    queue.retry_after_death(task, seat)
                else:
                    yield task, reply
    finally:
        for seat in seats:
            seat.close()


class _Seat:
    """A place for a worker: one process after another, should they die.

    Args:
        job: of the run.
        device: of the detector.
        threads: how many cores it may use.
    """

    def __init__(self, job: Job, device: str, threads: int) -> None:
        self.task: Work | None = None
        self.pipe: Any = None
        self._job, self._device, self._threads = job, device, threads
        self._process: BaseProcess | None = None
        self._ready = False
        self._starts = FalseStarts(job)

    def give(self, task: Work) -> None:
        """Let the worker begin with a task."""
        if self._process is None:
            self._start()
        self.task = task
        # Where it has died, `receive` will say so.
        with contextlib.suppress(OSError):
            self.pipe.send(task)

    def receive(self) -> Any:
        """A `Reply`, a `Fatal`, `_READY`, or None where the worker has died."""
        try:
            message = self.pipe.recv()
        except (EOFError, OSError):
            return None
        self._ready = True
        self._starts.clear(self)
        return message

    def release(self) -> Work:
        """The task that the worker had; it has none now."""
        task, self.task = self.task, None
        assert task is not None
        return task

    def bury(self) -> str:
        """Remove a worker that has died, and say how.

        Raises:
            DetectorError: it keeps dying while it loads the detector.
        """
        assert self._process is not None
        self._process.join(_GRACE)
        code = self._process.exitcode
        how = f"exit status {code}"
        if code is not None and code < 0:
            how = f"killed by signal {-code}, {signal.Signals(-code).name}"
        if code == -signal.SIGKILL:
            how += ", perhaps for lack of memory"
        self.close()
        if not self._ready:
            self._starts.count(self, how)
        return how

    def close(self) -> None:
        """End the worker; one in the middle of a task is stopped, and leaves no half result."""
        if self._process is None:
            return
        self.pipe.close()
        if self.task is not None:
            self._process.terminate()
        self._process.join(_GRACE)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._process.close()
        self._process = None

    def _start(self) -> None:
        # Spawned, not forked: a fork would inherit a GPU that it cannot use.
        context = multiprocessing.get_context("spawn")
        self.pipe, other = context.Pipe()
        self._ready = False
        arguments = (other, self._job, self._device, self._threads)
        self._process = context.Process(target=_serve, args=arguments, daemon=True)
        with environment(thread_settings(self._threads)), _without_interrupts():
            self._process.start()
        # Else its end would not be noticed when the worker dies.
        other.close()


@contextlib.contextmanager
def _without_interrupts() -> Iterator[None]:
    """Ctrl-C waits meanwhile, and never reaches a process that is started meanwhile.

    It reaches the whole group, and the first process ends its workers itself: they would only
    complain, from their imports on.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_with_parent() -> None:
    """Let this process end at once when the one that started it is killed.

    Else it would finish its case first. What it leaves half-written is swept by the next run.
    """
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, name="watches the parent", daemon=True).start()


def _serve(pipe: Connection, job: Job, device: str, threads: int) -> None:
    """The life of a worker process: it ends when the other end of the pipe does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _end_with_parent()
    worker = Worker(job.config, job.facts, job.loader, device, threads)
    ready = False
    with contextlib.suppress(EOFError, OSError):
        while True:
            task = pipe.recv()
            if not ready:
                message = guarded(lambda: worker.open(task.dataset))  # noqa: B023
                ready = message is None
                pipe.send(message or _READY)
            if ready:
                pipe.send(guarded(lambda: worker.run(task)))  # noqa: B023

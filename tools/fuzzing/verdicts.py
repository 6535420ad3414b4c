"""What became of an input, told by a process of its own with limits of time and memory."""

from __future__ import annotations

import contextlib
import enum
import gc
import json
import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe
from pathlib import Path

import torch

from vps.errors import VpsError

SECONDS = 20
"""Of the processor, which one input may take."""
PATIENCE = 60.0
"""Seconds of the clock without any of the processor: who waits for a pipe takes none."""
_LOOK = 0.5  # seconds between two looks at what a silent child does

MEMORY = 3 << 30
"""Bytes of addresses beyond what the imports take."""


class Verdict(enum.Enum):
    """What became of an input; the last three are faults."""

    CLEAN = "clean"
    WORKS = "works"
    TRACEBACK = "traceback"
    HANG = "hang"
    CRASH = "crash"

    @property
    def is_fault(self) -> bool:
        """Whether a user should never see it."""
        return self not in (Verdict.CLEAN, Verdict.WORKS)


@dataclass(frozen=True)
class Outcome:
    """What became of input `number`, and the error or traceback that it ended with."""

    number: int
    verdict: Verdict
    text: str = ""


def outcomes(numbers: Sequence[int], attempt: Callable[[int], int | None]) -> Iterator[Outcome]:
    """Try inputs in forked processes, several one after the other in each.

    A fork of a process with torch in it costs more than most inputs, so one that has survived an
    input goes on to the next.

    Args:
        numbers: of the inputs.
        attempt: given a number, makes the input and tries it. Returns the exit status of a command,
            or None. Whatever it raises that is no `VpsError` is a traceback.
    """
    left = list(numbers)
    gc.collect()
    gc.freeze()  # else the garbage collector of each child would copy all pages
    while left:
        pipe, theirs = Pipe(duplex=False)
        child = os.fork()
        if child == 0:
            _serve(left, attempt, theirs)
        theirs.close()
        while left:
            outcome = _receive(pipe, left[0], child)
            left.pop(0)
            yield outcome
            if outcome.verdict in (Verdict.HANG, Verdict.CRASH):
                break
        else:
            os.waitpid(child, 0)
        pipe.close()


def _receive(pipe: Connection, number: int, child: int) -> Outcome:
    try:
        if _answers(pipe, child):
            record = json.loads(pipe.recv_bytes())
            return Outcome(number, Verdict(record["verdict"]), record["text"])
    except EOFError:
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if code == -signal.SIGXCPU:
            return Outcome(number, Verdict.HANG, f"it took over {SECONDS} s of the processor")
        return Outcome(number, Verdict.CRASH, f"the process ended with {code}")
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return Outcome(number, Verdict.HANG, f"it did nothing for {PATIENCE:g} s")


def _answers(pipe: Connection, child: int) -> bool:
    """Whether a child says something or ends, however slowly, before it does nothing at all."""
    used, since = -1, 0.0
    while not pipe.poll(_LOOK):
        now = _ticks(child)
        since = 0.0 if now != used else since + _LOOK
        used = now
        if since >= PATIENCE:
            return False
    return True


def _ticks(process: int) -> int:
    """What a process has taken of the processor, its children included, in ticks of the kernel."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return -1
    return sum(map(int, fields[11:15]))


def _serve(numbers: list[int], attempt: Callable[[int], int | None], pipe: Connection) -> None:
    """The life of a child; never returns."""
    # The threads of the parent are not here: who waits for one waits for ever.
    torch.set_num_threads(1)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    limit = _addresses() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    log = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(log, stream)
    for number in numbers:
        used = resource.getrusage(resource.RUSAGE_SELF)
        seconds = int(used.ru_utime + used.ru_stime) + SECONDS
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.RLIM_INFINITY))
        verdict, text = _judged(number, attempt)
        pipe.send_bytes(json.dumps({"verdict": verdict.value, "text": text}).encode())
    os._exit(0)


def _judged(number: int, attempt: Callable[[int], int | None]) -> tuple[Verdict, str]:
    try:
        status = attempt(number)
    except VpsError as error:
        return Verdict.CLEAN, str(error)[:500]
    except BaseException:
        with contextlib.suppress(Exception):
            return Verdict.TRACEBACK, traceback.format_exc(limit=-12)[-6000:]
        return Verdict.TRACEBACK, repr(sys.exc_info()[0])
    return (Verdict.CLEAN if status == 2 else Verdict.WORKS), ""


def _addresses() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()

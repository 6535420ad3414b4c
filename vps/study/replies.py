"""What goes to workers and comes back: small and plain, it crosses processes and machines."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import vps.errors
from vps.errors import DetectorError, VpsError
from vps.study.config import StudyConfig
from vps.study.looks import skip_image
from vps.study.plan import ImageRange, Task, Work
from vps.study.store import Facts, Status, Store

Returned = TypeVar("Returned")


@dataclass(frozen=True)
class Job:
    """What all workers of a run have in common.

    Attributes:
        config: of the study.
        facts: see `vps.study.store.facts_of`.
        loader: "module:function", see `vps.study.inputs.load_detector`.
    """

    config: StudyConfig
    facts: Mapping[str, Facts]
    loader: str


@dataclass(frozen=True)
class Reply:
    """What became of a task.

    Attributes:
        statuses: of the methods that were tried; none of a selection.
        aucs: method -> areas under insertion and deletion, of the results that are there.
        busy: whether another process holds the case; nothing was tried then.
        message: why the first failed or skipped method has no result.
    """

    statuses: dict[str, Status] = field(default_factory=dict)
    aucs: dict[str, tuple[float, float]] = field(default_factory=dict)
    busy: bool = False
    message: str = ""


@dataclass(frozen=True)
class Fatal:
    """What ends the run: no result can be written, say, or no detector loaded.

    Attributes:
        kind: the name of the error in `vps.errors`; "" for a mistake of this program.
        message: for the user, or a traceback.
    """

    kind: str
    message: str

    def error(self) -> Exception:
        """The error again, on this side."""
        return getattr(vps.errors, self.kind)(self.message) if self.kind else VpsError(self.message)


def guarded(work: Callable[[], Returned]) -> Returned | Fatal:
    """What a worker sends back: what `work` gives, or the text of the error that ends the run."""
    try:
        return work()
    except VpsError as error:
        known = hasattr(vps.errors, type(error).__name__)
        return Fatal(type(error).__name__ if known else "VpsError", str(error))
    except Exception:
        return Fatal("", f"a worker failed, which it never should:\n{traceback.format_exc()}")


class FalseStarts:
    """Keeps count of the workers that die while they load the detector: no case is to blame.

    Args:
        job: of the run.
    """

    def __init__(self, job: Job) -> None:
        self._attempts = job.config.run.attempts
        self._counts: Counter[Hashable] = Counter()

    def count(self, worker: Hashable, how: str) -> None:
        """A worker has died so.

        Raises:
            DetectorError: it has done so `run.attempts` times in a row.
        """
        self._counts[worker] += 1
        if self._counts[worker] >= self._attempts:
            raise DetectorError(
                f"workers die while they load the detector ({how}): use fewer of them"
            )

    def clear(self, worker: Hashable) -> None:
        """A worker has loaded the detector."""
        self._counts[worker] = 0


class Retries:
    """Keeps count of the work of which workers died.

    Args:
        job: of the run.
    """

    def __init__(self, job: Job) -> None:
        self._config, self._facts = job.config, job.facts
        self._attempts = job.config.run.attempts
        self._counts: Counter[Work] = Counter()

    def give_up(self, work: Work, how: str) -> Reply | None:
        """None where the work deserves another attempt, else the reply that it failed.

        Of several images of a selection it is not known yet which was to blame.

        Args:
            work: what the worker worked on.
            how: it died.

        Raises:
            OutputError: the error record cannot be written.
        """
        self._counts[work] += 1
        several = isinstance(work, ImageRange) and len(work) > 1
        if several or self._counts[work] < self._attempts:
            return None
        message = f"{work}: the worker died ({how}), {self._attempts} times"
        if isinstance(work, ImageRange):
            if not self._config.run.strict:
                skip_image(self._config, work, message)
            return Reply(message=message)
        return self._fail(work, message)

    def _fail(self, task: Task, message: str) -> Reply:
        store = Store(self._config, self._facts)
        statuses: dict[str, Status] = {}
        with store.lock(task) as free:
            if not free:
                return Reply(busy=True)
            for method in store.missing(task):
                store.save_error(task, method, DetectorError(message), "failed")
                statuses[method] = "failed"
        return Reply(statuses, message=message)

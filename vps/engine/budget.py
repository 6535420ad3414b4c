"""Why a search stops: one word for each reason, and one signal that carries it."""

from __future__ import annotations

import enum
import time


class StopReason(str, enum.Enum):
    """Why a search ended; each is equal to its text, as results on disk have it.

    >>> StopReason.TIME_LIMIT == "time limit", StopReason.TIME_LIMIT.early
    (True, True)
    """

    FINISHED = "finished"
    BUDGET = "budget"
    TIME_LIMIT = "time limit"
    INTERRUPTED = "interrupted"
    FAILED = "failed"

    def __str__(self) -> str:
        return self.value

    def __format__(self, spec: str) -> str:
        return format(self.value, spec)

    @property
    def early(self) -> bool:
        """Whether something broke the search off; a budget that is spent is its end."""
        return self not in (StopReason.FINISHED, StopReason.BUDGET)

    @property
    def at_once(self) -> bool:
        """Whether no further pass is wanted, not even to measure what is missing."""
        return self in (StopReason.INTERRUPTED, StopReason.FAILED)


class Stopped(Exception):
    """No more passes.

    Attributes:
        reason: why.
    """

    def __init__(self, reason: StopReason) -> None:
        super().__init__(reason.value)
        self.reason = reason


def check_time(deadline: float | None) -> None:
    """Raise Stopped after the deadline, of `time.monotonic`; None for none."""
    if deadline is not None and time.monotonic() >= deadline:
        raise Stopped(StopReason.TIME_LIMIT)

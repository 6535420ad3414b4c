"""What a question may cost, how far it is, and why it ended."""

from __future__ import annotations

import dataclasses
import enum
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vps.errors import CancelledError, DetectorError, InputError

if TYPE_CHECKING:
    from vps.engine.objective import Objective


class StopReason(str, enum.Enum):
    """Why a search ended; each is equal to its text, as results on disk have it.

    >>> StopReason.TIME_LIMIT == "time limit", StopReason.TIME_LIMIT.early
    (True, True)
    """

    FINISHED = "finished"
    BUDGET = "budget"
    TIME_LIMIT = "time limit"
    INTERRUPTED = "interrupted"
    CANCELLED = "cancelled"
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
        return self in (StopReason.INTERRUPTED, StopReason.CANCELLED, StopReason.FAILED)

    def raise_again(self, error: DetectorError | None = None) -> None:
        """Raise what ended a search, where it was swallowed to save what the search had.

        Raises:
            DetectorError: what the detector failed with.
            KeyboardInterrupt: Ctrl-C.
            CancelledError: somebody else wanted the end.
        """
        if error is not None:
            raise error
        if self is StopReason.INTERRUPTED:
            raise KeyboardInterrupt
        if self is StopReason.CANCELLED:
            raise CancelledError("it was cancelled")


class Stopped(Exception):
    """No more passes.

    Attributes:
        reason: why.
    """

    def __init__(self, reason: StopReason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class Progress(NamedTuple):
    """How far the searches of an image are.

    Attributes:
        passes: through the detector so far.
        rounds: of passes that could each go to the detector at once.
        insertion_auc: of the best orders so far, mean over targets, from the prefixes that are
            known; NaN where none are.
        deletion_auc: likewise.
        seconds: computing time of the searches themselves, without the detector.
        measured: whether the AUCs are of curves that are known at every prefix.
    """

    passes: int
    rounds: int = 0
    insertion_auc: float = math.nan
    deletion_auc: float = math.nan
    seconds: float = 0.0
    measured: bool = False


@dataclass(frozen=True)
class Budget:
    """What a question may cost, who hears how far it is, and who may end it.

    >>> Budget(passes=2000, seconds=60).passes
    2000

    Attributes:
        passes: the most passes through the detector, all targets together; None for no limit.
        seconds: after which no further batch begins; None for no limit.
        progress: called after each batch.
        cancelled: asked before each batch whether to end, e.g. `threading.Event().is_set`; what is
            known then comes back, with the reason "cancelled".
        deadline: when the seconds are over, of `time.monotonic`; None until `started`.
        left: asked before each batch how many passes may still be made by all that share the
            budget; a batch that needs more is not begun.
        improved: called after each round of a search with its objectives, the best order so far of
            each, and the number of rounds.

    Raises:
        InputError: a number of passes below 0 or that is no whole number, or seconds not above 0.
    """

    passes: int | None = None
    seconds: float | None = None
    progress: Callable[[Progress], None] | None = None
    cancelled: Callable[[], bool] | None = None
    deadline: float | None = dataclasses.field(default=None, repr=False)
    left: Callable[[], int] | None = dataclasses.field(default=None, repr=False)
    improved: Callable[[Sequence[Objective], Sequence[np.ndarray], int], None] | None = (
        dataclasses.field(default=None, repr=False)
    )

    def __post_init__(self) -> None:
        whole = isinstance(self.passes, Integral) and not isinstance(self.passes, bool)
        if self.passes is not None and not (whole and self.passes >= 0):
            raise InputError(f"a budget is a whole number of passes >= 0, got {self.passes}")
        timed = isinstance(self.seconds, Real) and self.seconds > 0
        if self.seconds is not None and not timed:
            raise InputError(f"a time limit is a number of seconds > 0, got {self.seconds}")

    def started(self) -> Budget:
        """The same with the clock running, from now if it does not run yet."""
        if self.seconds is None or self.deadline is not None:
            return self
        return dataclasses.replace(self, deadline=time.monotonic() + self.seconds)

    def within(self, passes: int | None) -> Budget:
        """The same with so many passes."""
        return dataclasses.replace(self, passes=passes)

    def at_most(self, passes: int | None) -> Budget:
        """The same with so many passes at the most; None leaves them as they are.

        >>> Budget(passes=50).at_most(80).passes, Budget().at_most(80).passes
        (50, 80)
        """
        limits = [limit for limit in (self.passes, passes) if limit is not None]
        return self.within(min(limits, default=None))

    def first(self, share: float) -> Budget:
        """The same for the first part of its passes, and of its time, whose clock runs.

        Args:
            share: in (0, 1].
        """
        passes = None if self.passes is None else int(share * self.passes)
        if self.seconds is None or self.deadline is None:
            return self.within(passes)
        end = self.deadline - (1 - share) * self.seconds
        return dataclasses.replace(self, passes=passes, deadline=end)

    def untimed(self) -> Budget:
        """The same without an end of time; to measure what a search left out."""
        return dataclasses.replace(self, seconds=None, deadline=None)

    def over(self) -> Budget:
        """The same with no time left: what is known is of use, and nothing is added."""
        return dataclasses.replace(self, deadline=-math.inf)

    def check(self, passes: int = 0) -> None:
        """Before each batch: raise Stopped where the time is over or somebody wants the end.

        Args:
            passes: that the batch takes.
        """
        if self.cancelled is not None and self.cancelled():
            raise Stopped(StopReason.CANCELLED)
        if self.deadline is not None and time.monotonic() >= self.deadline:
            raise Stopped(StopReason.TIME_LIMIT)
        if self.left is not None and passes > self.left():
            raise Stopped(StopReason.BUDGET)

    def report(self, progress: Progress) -> None:
        """After each batch: tell who wants to know."""
        if self.progress is not None:
            self.progress(progress)

    def report_orders(
        self, objectives: Sequence[Objective], orders: Sequence[np.ndarray], rounds: int
    ) -> None:
        """After each round of a search: tell its best orders."""
        if self.improved is not None:
            self.improved(objectives, orders, rounds)


def as_budget(budget: Budget | int | None) -> Budget:
    """A budget as users give it, with its clock running; a number is one of passes.

    Raises:
        InputError: a share of greedy's passes, which is a setting of `vps.methods.search.vps.VPS`.
    """
    if isinstance(budget, float):
        raise InputError(
            f"a budget is a whole number of passes or a Budget, got {budget}; a share of greedy's "
            f"passes is a setting of the method vps: VPS(budget={budget})"
        )
    return (budget if isinstance(budget, Budget) else Budget(passes=budget)).started()


def ending(reason: BaseException) -> tuple[StopReason, DetectorError | None]:
    """What to keep of that which ended a method early, where its answer until then is of use.

    Args:
        reason: a `Stopped`, a DetectorError or a KeyboardInterrupt.

    Returns:
        Why it ended, and what the detector failed with if it did.
    """
    if isinstance(reason, Stopped):
        return reason.reason, None
    if isinstance(reason, DetectorError):
        return StopReason.FAILED, reason
    return StopReason.INTERRUPTED, None

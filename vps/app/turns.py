"""One computation at a time: others wait in a line and see their place in it."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from vps.errors import CancelledError, InputError

_MOST_WAITING = 20


class Turn:
    """A computation that waits, runs and ends; several threads may look at it.

    Attributes:
        latest: what it told last, while it runs.
        result: what it returned.
        error: what it ended with instead.
        seconds: since it began; 0 while it waits.
    """

    def __init__(self, line: Turns, work: Callable[[Turn], Any]) -> None:
        self._line, self._work = line, work
        self._changed = threading.Condition()
        self._cancelled = threading.Event()
        self._begun: float | None = None
        self._ended: float | None = None
        self.version = 0
        self.latest: Any = None
        self.result: Any = None
        self.error: BaseException | None = None

    @property
    def done(self) -> bool:
        return self._ended is not None

    @property
    def seconds(self) -> float:
        if self._begun is None:
            return 0.0
        return (self._ended or time.monotonic()) - self._begun

    @property
    def ahead(self) -> int:
        """How many computations come before it; 0 while it runs."""
        return self._line.ahead(self)

    def cancelled(self) -> bool:
        """Whether somebody wants its end: the `cancelled` of a `vps.Budget`."""
        return self._cancelled.is_set()

    def cancel(self) -> None:
        """Ask it to end; what it knows then is its result."""
        self._cancelled.set()
        self._line.drop(self)

    def tell(self, latest: Any) -> None:
        """Say how far it is; called by the computation itself."""
        with self._changed:
            self.latest = latest
            self.version += 1
            self._changed.notify_all()

    def wait(self, version: int, seconds: float) -> bool:
        """Wait until something newer than a version was told, or the end.

        Returns:
            Whether there is something new.
        """
        with self._changed:
            return self._changed.wait_for(lambda: self.version > version or self.done, seconds)

    def run(self) -> None:
        """Do the work; its errors are kept."""
        self._begun = time.monotonic()
        try:
            self.result = self._work(self)
        except BaseException as error:  # whatever a detector raises, the next one gets its turn
            self.error = error
        self.end()

    def end(self, error: BaseException | None = None) -> None:
        """It is over."""
        with self._changed:
            self.error = self.error or error
            self._ended = time.monotonic()
            self._changed.notify_all()


class Turns:
    """A line of computations and the one thread that does them, first come, first served."""

    def __init__(self) -> None:
        self._waiting: deque[Turn] = deque()
        self._running: Turn | None = None
        self._lock = threading.Condition()
        threading.Thread(target=self._work, name="vps-app", daemon=True).start()

    def submit(self, work: Callable[[Turn], Any]) -> Turn:
        """Put a computation at the end of the line.

        Args:
            work: gets its turn, to be told what it knows and asked whether to end.

        Raises:
            InputError: too many are waiting.
        """
        turn = Turn(self, work)
        with self._lock:
            if len(self._waiting) >= _MOST_WAITING:
                raise InputError(f"{_MOST_WAITING} others are waiting: try again in a while")
            self._waiting.append(turn)
            self._lock.notify()
        return turn

    def ahead(self, turn: Turn) -> int:
        """How many come before it."""
        with self._lock:
            if turn not in self._waiting:
                return 0
            return self._waiting.index(turn) + (self._running is not None)

    def drop(self, turn: Turn) -> None:
        """Take one out of the line that has not begun."""
        with self._lock:
            if turn not in self._waiting:
                return
            self._waiting.remove(turn)
        turn.end(CancelledError("it was taken out of the line"))

    def _work(self) -> None:
        while True:
            with self._lock:
                self._lock.wait_for(lambda: self._waiting)
                self._running = self._waiting.popleft()
            self._running.run()
            with self._lock:
                self._running = None

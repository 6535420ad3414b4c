"""Errors that a user can act on: each message says what was wrong, where, and what to do."""

from __future__ import annotations

import reprlib
from typing import Any


class AssumptionWarning(UserWarning):
    """What was taken for granted of something that the caller gave; the command line prints it as
    a note."""


class VpsError(Exception):
    """Base of all errors that the command line prints as one line, without a traceback."""


class InputError(VpsError, ValueError):
    """What the caller gave cannot be used: an image, a box, a label, a setting."""


class LabelsError(InputError):
    """Labels that a detector cannot be asked for: none, an empty one, two that read the same."""


class OutputError(InputError):
    """A result cannot be written: the disk is full, the folder is read-only."""


class DetectorError(VpsError, RuntimeError):
    """The detector failed, or broke its contract: NaN, wrong shapes, scores outside [0, 1]."""


class IncompleteError(DetectorError):
    """The detector failed while it was explained; what was measured until then is kept.

    Attributes:
        partial: an `vps.results.explanation.Explanation` for each target, or the
            `vps.results.answer.Answer`, as far as it is known.
    """

    def __init__(self, message: str, partial: list[Any]) -> None:
        super().__init__(message)
        self.partial = partial

    def __reduce__(self) -> tuple[Any, ...]:
        # Without it, the error of a worker process could not be read by the one that waits for it.
        return type(self), (str(self), self.partial)


class CancelledError(VpsError):
    """It was cancelled, or its time was over, before anything was known that could be kept."""


class MissingExtraError(VpsError, ImportError):
    """An optional library is not installed; the message names the command that installs it."""


def quoted(value: object, limit: int = 100) -> str:
    """A value that a user gave, as a part of a message: its `repr`, cut off at `limit`.

    Of what is nested or has many entries only the first are looked at: lists that share their
    entries may be endless to write.
    """
    shortened = reprlib.Repr()
    shortened.maxstring = shortened.maxlong = shortened.maxother = 4 * limit
    try:
        text = shortened.repr(value)
    except Exception:  # Of a class whose own fails, or a number of thousands of digits.
        text = f"a {type(value).__name__}"
    text = " ".join(text.split())
    return text if len(text) <= limit else f"{text[:limit]}..."


def one_line(error: BaseException, limit: int = 300) -> str:
    """What an error of a library says, as a part of one of ours: one line of at most `limit`."""
    text = " ".join(text_of(error).split()) or type(error).__name__
    return text if len(text) <= limit else f"{text[:limit]}..."


def text_of(error: BaseException) -> str:
    """What an error says; "" where it cannot even be asked, which no handler should fail at."""
    try:
        return str(error)
    except Exception:
        return ""

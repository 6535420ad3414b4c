"""Numbers that a user gives, checked whatever was given instead."""

from __future__ import annotations

import math
from numbers import Integral, Real

from vps.errors import InputError, quoted

Lambdas = tuple[float, float] | tuple[float, float, float]
"""Weights of consistency, of collaboration and, where there are three, of effectiveness in F."""

_MOST_THREADS = 1_024  # each takes memory, and libraries start them all at once


def check_range(name: str, value: object, low: float = 0.0, high: float = math.inf) -> None:
    """Raise InputError unless something is a number in [low, high].

    A truth value is none, nor is NaN.
    """
    number = isinstance(value, Real) and not isinstance(value, bool)
    if not (number and low <= value <= high):  # type: ignore[operator]
        wanted = f"be at least {low:g}" if high == math.inf else f"lie in [{low:g}, {high:g}]"
        raise InputError(f"{name} must {wanted}, got {quoted(value)}")


def check_whole(name: str, value: object, low: int, high: int) -> None:
    """Raise InputError, which tells name, limit and value, unless it is a whole number in a range.

    What comes out of a file or a command line may be any number: one that is too large is refused
    here, and not by the memory of the machine.
    """
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise InputError(f"{name} must be a whole number, got {quoted(value)}")
    if value < low:
        raise InputError(f"{name} must be at least {low:,}, got {quoted(value)}")
    if value > high:  # type: ignore[operator]
        raise InputError(f"{name} must be at most {high:,}, got {quoted(value)}")


def check_threads(value: object) -> None:
    """Raise InputError for a number of threads that no machine has a use for."""
    check_whole("threads", value, 1, _MOST_THREADS)

"""Numbers that a user gives, checked whatever was given instead."""

from __future__ import annotations

from numbers import Real

from vps.errors import InputError, shown


def is_between(value: object, low: float, high: float) -> bool:
    """Whether something is a number in [low, high]; a truth value is none, nor is NaN.

    >>> is_between(0.5, 0, 1), is_between("0.5", 0, 1), is_between(True, 0, 1)
    (True, False, False)
    """
    return isinstance(value, Real) and not isinstance(value, bool) and low <= value <= high


def check_between(name: str, value: object, low: float, high: float) -> None:
    """Raise InputError, which tells name, range and value, unless `is_between`."""
    if not is_between(value, low, high):
        raise InputError(f"{name} must lie in {low:,} to {high:,}, got {shown(value)}")

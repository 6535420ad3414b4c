"""Values as tools write them: text for numbers, flags in many forms, ids of two types."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from vps.data.left_out import in_brief
from vps.data.sample import Id
from vps.errors import InputError

_FLAGS = {"": False, "0": False, "false": False, "no": False, "1": True, "true": True, "yes": True}


def as_number(value: Any, where: str) -> float:
    """A number, or the text of one; not always finite.

    Raises:
        InputError: anything else.
    """
    try:
        if isinstance(value, (int, float, str)) and not isinstance(value, bool):
            return float(value)
    except (ValueError, OverflowError):
        pass
    raise InputError(f"{where} must be a number, got {in_brief(value)}")


def as_numbers(value: Any, count: int, where: str) -> list[float]:
    """As many numbers, each of which may be text; see `as_number`."""
    if not isinstance(value, (list, tuple)) or len(value) != count:
        raise InputError(f"{where} must be {count} numbers, got {in_brief(value)}")
    return [as_number(item, where) for item in value]


def as_flag(value: Any, where: str) -> bool:
    """Yes or no, as 0 and 1, true and false, or the text of one of them; None is no.

    Raises:
        InputError: anything else.
    """
    text = "" if value is None else str(value).strip().lower().removesuffix(".0")
    if not isinstance(value, (bool, int, float, str, type(None))) or text not in _FLAGS:
        raise InputError(f"{where} must be 0 or 1, got {in_brief(value)}")
    return _FLAGS[text]


def as_size(value: Any) -> int | None:
    """A height or width in pixels; None where it is missing, or none."""
    try:
        number = as_number(value, "size")
    except InputError:
        return None
    return int(number) if math.isfinite(number) and number >= 1 and number % 1 == 0 else None


def plain_id(value: Any) -> Id | None:
    """An id as it is given; a number that is whole as such; None where it is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    if isinstance(value, str):
        return value.strip() or None
    return int(value) if math.isfinite(value) and value % 1 == 0 else None


class IdTable:
    """Finds ids that are written otherwise where they are referred to: "8" for 8, "008" for "8".

    An id that is there as it is written comes first, and what may be one of several is none.
    """

    def __init__(self, known: Iterable[Id]) -> None:
        self._exact = {(type(one), one) for one in known}
        self._loose: dict[str, Id | None] = {}
        for _, one in self._exact:
            text = _text(one)
            self._loose[text] = None if text in self._loose else one

    def find(self, value: Any) -> Id | None:
        """The known id that is meant, if there is one."""
        given = plain_id(value)
        if given is None or (type(given), given) in self._exact:
            return given
        return self._loose.get(_text(given))


def _text(value: Id) -> str:
    text = str(value)
    if isinstance(value, str) and text.isascii() and text.isdigit():
        return text.lstrip("0") or "0"
    return text

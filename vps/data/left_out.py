"""What of a data set is not used, or not as it stands: why, how often, and where first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from vps.errors import InputError

_SHOWN = 5  # places of a reason that are named
_LONGEST = 60  # characters of a value in a message


@dataclass
class _Reason:
    unit: str
    count: int = 0
    places: list[str] = field(default_factory=list)

    def counted(self) -> str:
        many = f"{self.unit[:-1]}ies" if self.unit.endswith("y") else f"{self.unit}s"
        return f"{self.count} {self.unit if self.count == 1 else many}"


class LeftOut:
    """What a reader leaves out, or takes otherwise than it stands, by reason.

    Args:
        source: the name of the file, for people.
        strict: whether the first thing that is left out is an error.
    """

    def __init__(self, source: str = "", *, strict: bool = False) -> None:
        self.source, self.strict = source, strict
        self._reasons: dict[str, _Reason] = {}

    @property
    def counts(self) -> dict[str, int]:
        """Reason -> how often."""
        return {text: reason.count for text, reason in self._reasons.items()}

    def add(
        self, reason: str, place: str = "", *, unit: str = "annotation", count: int = 1
    ) -> None:
        """Count what is left out.

        Args:
            reason: why, the same for all of a kind.
            place: where and what: "annotation 7 of image 3: bbox []".
            unit: what is counted.
            count: how many at once.

        Raises:
            InputError: `strict` is set.
        """
        if count and self.strict:
            raise InputError(
                f"{self._of(place or reason)}{f': {reason}' if place else ''}; strict is set, so "
                f"that no {unit} is left out"
            )
        self.note(reason, place, unit=unit, count=count)

    def note(
        self, reason: str, place: str = "", *, unit: str = "annotation", count: int = 1
    ) -> None:
        """Count what is taken otherwise than it stands; as `add`, but never an error."""
        if not count:
            return
        found = self._reasons.setdefault(reason, _Reason(unit))
        found.count += count
        if place and len(found.places) < _SHOWN:
            found.places.append(place)

    def lines(self, besides: Iterable[str] = ()) -> list[str]:
        """A line a reason, with its count and the first places, but for the reasons `besides`."""
        seen = set(besides)
        lines = []
        for text, reason in self._reasons.items():
            if text in seen:
                continue
            line = f"{text} ({reason.counted()})"
            if reason.places:
                more = reason.count - len(reason.places)
                rest = f"; and {more} more" if more > 0 else ""
                line += f": {self._of('; '.join(reason.places))}{rest}"
            lines.append(line)
        return lines

    def _of(self, place: str) -> str:
        return f"{self.source}, {place}" if self.source else place


def in_brief(value: object) -> str:
    """A value of a file as a part of a message."""
    text = " ".join(repr(value).split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."

"""What a selection has found so far, kept in files so that a killed one goes on where it was."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from vps.data.cases.cases import Case, CaseList
from vps.errors import InputError


class Look(NamedTuple):
    """What was found in some images.

    Attributes:
        cases: of the kinds that are wanted.
        counts: see `vps.data.cases.select.select_cases`.
        unknown: labels that the detector does not know -> how many annotations have them.
        skipped: what could not be used, see `vps.data.cases.cases.CaseList`.
    """

    cases: tuple[Case, ...]
    counts: Mapping[str, int]
    unknown: Mapping[str, int]
    skipped: tuple[Mapping[str, Any], ...]


class Parts:
    """The looks of one selection, by number, in a folder of their own.

    Args:
        folder: for them alone.
        origin: digest of all that they depend on; those of others are not given back.
    """

    def __init__(self, folder: Path, origin: str) -> None:
        self._folder, self._origin = folder, origin

    def load(self, number: int) -> Look | None:
        """The look of a number; None if it is not there, damaged, or of another selection."""
        with contextlib.suppress(InputError):
            kept = CaseList.load(self._path(number))
            unknown = kept.settings.get("unknown")
            if kept.settings.get("origin") == self._origin and isinstance(unknown, dict):
                return Look(kept.cases, kept.counts, unknown, kept.skipped)
        return None

    def save(self, number: int, look: Look) -> None:
        """Keep a look.

        Raises:
            OutputError: it cannot be written.
        """
        settings = {"origin": self._origin, "unknown": dict(look.unknown)}
        kept = CaseList("", "", (), settings, dict(look.counts), look.cases, look.skipped)
        kept.save(self._path(number))

    def remove(self) -> None:
        """Remove them all: the list that came of them is there."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:06d}.json"

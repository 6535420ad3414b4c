"""What a selection has found so far, kept in files so that a killed one goes on where it was."""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from vps.core.schema import build, to_plain
from vps.data.cases.cases import CaseList
from vps.data.cases.looking import Look
from vps.data.dataset import UnfitMask
from vps.errors import InputError


@dataclass(frozen=True)
class _Counted:
    """What a file holds beyond what a list of cases has."""

    origin: str
    unknown: dict[str, int]
    masks: tuple[UnfitMask, ...]


class Parts:
    """The looks of one selection, each at the images from one place to another among the chosen.

    Args:
        folder: for them alone.
        origin: digest of all that they depend on; those of others are not given back.
    """

    def __init__(self, folder: Path, origin: str) -> None:
        self._folder, self._origin = folder, origin

    def load(self, start: int, stop: int) -> Look | None:
        """The look at some images; None if it is not there, damaged, or of another selection."""
        with contextlib.suppress(InputError):
            kept = CaseList.load(self._path(start, stop))
            about: _Counted = build(_Counted, kept.settings)
            if about.origin == self._origin:
                found = (kept.cases, kept.counts, about.unknown, kept.skipped, about.masks)
                return Look(kept.detector, kept.labels, *found)
        return None

    def save(self, start: int, stop: int, look: Look) -> None:
        """Keep a look.

        Raises:
            OutputError: it cannot be written.
        """
        about = _Counted(self._origin, dict(look.unknown), look.masks)
        found = (dict(look.counts), look.cases, look.skipped)
        kept = CaseList("", look.detector, look.labels, to_plain(about), *found)
        kept.save(self._path(start, stop))

    def remove(self) -> None:
        """Remove them all: the list that came of them is there."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _path(self, start: int, stop: int) -> Path:
        return self._folder / f"{start:06d}-{stop:06d}.json"

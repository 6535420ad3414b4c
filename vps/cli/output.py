"""What commands print and write: folders, names, notes and the progress bar."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path

from vps.errors import InputError


def check_writable(folder: Path) -> None:
    """Make the folder and write into it, before hours are spent on what cannot be kept.

    Raises:
        InputError: it cannot be made or written.
    """
    probe = folder / ".writable"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputError(f"output folder {folder} cannot be written: {error.strerror}") from error


@contextlib.contextmanager
def noted() -> Iterator[None]:
    """Silence the engine's warnings, which are printed as notes, without file and line."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


def box_text(box: tuple[float, ...]) -> str:
    """A box as tables have it."""
    return " ".join(f"{value:.1f}" for value in box)


def slug(label: str) -> str:
    """A label as part of a file name."""
    kept = "".join(sign if sign.isalnum() else "-" for sign in label.lower())
    return "-".join(part for part in kept.split("-") if part)[:40] or "label"

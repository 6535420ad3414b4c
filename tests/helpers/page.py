"""What does the work of the page in the browser, without the page."""

from __future__ import annotations

import time
from pathlib import Path

from vps.app.detector import DetectorChoices, HeldDetector
from vps.app.images import FolderImages
from vps.app.turns import Turn
from vps.app.workbench import Workbench

DETECTOR = "tests.helpers.colours:build"


def workbench(images: Path, folder: Path, max_pixels: int = 150_000_000) -> Workbench:
    """What does the work of a page."""
    held = HeldDetector(DetectorChoices((DETECTOR,), prompt="red . green ."))
    return Workbench(held, FolderImages(images), folder, max_pixels)


def ended(turn: Turn, seconds: float = 60.0) -> bool:
    """Whether it ends within some seconds, for which this waits."""
    end = time.monotonic() + seconds
    while not turn.done and time.monotonic() < end:
        turn.wait(1 << 62, 0.05)
    return turn.done

"""Folders that tests read from."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""Of the repository."""

SHARED_DATA = ROOT.parent / "shared" / "data"
"""Real images and detectors, where they lie beside the repository; not part of it."""

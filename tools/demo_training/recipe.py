"""What it takes to make a demo detector: the steps that differ from one architecture to another."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Recipe:
    """How one demo detector is made.

    Attributes:
        folder: where it ships, in `detectors/demo`.
        defaults: values of the command's options that depend on the architecture.
        draw: draws the training scenes.
        training: the stages of training by name, in order; each is the worker of one process and
            gets the process's number and the options.
        export: makes the folder out of the last stage's checkpoint.
        measure: a folder and a number of held-out scenes -> the card's table.
        about: the card's first paragraph, in lines.
        notes: what the card says below the table, in lines.
    """

    folder: Path
    defaults: Mapping[str, int | Path]
    draw: Callable[[argparse.Namespace], None]
    training: Mapping[str, Callable[[int, argparse.Namespace], None]]
    export: Callable[[Path, Path], object]
    measure: Callable[[Path, int], Mapping[str, str]]
    about: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def stages(self) -> tuple[str, ...]:
        """All stages, in order."""
        return ("draw", *self.training, "export", "evaluate")

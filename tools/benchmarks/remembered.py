"""Passes that were made once, kept in a file: another search of the same case repeats none."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from vps.core.files import write_atomically
from vps.engine.passes import Passes


class RememberedPasses(Passes):
    """As `vps.engine.passes.Passes`, which it counts like, but asks a file before the detector.

    The file is good for one detector, image, set of regions, targets, fill and mode.

    Args:
        file: an .npz; need not exist.
        arguments, settings: as for `Passes`.
    """

    def __init__(self, file: Path, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._file = file
        self._rows: dict[bytes, np.ndarray] = {}
        if file.exists():
            with np.load(file, allow_pickle=False) as kept:
                keys = [row.tobytes() for row in kept["subsets"]]
                self._rows = dict(zip(keys, kept["table"], strict=True))

    def save(self) -> None:
        """Write all that is known to the file."""
        subsets = np.array([np.frombuffer(key, np.uint8) for key in self._rows])
        content = io.BytesIO()
        np.savez(content, subsets=subsets, table=np.array(list(self._rows.values())))
        self._file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self._file, content.getvalue())

    def _detect(self, keep: np.ndarray) -> np.ndarray:
        keys = [row.tobytes() for row in np.packbits(keep, axis=1)]
        new = [place for place, key in enumerate(keys) if key not in self._rows]
        if new:
            for place, row in zip(new, super()._detect(keep[new]), strict=True):
                self._rows[keys[place]] = row
        return np.array([self._rows[key] for key in keys])

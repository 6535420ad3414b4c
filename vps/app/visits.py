"""What the page knows of each visitor."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field

import numpy as np

from vps.app.asking import Answered
from vps.app.images import ChosenImage
from vps.app.turns import Turn
from vps.core.detect import Detection
from vps.core.images import OpenedImage
from vps.core.targets import Box
from vps.results.explanation import Explanation

_MOST = 32  # visitors whose images are kept


@dataclass
class Visit:
    """One visitor's image, and what was found out about it.

    Attributes:
        chosen: the image as it was chosen.
        image: opened; None before.
        pixels: as the page shows it.
        detector, prompt, threshold: what was asked of it.
        found: its detections.
        number: of the detection that was clicked.
        drawn: the box of what was missed.
        drawing: whether a box is being drawn.
        pass_seconds: what a pass takes.
        words: whether the detector can be asked which words matter.
        answered: the results that are shown: one, or two to compare.
        stored: instead, those of a study, by their method.
        turn: the computation that was asked for last.
    """

    chosen: ChosenImage | None = None
    image: OpenedImage | None = None
    pixels: np.ndarray | None = None
    source: str = ""
    detector: str = ""
    prompt: str | None = None
    threshold: float = 0.3
    found: tuple[Detection, ...] = ()
    labels: tuple[str, ...] = ()
    number: int | None = None
    drawn: Box | None = None
    drawing: bool = False
    pass_seconds: float = 0.0
    words: bool = False
    answered: list[Answered] = field(default_factory=list)
    stored: list[tuple[str, Explanation]] = field(default_factory=list)
    turn: Turn | None = None

    @property
    def explanations(self) -> list[tuple[str, Explanation]]:
        """The maps that are shown, by their method."""
        return self.stored or [
            (one.how.method, one.explanation)
            for one in self.answered
            if one.explanation is not None
        ]

    def stop(self) -> None:
        """End the computation; what it knows stays."""
        if self.turn is not None:
            self.turn.cancel()


class Visits:
    """Visitors by the name of their browser's tab; those who came longest ago are forgotten."""

    def __init__(self) -> None:
        self._visits: OrderedDict[str, Visit] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._visits)

    def of(self, tab: str | None) -> Visit:
        """The visit of a tab; a new one if it is new."""
        key = tab or ""
        with self._lock:
            visit = self._visits.setdefault(key, Visit())
            self._visits.move_to_end(key)
            gone = self._visits.popitem(last=False)[1] if len(self._visits) > _MOST else None
        if gone is not None:
            gone.stop()
        return visit

    def leave(self, tab: str | None) -> None:
        """A tab was closed: nobody waits for its computation any more."""
        with self._lock:
            visit = self._visits.pop(tab or "", None)
        if visit is not None:
            visit.stop()

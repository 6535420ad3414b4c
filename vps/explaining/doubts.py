"""What the user should know of an explanation: too little was seen, or there was nothing to see."""

from __future__ import annotations

import numpy as np

from vps.engine.attribution import AUTHORS
from vps.engine.budget import StopReason
from vps.engine.curves import Curves
from vps.search.path_search import NO_EVIDENCE


def doubts(curves: Curves, stopped: StopReason, highest: float) -> tuple[str, ...]:
    """What is to be said of the order; `highest` is the largest score of any subset."""
    notes = []
    if stopped.early:
        notes.append(f"the search was stopped before its end: {stopped}")
    if not curves.measured.all():
        missing = int((~curves.measured).sum())
        notes.append(
            f"{missing} of {len(curves.measured)} steps of the curves are interpolated, because "
            "they were not measured"
        )
    if highest < NO_EVIDENCE:
        notes.append(
            f"the target scores {highest:.2g} at the most, whatever is shown: there is no evidence "
            "to order the regions by; check the label and the box"
        )
    elif not curves.insertion[-1] > 0:
        notes.append(
            "the target scores 0 on the whole image: the order says what would make the detector "
            "find it, not why it does"
        )
    return tuple(notes)


def constant_map(curves: Curves, rule: str, saliency: np.ndarray | None) -> tuple[str, ...]:
    """That a map tells nothing apart: the method's own or, without one, that of F by a rule."""
    if saliency is not None:
        if np.ptp(saliency) > 0:
            return ()
        return ("the method gives the same value everywhere: the map is constant",)
    steps = np.diff(curves.objective)
    if (steps[1:] if rule == AUTHORS else steps[:-1]).any():
        return ()
    return ("F does not change from one region to the next: the map is constant",)

"""What orders of regions are worth."""

from __future__ import annotations

import numpy as np

from vps.engine.curve_values import auc
from vps.engine.curves import replay
from vps.engine.objective import Objective


def with_complements(keep: np.ndarray) -> np.ndarray:
    """(2 K, m): each of (K, m) subsets, followed by what it leaves."""
    return np.stack([keep, ~keep], axis=1).reshape(-1, keep.shape[1])


def known_aucs(objective: Objective, order: np.ndarray) -> tuple[float, float, bool]:
    """Insertion and deletion AUC from those prefixes of an order that passed already.

    Between them the curves are taken to be straight. NaN where the whole image or nothing, the
    ends of both curves, has not passed yet.

    Returns:
        The two, and whether all prefixes have passed, so that nothing is guessed.
    """
    ends = np.array([np.zeros_like(order), np.ones_like(order)], bool)
    if not objective.source.known(ends).all():
        return float("nan"), float("nan"), False
    curves = replay(objective, order, measure=False)
    return (
        auc(curves.areas, curves.insertion),
        auc(curves.areas, curves.deletion),
        bool(curves.measured.all()),
    )

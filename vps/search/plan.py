"""Orders that the surrogate expects to be best; they cost no pass."""

from __future__ import annotations

import numpy as np

from vps.engine.curve_values import auc
from vps.engine.curves import areas_covered, prefixes
from vps.engine.objective import Objective
from vps.search.moves import apart, gains, moved, ranked
from vps.search.surrogate import Surrogate

LEAST_GAIN = 1e-4  # of the largest possible J, by a move: less is the surrogate's error
_MOST_STEPS = 40


def predicted(
    objective: Objective, model: Surrogate, keep: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """F that the surrogate expects of (K, m) subsets, (K,), and with a region toggled, (K, m)."""
    same, toggled = model.toggled(np.concatenate([keep, ~keep]))
    shown, hidden = slice(None, len(keep)), slice(len(keep), None)
    return (
        objective.combine(same[shown], same[hidden], keep),
        objective.combine_toggled(toggled[shown], toggled[hidden], keep),
    )


def improved_plan(
    objective: Objective, model: Surrogate, order: np.ndarray
) -> tuple[np.ndarray, float]:
    """An order (m,) improved by moves for as long as the surrogate expects J to rise by them.

    Returns:
        The improved order (m,), and its J, the area under F, that the surrogate expects.
    """
    count = len(order)
    keep = prefixes(order)
    values, toggled = predicted(objective, model, keep)
    ends = objective.combine(
        np.array([0, model.ceiling]), np.array([model.ceiling, 0]), keep[[0, -1]]
    )
    least = LEAST_GAIN * float(ends[1] - ends[0])
    for _ in range(_MOST_STEPS):
        table = gains(objective.regions.areas[order], values, toggled[:, order])
        moves = apart(ranked(table, least), count)
        if not moves:
            break
        candidate = moved(order, moves)
        new = prefixes(candidate)
        changed = (new != keep).any(axis=1)
        values[changed], toggled[changed] = predicted(objective, model, new[changed])
        order, keep = candidate, new
    return order, auc(areas_covered(objective.regions.areas, order), values)

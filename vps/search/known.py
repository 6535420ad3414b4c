"""The best order whose prefixes have all been measured, whoever asked for them."""

from __future__ import annotations

import numpy as np

from vps.engine.objective import Objective


def best_known_order(objective: Objective) -> tuple[np.ndarray, float]:
    """The order with the largest J among those that need no further pass.

    Measured subsets are the nodes of a graph, with an edge from S to S + a wherever both are
    known; an order with known curves is a path from nothing to the whole image. Edges weigh what
    their step adds to J, so the best path follows by dynamic programming from the whole image
    down. It joins the good stretches of all orders measured so far.

    Returns:
        The order (m,) and its J, the area under F over the share of area.

    Raises:
        LookupError: no order is known yet.
    """
    keep, score = objective.seen
    if not len(keep):
        raise LookupError("nothing is known yet")
    count, areas = objective.regions.count, objective.regions.areas
    # A subset's key is the sum of its regions' keys, modulo 2^64: S + a is found by one addition.
    keys = np.random.default_rng(0).integers(0, 2**64, count, np.uint64)
    names = keep.astype(np.uint64) @ keys
    ranking = np.argsort(names)
    names = names[ranking]
    opposite, paired = _find(names, keys.sum() - names)
    values = objective.combine(score[ranking], score[ranking][opposite], keep[ranking])
    sizes = np.where(paired, keep[ranking].sum(axis=1), -1)
    best = np.where(sizes == count, 0.0, -np.inf)
    choice = np.full(len(names), -1)
    for size in range(count - 1, -1, -1):
        nodes = np.flatnonzero(sizes == size)
        after, exists = _find(names, names[nodes, None] + keys)
        exists &= paired[after] & ~keep[ranking[nodes]]
        worth = best[after] + areas * (values[nodes, None] + values[after]) / 2
        worth[~exists] = -np.inf
        if len(nodes):
            choice[nodes] = worth.argmax(axis=1)
            best[nodes] = worth.max(axis=1)
    node, known = _find(names, np.zeros(1, np.uint64))
    if not known[0] or not np.isfinite(best[node[0]]):
        raise LookupError("no order is known from nothing to the whole image")
    order: list[int] = []
    total = float(best[node[0]])
    while len(order) < count:
        order.append(int(choice[node[0]]))
        node, _ = _find(names, names[node] + keys[order[-1]])
    return np.array(order), total


def _find(names: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Place of each wanted key among the sorted `names`, and whether it is really there."""
    place = np.minimum(np.searchsorted(names, wanted), len(names) - 1)
    return place, names[place] == wanted

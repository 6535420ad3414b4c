"""Moves of one region to another place of an order, and what they gain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Move(NamedTuple):
    """The region at place p of an order goes to place q, counted without it."""

    p: int
    q: int

    @property
    def stretch(self) -> slice:
        """The places whose region it changes."""
        return slice(min(self), max(self) + 1)


def gains(areas: np.ndarray, values: np.ndarray, toggled: np.ndarray) -> np.ndarray:
    """By how much J, the area under F along an order, rises with each move.

    J is the sum over steps of area times mean F of the prefixes before and after. If the region
    at p moves to q < p, the prefixes X_q..X_(p-1) gain it; if q > p, X_(p+2)..X_(q+1) lose it;
    the other steps keep their part of the sum.

    Args:
        areas: (m,) of the regions along the order.
        values: (m + 1,) F of its prefixes X_0..X_m.
        toggled: (m + 1, m) F of each prefix with the region at each place added or taken out.

    Returns:
        (m, m) gain of moving the region at p to q; 0 for p = q.
    """
    count = len(areas)
    place = np.arange(count)
    old = (values[1:] + values[:-1]) / 2
    change = areas[:, None] * ((toggled[1:] + toggled[:-1]) / 2 - old[:, None])
    total = np.concatenate([np.zeros((1, count)), np.cumsum(change, axis=0)])
    own = (values[:, None] + toggled) / 2
    earlier = total[place, place] - total[:-1] + areas * (own[:-1] - old)
    later = total[1:] - total[place + 1, place] + areas * (own[1:] - old)
    gain = np.where(place[:, None] < place, earlier, later)
    gain[place, place] = 0
    return gain.T


def ranked(gain: np.ndarray, least: float) -> list[Move]:
    """The moves that gain more than `least`, best first, from the table that `gains` returns."""
    places = np.flatnonzero(gain > least)
    places = places[np.argsort(-gain.ravel()[places], kind="stable")]
    return [Move(*divmod(int(place), len(gain))) for place in places]


def apart(moves: Sequence[Move], count: int) -> list[Move]:
    """Of moves in an order of `count` regions, the first ones whose stretches do not overlap."""
    taken, chosen = np.zeros(count, bool), []
    for move in moves:
        if not taken[move.stretch].any():
            taken[move.stretch] = True
            chosen.append(move)
    return chosen


def moved(order: np.ndarray, moves: Sequence[Move]) -> np.ndarray:
    """The order after moves whose stretches do not overlap: so their gains add up."""
    new = order.copy()
    for p, q in moves:
        low, high = min(p, q), max(p, q)
        new[low : high + 1] = np.roll(order[low : high + 1], 1 if q < p else -1)
    return new

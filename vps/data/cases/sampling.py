"""The choice of some cases among many, so that the limits by kind, class and frequency hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

import numpy as np

from vps.core.targets import Kind
from vps.data.cases.cases import Case


def draw_cases(
    cases: Sequence[Case],
    *,
    per_kind: int | None = None,
    per_class: int | None = None,
    per_frequency: int | None = None,
    per_image: int | None = None,
    seed: int = 0,
) -> list[Case]:
    """Draw cases at random, without breaking a limit; None is no limit.

    Each kind is drawn for itself, so what is drawn of one does not depend on the others. Where
    classes or frequencies are limited, they take turns, so that `per_kind` cuts all of them alike;
    else a kind's sample is as mixed as the data set.

    Args:
        cases: to draw from.
        per_kind: the most cases of a kind.
        per_class: the most cases of a kind with one label.
        per_frequency: the most cases of a kind with labels of one LVIS frequency.
        per_image: the most cases of a kind in one image.
        seed: the same seed draws the same cases.

    Returns:
        The drawn cases, in the order in which they were given.
    """
    limits = (per_kind, per_class, per_frequency, per_image)
    drawn: list[int] = []
    for number, kind in enumerate(Kind):
        own = [index for index, case in enumerate(cases) if case.kind is kind]
        shuffled = np.random.default_rng([seed, number]).permutation(own).tolist()
        counts: Counter[Hashable] = Counter()
        for index in _in_turns(shuffled, cases, per_class is not None, per_frequency is not None):
            case = cases[index]
            # Numbered, because a label may read as a frequency or an image's id.
            keys = list(enumerate((kind, case.label, case.frequency, case.image_id)))
            if all(
                limit is None or counts[key] < limit
                for key, limit in zip(keys, limits, strict=True)
            ):
                counts.update(keys)
                drawn.append(index)
    return [cases[index] for index in sorted(drawn)]


def _in_turns(
    order: Sequence[int], cases: Sequence[Case], by_class: bool, by_frequency: bool
) -> list[int]:
    """The same order, but the first of each stratum goes before the second of any."""
    seen: Counter[Hashable] = Counter()
    turns = []
    for index in order:
        case = cases[index]
        stratum = (case.label if by_class else "", case.frequency if by_frequency else "")
        turns.append(seen[stratum])
        seen[stratum] += 1
    return [order[place] for place in np.argsort(turns, kind="stable")]

"""How much of a map stays where the seed, the search, the regions or the fill are others."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import rankdata

from vps.core.detect import Detection
from vps.core.detector import Detector
from vps.core.images import AnyImage
from vps.core.masking import Colour
from vps.core.targets import Target
from vps.engine.attribution import paint
from vps.engine.certainty import Level
from vps.errors import InputError
from vps.explaining.explain import explain
from vps.methods import Method
from vps.methods.search.vps import VPS
from vps.results.explanation import Explanation

TOP = 0.1
"""The share of the pixels that is a map's top."""


class Agreement(NamedTuple):
    """Of two maps of the same detection.

    Attributes:
        spearman: the correlation of their ranks over all pixels, in [-1, 1]; NaN where one of them
            is constant.
        top_iou: the IoU of their top 10 % of the pixels, in [0, 1].
    """

    spearman: float
    top_iou: float


def agreement(one: np.ndarray, other: np.ndarray) -> Agreement:
    """How far two maps (H, W) of one grid say the same.

    Pixels at the edge of the top that share one value, as those of a region do, count by the share
    of them that belongs to it.

    >>> values = np.arange(100.0).reshape(10, 10)
    >>> agreement(values, values), agreement(values, -values).top_iou
    (Agreement(spearman=1.0, top_iou=1.0), 0.0)
    """
    if one.shape != other.shape:
        raise ValueError(f"maps of one grid are compared, got {one.shape} and {other.shape}")
    ranks = [rankdata(values.ravel()) for values in (one, other)]
    constant = any(np.ptp(values) == 0 for values in ranks)
    spearman = np.nan if constant else np.corrcoef(*ranks)[0, 1]
    tops = [top_of(values.ravel()) for values in (one, other)]
    shared = np.minimum(*tops).sum() / np.maximum(*tops).sum()
    return Agreement(float(np.round(spearman, 12)), float(shared))


@dataclass(frozen=True)
class Variation:
    """One setting that is changed.

    Attributes:
        name: how it is told, e.g. "seed 1".
        settings: of `vps.explaining.explain.explain` that take the place of others.
    """

    name: str
    settings: dict[str, Any]


@dataclass(frozen=True)
class Stability:
    """How far an explanation under a variation says what the first one says.

    Attributes:
        variation: its name.
        spearman: correlation of the ranks of all pixels of both maps; NaN for a constant map.
        top_iou: IoU of the top 10 % of the pixels.
        kept: of the area that "decides" in the first explanation, the share that decides or helps
            in the other (`Explanation.levels`); NaN where nothing decides, or there is no search.
        chance: the share of all area that does, which is what to expect by chance.
        gain: J of the other less that of the first, J = insertion AUC - deletion AUC.
    """

    variation: str
    spearman: float
    top_iou: float
    kept: float
    chance: float
    gain: float


def usual_variations(
    *,
    seeds: int = 2,
    numbers: Sequence[int] = (36, 100),
    fills: Sequence[str | Colour] = ("black", "blur"),
    searches: Sequence[str] = ("path_search", "top_k"),
) -> list[Variation]:
    """What is changed, one at a time.

    Args:
        seeds: how many other seeds.
        numbers: of regions.
        fills: see `vps.core.masking.make_fill`.
        searches: keys of `vps.search.SEARCHES`.
    """
    return [
        *(Variation(f"seed +{more}", {"seed": more}) for more in range(1, seeds + 1)),
        *(Variation(f"search {name}", {"search": name}) for name in searches),
        *(Variation(f"{number} regions", {"regions": number}) for number in numbers),
        *(Variation(f"fill {fill}", {"fill": fill}) for fill in fills),
    ]


def stability(
    detector: Detector,
    image: AnyImage,
    target: Target | Detection,
    *,
    variations: Sequence[Variation] | None = None,
    seed: int = 0,
    done: Callable[[str], None] | None = None,
    **settings: Any,
) -> tuple[Explanation, list[Stability]]:
    """Explain a detection, and again under each variation.

    Variations of the search are left out for methods that have none, those of the seed are added
    to it.

    Args:
        detector, image, target: as for `vps.explaining.explain.explain`.
        variations: by default `usual_variations()`; those that change nothing are left out.
        seed: of the first explanation.
        done: told each variation's name when it is measured.
        settings: of the first explanation, as for `vps.explaining.explain.explain`.

    Returns:
        The first explanation and one row a variation.

    Raises:
        InputError: what cannot be asked, or no variation that changes something.
        DetectorError: the detector fails or breaks its contract.
    """
    method: str | Method = settings.get("method", VPS.name)
    searched = method == VPS.name
    chosen = [
        variation
        for variation in (usual_variations() if variations is None else variations)
        if (searched or "search" not in variation.settings)
        and not any(settings.get(name) == value for name, value in variation.settings.items())
    ]
    if not chosen:
        raise InputError("nothing is varied: give other seeds, searches, regions or fills")
    first = _explained(detector, image, target, seed, settings)
    rows = []
    for variation in chosen:
        changed = dict(variation.settings)
        if changed.get("search") == first.search:
            continue
        other_seed = seed + changed.pop("seed", 0)
        other = _explained(detector, image, target, other_seed, {**settings, **changed})
        rows.append(_compared(variation.name, first, other))
        if done is not None:
            done(variation.name)
    return first, rows


def _explained(
    detector: Detector,
    image: AnyImage,
    target: Target | Detection,
    seed: int,
    settings: dict[str, Any],
) -> Explanation:
    with warnings.catch_warnings():
        # They are in the explanation.
        warnings.simplefilter("ignore", UserWarning)
        found = explain(detector, image, target, seed=seed, **settings)
        found.stopped.raise_again()
    return found


def _compared(name: str, first: Explanation, other: Explanation) -> Stability:
    size = (first.label_map.shape[0], first.label_map.shape[1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        maps = [each.heatmap_at(size) for each in (first, other)]
    same = agreement(*maps)
    return Stability(
        name,
        same.spearman,
        same.top_iou,
        *_kept(first, other, size),
        _faithfulness(other) - _faithfulness(first),
    )


def _kept(first: Explanation, other: Explanation, size: tuple[int, int]) -> tuple[float, float]:
    """Of what decides, the share that decides or helps again; and that of all area."""
    decides = _painted(first, size, (Level.DECIDES,))
    again = _painted(other, size, (Level.DECIDES, Level.HELPS))
    if decides is None or again is None or not decides.any():
        return np.nan, np.nan
    return float(again[decides].mean()), float(again.mean())


def _painted(
    explanation: Explanation, size: tuple[int, int], wanted: Collection[Level]
) -> np.ndarray | None:
    """(H, W) bool: where the levels are among some; None without levels."""
    if explanation.levels is None:
        return None
    chosen = np.array([level in wanted for level in explanation.levels])
    return paint(chosen, explanation.label_map, size)


def _faithfulness(explanation: Explanation) -> float:
    return explanation.insertion_auc - explanation.deletion_auc


def top_of(values: np.ndarray) -> np.ndarray:
    """How far each pixel belongs to the top 10 % of a map.

    Args:
        values: (n,) of its pixels.

    Returns:
        (n,) in [0, 1]; pixels at the edge that share one value share what is left.
    """
    count = max(round(TOP * len(values)), 1)
    edge = np.partition(values, -count)[-count]
    above = values > edge
    at_edge = values == edge
    share = (count - above.sum()) / at_edge.sum()
    return above + share * at_edge

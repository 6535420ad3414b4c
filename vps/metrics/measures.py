"""All metrics of one explanation and of a repair, by the names of `vps.metrics.METRICS`."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vps.core.targets import Box
from vps.engine.attribution import region_sums
from vps.engine.curve_values import highest_score, necessary_step, normalised, sufficient_step
from vps.errors import InputError
from vps.metrics import highest_score_name, repaired_name
from vps.metrics.fidelity import mu_fidelity
from vps.metrics.localisation import energy_pointing_game, inside_box, pointing_game
from vps.metrics.repair import is_repaired, repair_auc
from vps.metrics.sparsity import gini
from vps.metrics.success import is_success
from vps.results.explanation import Explanation
from vps.results.repair import Repair

Fidelity = tuple[np.ndarray, np.ndarray]
"""Subsets (K, m) bool of regions and the score s (K,) of the image with each of them hidden."""


@dataclass(frozen=True)
class MetricSettings:
    """What the metrics can be set to.

    Attributes:
        highest_ious: IoU thresholds of the highest score, each in [0, 1).
        success_score, success_iou: a case succeeds if its highest score at this IoU exceeds this
            score; each in [0, 1).
        sufficient_share: the part of the whole image's score that suffices, in (0, 1].
        necessary_share: the part of the same to which the score falls once what is necessary is
            hidden, in [0, 1).
        fidelity_subsets: how many subsets of regions mu-fidelity hides; 0 does without it, and
            fewer than 2 say nothing.
        fidelity_share: of the regions that each of them holds, in (0, 1).
        seed: of the subsets, at least 0.

    Raises:
        InputError: a value out of range, or an IoU threshold that comes twice.
    """

    highest_ious: tuple[float, ...] = (0.5, 0.75)
    success_score: float = 0.35
    success_iou: float = 0.5
    sufficient_share: float = 0.9
    necessary_share: float = 0.5
    fidelity_subsets: int = 64
    fidelity_share: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "highest_ious", tuple(self.highest_ious))
        for value in self.highest_ious:
            _check("highest_ious", 0 <= value < 1, "in [0, 1)", value)
        if len({highest_score_name(value) for value in self.highest_ious}) < len(self.highest_ious):
            raise InputError(f"highest_ious holds a threshold twice: {self.highest_ious}")
        for name in ("success_score", "success_iou", "necessary_share"):
            value = getattr(self, name)
            _check(name, 0 <= value < 1, "in [0, 1)", value)
        _check(
            "sufficient_share", 0 < self.sufficient_share <= 1, "in (0, 1]", self.sufficient_share
        )
        _check("fidelity_share", 0 < self.fidelity_share < 1, "in (0, 1)", self.fidelity_share)
        subsets = self.fidelity_subsets
        _check("fidelity_subsets", subsets == 0 or subsets >= 2, "0 or at least 2", subsets)
        _check("seed", self.seed >= 0, "at least 0", self.seed)


def measure(
    explanation: Explanation,
    *,
    truth_box: Box | None = None,
    mask: np.ndarray | None = None,
    fidelity: Fidelity | None = None,
    settings: MetricSettings | None = None,
) -> dict[str, float]:
    """All metrics of one explanation.

    Args:
        explanation: by any method.
        truth_box: xyxy, pixels of the original image, of the object that the pointing games look
            for; by default the target's box.
        mask: (H, W) bool, the pixels of the same object, where they are known.
        fidelity: random subsets (`vps.metrics.fidelity.random_subsets`) and s of the image with
            each of them hidden, under the explanation's own fill and regions.
        settings: of the metrics.

    Returns:
        Finite values by name, in the order of `vps.metrics.METRICS`. What does not apply is absent:
        normalised areas and smallest sets where the whole image scores 0, a necessary set where
        hiding everything leaves too much of the score, pointing games at a box or mask without a
        pixel, mu-fidelity without subsets or where it is not defined.

    Raises:
        InputError: a mask of another size than the image, subsets of other regions, or an
            explanation whose values are not finite.
    """
    settings = settings or MetricSettings()
    with warnings.catch_warnings():
        # That the map is constant was said when it was made.
        warnings.simplefilter("ignore", UserWarning)
        heatmap = explanation.heatmap
    box = explanation.target.box if truth_box is None else truth_box
    values = {
        **_areas_under(explanation),
        **_highest(explanation, settings),
        **_pointing(heatmap, inside_box(box, explanation.image_size), mask),
        "mu_fidelity": _mu_fidelity(explanation, heatmap, fidelity),
        "sparsity": gini(heatmap),
        **_smallest(explanation, settings),
        "passes": float(explanation.passes),
        "seconds": float(explanation.seconds),
    }
    metrics = {name: value for name, value in values.items() if value is not None}
    wrong = [name for name, value in metrics.items() if not math.isfinite(value)]
    if wrong:
        raise InputError(f"the explanation holds NaN or infinity; not finite: {', '.join(wrong)}")
    return metrics


def measure_repair(repair: Repair, shares: Sequence[float]) -> dict[str, float]:
    """The metrics of what a method found to hide so that a failure goes away.

    Args:
        repair: by any method.
        shares: of the image; for each, and for none, whether hiding no more than that repairs.

    Returns:
        Finite values by name; "repair_area" is absent where nothing was found.
    """
    area = math.nan if repair.area is None else repair.area
    every = (0.0, *shares)
    values = {"repaired": float(repair.area is not None)}
    for share, enough in zip(every, is_repaired([area], every)[0], strict=True):
        values[repaired_name(share)] = float(enough)
    if repair.area is not None:
        values["repair_area"] = repair.area
    return {
        **values,
        "repair_auc": repair_auc(repair.area),
        "repair_passes": float(repair.passes),
    }


def _areas_under(explanation: Explanation) -> dict[str, float | None]:
    whole = float(explanation.deletion[0])
    return {
        "insertion": explanation.insertion_auc,
        "deletion": explanation.deletion_auc,
        "insertion_class": explanation.insertion_class_auc,
        "deletion_class": explanation.deletion_class_auc,
        "insertion_iou": explanation.insertion_iou_auc,
        "deletion_iou": explanation.deletion_iou_auc,
        "insertion_normalised": normalised(explanation.insertion_auc, whole),
        "deletion_normalised": normalised(explanation.deletion_auc, whole),
    }


def _highest(explanation: Explanation, settings: MetricSettings) -> dict[str, float]:
    seen = explanation.measured
    scores, ious = explanation.insertion_class[seen], explanation.insertion_iou[seen]
    highest = {
        highest_score_name(threshold): highest_score(scores, ious, threshold)
        for threshold in settings.highest_ious
    }
    best = highest_score(scores, ious, settings.success_iou)
    return {**highest, "success": float(is_success(best, settings.success_score))}


def _pointing(heatmap: np.ndarray, inside: np.ndarray, mask: np.ndarray | None) -> dict[str, float]:
    values = {}
    if inside.any():
        values["pointing"] = pointing_game(heatmap, inside)
        values["energy_pointing"] = energy_pointing_game(heatmap, inside)
    if mask is not None and mask.any():
        values["energy_pointing_mask"] = energy_pointing_game(heatmap, mask)
    return values


def _mu_fidelity(
    explanation: Explanation, heatmap: np.ndarray, fidelity: Fidelity | None
) -> float | None:
    if fidelity is None:
        return None
    hidden, scores = fidelity
    attributions = region_sums(heatmap, explanation.label_map)
    return mu_fidelity(attributions, hidden, explanation.deletion[0] - np.asarray(scores))


def _smallest(explanation: Explanation, settings: MetricSettings) -> dict[str, float | None]:
    seen = explanation.measured
    steps = {
        "sufficient_area": sufficient_step(explanation.insertion, settings.sufficient_share, seen),
        "necessary_area": necessary_step(explanation.deletion, settings.necessary_share, seen),
    }
    return {
        name: None if step is None else float(explanation.areas[step])
        for name, step in steps.items()
    }


def _check(name: str, right: bool, wanted: str, value: float) -> None:
    if not right:
        raise InputError(f"{name} must be {wanted}, got {value}")

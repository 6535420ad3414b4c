"""The functions of the metrics: from one measured case to a value, or None where there is none."""

from __future__ import annotations

import math

import numpy as np

from vps.engine.attribution import region_sums
from vps.engine.curve_values import highest_score, necessary_step, normalised, sufficient_step
from vps.metrics.fidelity import mu_fidelity
from vps.metrics.localisation import POINTING_RULES, energy_pointing_game
from vps.metrics.measured import Fidelity, Measured
from vps.metrics.names import Success
from vps.metrics.repair import is_repaired, repair_auc
from vps.metrics.success import is_success


def of_whole(auc: float, one: Measured) -> float | None:
    """An area under a curve as a share of the whole image's score, where that is not near 0."""
    return normalised(auc, float(one.explanation.deletion[0]))


def highest_above(one: Measured, threshold: float) -> float:
    """The highest class score of the measured insertion steps whose box has IoU > threshold."""
    seen = one.explanation.measured
    scores, ious = one.explanation.insertion_class[seen], one.explanation.insertion_iou[seen]
    return highest_score(scores, ious, threshold)


def succeeds(one: Measured, limits: Success) -> float:
    """1 where the highest score at the IoU of a success exceeds its score, else 0."""
    score, iou = limits
    return float(is_success(highest_above(one, iou), score))


def pointing(one: Measured) -> float | None:
    """The pointing game at the box, by the rule of the settings; None at a box without a pixel."""
    game = POINTING_RULES[one.settings.pointing_rule].game
    return game(one.heatmap, one.inside) if one.inside.any() else None


def energy_in_box(one: Measured) -> float | None:
    """The energy pointing game at the box; None at a box without a pixel."""
    return energy_pointing_game(one.heatmap, one.inside) if one.inside.any() else None


def energy_in_mask(one: Measured) -> float | None:
    """The energy pointing game at the mask; None without one, or at one without a pixel."""
    if one.mask is None or not one.mask.any():
        return None
    return energy_pointing_game(one.heatmap, one.mask)


def fidelity_of_map(one: Measured) -> float | None:
    """Mu-fidelity; None without subsets, or where it is not defined."""
    if one.fidelity is None:
        return None
    hidden, scores, label_map = Fidelity(*one.fidelity)
    if label_map is None:
        label_map = one.explanation.label_map
    attributions = region_sums(one.heatmap, label_map)
    return mu_fidelity(attributions, hidden, one.explanation.deletion[0] - np.asarray(scores))


def sufficient_area(one: Measured) -> float | None:
    """The area of the first step that suffices; None where the whole image scores 0."""
    explanation = one.explanation
    share = one.settings.sufficient_share
    return _area_at(one, sufficient_step(explanation.insertion, share, explanation.measured))


def necessary_area(one: Measured) -> float | None:
    """The area of the first step that takes much of the score away; None where none does."""
    explanation = one.explanation
    share = one.settings.necessary_share
    return _area_at(one, necessary_step(explanation.deletion, share, explanation.measured))


def is_repaired_at_all(one: Measured) -> float | None:
    """1 where hiding some part repairs the failure under the study's own fill, else 0.

    None where no repair was looked for.
    """
    return None if one.repair is None else float(one.repair.area is not None)


def repaired_under_all_fills(one: Measured) -> float | None:
    """1 where what repairs under the study's own fill does so under every other, too, else 0.

    The fills are those of `vps.core.masking.FILLS`: a repair that holds under some alone may owe
    more to what stands in the place of the hidden part than to what is hidden. None where no repair
    was looked for, or none was tried under other fills.
    """
    repair = one.repair
    if repair is None or (repair.regions and not repair.fills):
        return None
    return float(repair.regions is not None and all(repair.fills.values()))


def repaired_beside_object(one: Measured) -> float | None:
    """1 where hiding repairs the failure without touching the object, else 0.

    Touched is an object of which a region is hidden that lies in its box by more than
    `vps.sets.hiding.BESIDE` of its pixels: what is hidden is then no surroundings alone. Of all
    that a method has hidden, any such set counts, whether or not it is the smallest. None where no
    repair was looked for, and for a false box, which no object is behind.
    """
    if one.repair is None or one.explanation.target.kind.traits.false_box:
        return None
    return float(one.repair.beside_area is not None)


def repaired_within(one: Measured, share: float) -> float | None:
    """1 where hiding at most a share of the image repairs the failure, else 0; None likewise."""
    if one.repair is None:
        return None
    area = math.nan if one.repair.area is None else one.repair.area
    return float(is_repaired([area], [share])[0, 0])


def repair_area(one: Measured) -> float | None:
    """The share of the image that is hidden; None where nothing was found or looked for."""
    return None if one.repair is None else one.repair.area


def area_under_repairs(one: Measured) -> float | None:
    """The area under the repair rate of this failure; None where no repair was looked for."""
    return None if one.repair is None else repair_auc(one.repair.area)


def repair_passes(one: Measured) -> float | None:
    """Passes that looking for the repair took; None where none was looked for."""
    return None if one.repair is None else float(one.repair.passes)


def _area_at(one: Measured, step: int | None) -> float | None:
    return None if step is None else float(one.explanation.areas[step])

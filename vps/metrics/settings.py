"""What the metrics can be set to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from vps.core.names import choose
from vps.engine.attribution import MAP_RULES
from vps.engine.problem import MAP_REPLAYS
from vps.errors import InputError
from vps.metrics.fidelity import DRAWS
from vps.metrics.localisation import POINTING_RULES
from vps.metrics.names import Success, highest_score_name, success_name

_MOST_SUBSETS = 100_000

HIGHEST_IOUS = (0.5, 0.75)
"""IoU thresholds of the highest score, unless others are asked for."""

SUCCESSES: tuple[Success, ...] = ((0.35, 0.5),)
"""Scores and IoUs of the success rates, unless others are asked for."""

REPAIR_SHARES = (0.05, 0.1, 0.2)
"""Shares of the image at which repairs are counted, unless others are asked for."""


@dataclass(frozen=True)
class MetricSettings:
    """What the metrics can be set to.

    Attributes:
        highest_ious: IoU thresholds of the highest score, each in [0, 1).
        success: pairs of a score and an IoU, each in [0, 1): a case succeeds if its highest score
            at this IoU exceeds this score. What the authors of VPS report at 0.5 and call "@0.75"
            is [[0.35, 0.5], [0.25, 0.5]].
        sufficient_share: the part of the whole image's score that suffices, in (0, 1].
        necessary_share: the part of the same to which the score falls once what is necessary is
            hidden, in [0, 1).
        fidelity_subsets: how many subsets of regions mu-fidelity hides; 0 does without it, and
            fewer than 2 say nothing.
        fidelity_share: of the regions that each of them holds, in (0, 1).
        fidelity_draw: "fixed", each holds that share exactly; or "bernoulli", each region is in it
            with that probability. Xplique's MuFidelity is "bernoulli" with a share of 0.2.
        seed: of the subsets, at least 0.
        map_rule: how an order becomes a map, a key of `vps.engine.attribution.MAP_RULES`; null
            for the rule that an explanation was made with, in a study "vps".
        pointing_rule: how maps are held against boxes, a key of
            `vps.metrics.localisation.POINTING_RULES`: "vps", the share of the pixels at the
            maximum that lie inside; or "vps-paper", whether any does, with the box in whole pixels.
        map_replay: in a study, how methods that give a map are judged, a key of
            `vps.engine.problem.MAP_REPLAYS`: by "regions", as those that give an order, or by
            "pixel-steps" in black.

    Raises:
        InputError: a value out of range, or an IoU threshold that comes twice.
    """

    highest_ious: tuple[float, ...] = HIGHEST_IOUS
    success: tuple[Success, ...] = SUCCESSES
    sufficient_share: float = 0.9
    necessary_share: float = 0.5
    fidelity_subsets: int = 64
    fidelity_share: float = 0.5
    fidelity_draw: Literal["fixed", "bernoulli"] = "fixed"
    seed: int = 0
    map_rule: str | None = None
    pointing_rule: str = "vps"
    map_replay: str = "regions"

    def __post_init__(self) -> None:
        object.__setattr__(self, "highest_ious", tuple(self.highest_ious))
        for value in self.highest_ious:
            _check("highest_ious", 0 <= value < 1, "in [0, 1)", value)
        if len({highest_score_name(value) for value in self.highest_ious}) < len(self.highest_ious):
            raise InputError(f"highest_ious holds a threshold twice: {self.highest_ious}")
        object.__setattr__(self, "success", tuple((score, iou) for score, iou in self.success))
        for limits in self.success:
            wanted = "pairs of a score and an IoU, each in [0, 1)"
            _check("success", all(0 <= value < 1 for value in limits), wanted, limits)
        if len({success_name(limits) for limits in self.success}) < len(self.success):
            raise InputError(f"success holds a pair twice: {self.success}")
        low = self.necessary_share
        _check("necessary_share", 0 <= low < 1, "in [0, 1)", low)
        _check(
            "sufficient_share", 0 < self.sufficient_share <= 1, "in (0, 1]", self.sufficient_share
        )
        _check("fidelity_share", 0 < self.fidelity_share < 1, "in (0, 1)", self.fidelity_share)
        subsets = self.fidelity_subsets
        wanted = f"0, or 2 to {_MOST_SUBSETS:,}"
        _check("fidelity_subsets", subsets == 0 or 2 <= subsets <= _MOST_SUBSETS, wanted, subsets)
        choose(dict.fromkeys(DRAWS), self.fidelity_draw, "fidelity_draw")
        if self.map_rule is not None:
            choose(MAP_RULES, self.map_rule, "map_rule")
        choose(POINTING_RULES, self.pointing_rule, "pointing_rule")
        choose(MAP_REPLAYS, self.map_replay, "map_replay")
        _check("seed", self.seed >= 0, "at least 0", self.seed)


def _check(name: str, right: bool, wanted: str, value: object) -> None:
    if not right:
        raise InputError(f"{name} must be {wanted}, got {value}")

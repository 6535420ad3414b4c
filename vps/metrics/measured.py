"""What the metrics are told of one case."""

from __future__ import annotations

import dataclasses
import warnings
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np

from vps.core.targets import Box, checked_box
from vps.errors import InputError, quoted
from vps.metrics.localisation import POINTING_RULES
from vps.metrics.settings import REPAIR_SHARES, MetricSettings
from vps.results.explanation import Explanation
from vps.results.repair import Repair


class Fidelity(NamedTuple):
    """What mu-fidelity holds a map against; the first two will do as a tuple.

    Attributes:
        hidden: (K, m) bool, subsets of regions (`vps.metrics.fidelity.random_subsets`).
        scores: (K,) s of the image with each of them hidden.
        label_map: (h, w), the regions; None where they are the explanation's own, which they are
            not where it was judged by steps of pixels.
    """

    hidden: np.ndarray
    scores: np.ndarray
    label_map: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Measured:
    """One case, explained by one method, and what else is known of it.

    Attributes:
        explanation: by any method.
        truth_box: xyxy, pixels of the original image, of the object that the pointing games look
            for; None where it is the target's box.
        mask: (H, W) bool, the pixels of the same object; None where they are not known.
        fidelity: random subsets of regions and s of the image with each of them hidden; None
            without any.
        repair: what the method found to hide so that a failure goes away; None where that was not
            looked for.
        repair_shares: of the image, each in (0, 1); for each, and for none, whether hiding no more
            than that repairs is a metric.
        settings: of the metrics.

    Raises:
        InputError: an explanation, box, mask or settings that are none.
    """

    explanation: Explanation
    truth_box: Box | None = None
    mask: np.ndarray | None = None
    fidelity: Fidelity | tuple[np.ndarray, np.ndarray] | None = None
    repair: Repair | None = None
    repair_shares: tuple[float, ...] = REPAIR_SHARES
    settings: MetricSettings = field(default_factory=MetricSettings)

    def __post_init__(self) -> None:
        if not isinstance(self.explanation, Explanation):
            raise InputError(f"measured is a vps.Explanation, got {quoted(self.explanation)}")
        if not isinstance(self.settings, MetricSettings):
            raise InputError(f"settings are MetricSettings, got {quoted(self.settings)}")
        if self.truth_box is not None:
            object.__setattr__(self, "truth_box", checked_box(self.truth_box))
        if self.mask is not None:
            _check_mask(self.mask, self.explanation.image_size)

    @cached_property
    def heatmap(self) -> np.ndarray:
        """(H, W) float32 in [0, 1], the map on the original image; zeros if it is constant."""
        with warnings.catch_warnings():
            # That the map is constant was said when it was made.
            warnings.simplefilter("ignore", UserWarning)
            rule = self.settings.map_rule or self.explanation.map_rule
            return dataclasses.replace(self.explanation, map_rule=rule).heatmap

    @cached_property
    def inside(self) -> np.ndarray:
        """(H, W) bool, the pixels of the box that the pointing games look for."""
        box = self.explanation.target.box if self.truth_box is None else self.truth_box
        rule = POINTING_RULES[self.settings.pointing_rule]
        return rule.inside(box, self.explanation.image_size)


def _check_mask(mask: object, size: tuple[int, int]) -> None:
    fits = isinstance(mask, np.ndarray) and mask.dtype == np.bool_ and mask.shape == tuple(size)
    if not fits:
        what = f"{mask.dtype} {mask.shape}" if isinstance(mask, np.ndarray) else quoted(mask)
        raise InputError(f"a mask must be bool of the image's size {tuple(size)}, got {what}")

"""An image as the detector saw it at one step of an order."""

from __future__ import annotations

from typing import Literal

import numpy as np

from vps.engine import attribution
from vps.report.figures.panels import fill_of
from vps.results.explanation import Explanation

ShownOrHidden = Literal["shown", "hidden"]


def step_pixels(
    explanation: Explanation, image: np.ndarray, step: int, side: ShownOrHidden
) -> np.ndarray:
    """(h, w, 3) in [0, 1]: an image with the first regions of an order shown alone, or hidden.

    Args:
        explanation: with the order.
        image: (h, w, 3) uint8 RGB, what was explained, perhaps at a lower resolution.
        step: how many regions, 0..m.
        side: "shown", as for insertion, or "hidden", as for deletion.
    """
    first = np.zeros(len(explanation.order), bool)
    first[explanation.order[:step]] = True
    inside = attribution.paint(first, explanation.label_map, (image.shape[0], image.shape[1]))
    seen = inside if side == "shown" else ~inside
    pixels: np.ndarray = np.where(seen[..., None], image / 255, fill_of(explanation, image))
    return pixels

"""What is asked of a detector: targets in one image that is cut into regions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from vps.core.detector import Detector, PromptedDetector
from vps.core.masking import Colour, check_fill
from vps.core.names import choose
from vps.core.regions import REGION_METHODS, Regions, make_regions
from vps.core.targets import Target
from vps.engine.objective import Objective, check_lambdas
from vps.engine.passes import Passes, check_pass_settings, check_targets


@dataclass(frozen=True, eq=False)
class Problem:
    """Targets in one image that is cut into regions, and how regions are hidden.

    All methods that are compared get the same problem: the same regions, fill and mode.

    Attributes:
        detector: what is explained; asks no prompt that cannot change a target's score.
        pixels: (3, h, w) float32 RGB in [0, 1], what `detector.prepare` gave.
        size: (H, W) of the original image.
        regions: a partition of the (h, w) grid into m regions.
        targets: T boxes with labels.
        fill: what hides a region, see `vps.core.masking.make_fill`.
        mode: "object", "class" or "box", see `vps.core.scoring.MODES`.
        lambdas: weights of consistency and collaboration.
        batch_size: the most images that go through the detector at a time.
    """

    detector: Detector
    pixels: Tensor
    size: tuple[int, int]
    regions: Regions
    targets: tuple[Target, ...]
    fill: str | Colour = "mean"
    mode: str = "object"
    lambdas: tuple[float, float] = (1.0, 1.0)
    batch_size: int = 8

    def passes(self) -> Passes:
        """A new counter and cache of passes."""
        return Passes(
            self.detector,
            self.pixels,
            self.size,
            self.regions,
            self.targets,
            fill=self.fill,
            mode=self.mode,
            batch_size=self.batch_size,
        )

    def objectives(self, source: Passes) -> list[Objective]:
        """The objective of each target, on the passes of `source`."""
        return [
            Objective(source, number, lambdas=self.lambdas) for number in range(len(self.targets))
        ]


def make_problem(
    detector: Detector,
    image: np.ndarray,
    targets: Sequence[Target],
    *,
    regions: int | Regions = 64,
    region_method: str = "slico",
    fill: str | Colour = "mean",
    mode: str = "object",
    lambdas: tuple[float, float] = (1.0, 1.0),
    batch_size: int = 8,
    all_prompts: bool = False,
) -> Problem:
    """Check what is asked, prepare the image and cut it into regions; no pass is made.

    Args:
        detector: what is explained.
        image: (H, W, 3) uint8 RGB.
        targets: boxes with labels, on the original image.
        regions, region_method, fill, mode, lambdas, batch_size, all_prompts: as for
            `vps.explaining.explain.explain`.

    Raises:
        InputError: an image, target or setting that cannot be used.
    """
    check_fill(fill)
    check_lambdas(lambdas)
    choose(REGION_METHODS, region_method, "region method")
    size = (image.shape[0], image.shape[1])
    check_targets(detector, size, targets)
    check_pass_settings(mode, batch_size)
    # Mode "box" asks which of all labels scores highest.
    if isinstance(detector, PromptedDetector) and not all_prompts and mode != "box":
        detector = detector.narrowed(tuple(target.label for target in targets))
    pixels = detector.prepare(image)
    cut = regions if isinstance(regions, Regions) else make_regions(pixels, regions, region_method)
    return Problem(detector, pixels, size, cut, tuple(targets), fill, mode, lambdas, batch_size)

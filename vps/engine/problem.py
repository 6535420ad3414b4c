"""What is asked of a detector: targets in one image that is cut into regions."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from torch import Tensor

from vps.core.asking import check_detector, prepared
from vps.core.detect import Detection, as_target
from vps.core.detector import Detector, PromptedDetector, TargetScorer
from vps.core.images import AnyImage, OpenedImage
from vps.core.masking import Colour, check_fill
from vps.core.names import choose
from vps.core.needed import open_for
from vps.core.numbers import Lambdas
from vps.core.pictures import kept
from vps.core.regions import PIXEL_STEPS, Regions
from vps.core.targets import Target
from vps.engine.attribution import MAP_RULES, OURS
from vps.engine.cutting import GivenRegions, check_cutting, cut_image
from vps.engine.objective import Objective, check_lambdas
from vps.engine.passes import (
    Passes,
    check_grid,
    check_pass_settings,
    check_targets,
    scorer_of,
)
from vps.engine.repeats import WholeImage
from vps.errors import InputError, quoted

MAP_REPLAYS: dict[str, str] = {
    "regions": "its regions by their mean, hidden by the problem's fill, as for an order",
    PIXEL_STEPS: "its pixels by their value in 49 equal steps, hidden by black",
}
"""How a method that gives a map is judged, by name; see `vps.engine.pixel_steps`. A method that
gives an order is judged by its regions in any case."""


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
        mode: a key of `vps.core.scoring.MODES`: "object", "class", "box" or "threshold".
        lambdas: weights of consistency and collaboration, and of effectiveness if there is a third
            (`vps.engine.objective.Objective`).
        batch_size: the most images that go through the detector at a time.
        image_name: what the caller calls the image.
        whole_detector: as it was given, with all its prompts.
        all_prompts: whether they are all asked.
        map_rule: how an order becomes a map, a key of `vps.engine.attribution.MAP_RULES`.
        map_replay: how a method that gives a map is judged, a key of `MAP_REPLAYS`.
        whole: what its passes have seen of the whole image, whatever the fill.
        image: the original, as far as it was read; None where there is none.
    """

    detector: Detector
    pixels: Tensor
    size: tuple[int, int]
    regions: Regions
    targets: tuple[Target, ...]
    fill: str | Colour
    mode: str
    lambdas: Lambdas
    batch_size: int
    image_name: str | None
    whole_detector: Detector
    all_prompts: bool
    map_rule: str = OURS
    map_replay: str = "regions"
    whole: WholeImage = field(default_factory=WholeImage, repr=False)
    image: OpenedImage | None = field(default=None, repr=False)

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
            scorer=self.scorer,
            whole=self.whole,
        )

    @functools.cached_property
    def picture(self) -> OpenedImage | None:
        """The image for results to show themselves on."""
        return None if self.image is None else kept(self.image)

    @functools.cached_property
    def scorer(self) -> TargetScorer | None:
        """What scores the targets itself, if the detector does; it looks at the whole image once.

        Raises:
            DetectorError: it fails at the whole image.
        """
        return scorer_of(self.detector, self.pixels, self.size, self.targets)

    def varied(
        self,
        *,
        fill: str | Colour | None = None,
        batch_size: int | None = None,
        map_replay: str | None = None,
    ) -> Problem:
        """The same question under another fill, with other batches, or judged in another way."""
        other = dataclasses.replace(
            self,
            fill=self.fill if fill is None else fill,
            batch_size=self.batch_size if batch_size is None else batch_size,
            map_replay=self.map_replay if map_replay is None else map_replay,
        )
        if "scorer" in vars(self):
            vars(other)["scorer"] = self.scorer
        return other

    def of(self, detector: Detector) -> Problem:
        """The same question about another detector that sees the same grid and has the labels."""
        return dataclasses.replace(
            self,
            detector=_narrowed(detector, self.targets, self.mode, self.all_prompts),
            whole_detector=detector,
            whole=WholeImage(),
        )

    def look_again(self) -> int:
        """Show the whole image once more, if passes have shown it once: that tells whether the
        detector is deterministic. No counter of `passes` has this one.

        Returns:
            How many passes it took, 1 or 0.

        Raises:
            DetectorError: the detector fails or breaks its contract.
        """
        if self.whole.looks != 1:
            return 0
        self.passes().evaluate(np.ones((1, self.regions.count), bool))
        return 1

    def objectives(self, source: Passes) -> list[Objective]:
        """The objective of each target, on the passes of `source`."""
        return [
            Objective(source, number, lambdas=self.lambdas) for number in range(len(self.targets))
        ]

    def about(
        self,
        targets: Sequence[Target | Detection],
        *,
        mode: str | None = None,
        all_prompts: bool | None = None,
    ) -> Problem:
        """The same image, regions and fill, and other targets.

        Args:
            targets: as for `make_problem`.
            mode, all_prompts: as there; where none is given, those of this problem.

        Raises:
            InputError: targets that cannot be asked about.
        """
        mode = self.mode if mode is None else mode
        given = [as_target(target) for target in targets]
        asked = check_targets(self.whole_detector, self.size, given)
        every = self.all_prompts if all_prompts is None else all_prompts
        return dataclasses.replace(
            self,
            detector=_narrowed(self.whole_detector, asked, mode, every),
            targets=asked,
            mode=mode,
            all_prompts=every,
            whole=WholeImage(),
        )


def make_problem(
    detector: Detector,
    image: AnyImage,
    targets: Sequence[Target | Detection],
    *,
    regions: GivenRegions = 64,
    region_method: str = "slico",
    numbering: str = "scan",
    fill: str | Colour = "mean",
    mode: str = "object",
    lambdas: Lambdas = (1.0, 1.0),
    batch_size: int = 8,
    image_name: str | None = None,
    all_prompts: bool = False,
    map_rule: str = OURS,
    map_replay: str = "regions",
) -> Problem:
    """Check what is asked, prepare the image and cut it into regions; no pass is made.

    Args:
        detector: what is explained.
        image: (H, W, 3) uint8 RGB, a PIL image, or the path of an image file.
        targets: boxes with labels, on the original image, or what `vps.detect` returned; a box
            that sticks out of the image is cut off at its borders.
        regions: how many regions to aim for; or regions of the grid that `detector.prepare`
            gives; or the path of a label map, or of a folder that has one of the image's name
            (`vps.engine.label_maps.read_label_map`).
        region_method: how to cut the image, a key of `vps.core.regions.REGION_METHODS`; says
            nothing where `regions` are given.
        numbering: "scan", as they are cut or given; or "distance" from the target's box, so that
            nearer regions come first among equals (`vps.core.regions.numbered_by_distance`). The
            regions are those of one target: several have to be asked about one by one, except a
            target with its rival, which are numbered by the target's box.
        fill: what hides a region, see `vps.core.masking.make_fill`.
        mode: what of the detection is explained: "object", "class" or "box"; or "threshold", an
            ablation (`vps.core.scoring.MODES`).
        lambdas: weights of consistency and collaboration, and of effectiveness if there is a third
            (`vps.engine.objective.Objective`).
        batch_size: the most images that go through the detector at a time.
        image_name: recorded in results; by default the file name of a path.
        all_prompts: where the labels fill several prompts, ask them all. By default only those that
            hold a target's label are asked, which changes no score of a target
            (`vps.core.detector.PromptedDetector.narrowed`); in mode "box", all are.
        map_rule: how an order becomes a map: "vps", or "vps-paper" as in the authors' code
            (`vps.engine.attribution.region_scores`).
        map_replay: how a method that gives a map is judged: by "regions", as all others, or by
            "pixel-steps" in black, as the paper's baselines were (`vps.engine.pixel_steps`).

    Raises:
        InputError: an image, target or setting that cannot be used.
        DetectorError: pixels that are not what `prepare` owes.
    """
    check_problem_settings(
        regions=regions,
        region_method=region_method,
        numbering=numbering,
        fill=fill,
        mode=mode,
        lambdas=lambdas,
        batch_size=batch_size,
        map_rule=map_rule,
        map_replay=map_replay,
    )
    check_detector(detector)
    if not isinstance(targets, Sequence) or isinstance(targets, str):
        raise InputError(
            "a problem has a list of at least one target: give it as [target]; got "
            f"{quoted(targets)}"
        )
    opened = open_for(detector, image)
    size = opened.size
    asked = check_targets(detector, size, [as_target(target) for target in targets])
    narrowed = _narrowed(detector, asked, mode, all_prompts)
    pixels = prepared(narrowed, opened.pixels)
    name = opened.name if image_name is None else image_name
    cut = cut_image(pixels, size, name, asked, regions, region_method, numbering)
    check_grid(cut, pixels)
    return Problem(
        detector=narrowed,
        pixels=pixels,
        size=size,
        regions=cut,
        targets=asked,
        fill=fill,
        mode=mode,
        lambdas=lambdas,
        batch_size=batch_size,
        image_name=name,
        whole_detector=detector,
        all_prompts=all_prompts,
        map_rule=map_rule,
        map_replay=map_replay,
        image=opened,
    )


def check_problem_settings(
    *,
    regions: GivenRegions = 64,
    region_method: str = "slico",
    numbering: str = "scan",
    fill: str | Colour = "mean",
    mode: str = "object",
    lambdas: Lambdas = (1.0, 1.0),
    batch_size: int = 8,
    map_rule: str = OURS,
    map_replay: str = "regions",
) -> None:
    """Refuse settings that no image can be asked about with.

    Raises:
        InputError: the first of them, and what it may be.
    """
    check_fill(fill)
    check_lambdas(lambdas)
    check_cutting(regions, region_method, numbering)
    choose(MAP_RULES, map_rule, "map rule")
    choose(MAP_REPLAYS, map_replay, "replay of maps")
    check_pass_settings(mode, batch_size)


def _narrowed(
    detector: Detector, targets: Sequence[Target], mode: str, all_prompts: bool
) -> Detector:
    """The detector without the prompts that cannot change a target's score."""
    # Mode "box" asks which of all labels scores highest.
    if isinstance(detector, PromptedDetector) and not all_prompts and mode != "box":
        return detector.narrowed(tuple(target.label for target in targets))
    return detector

"""The settings by which cases are chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from vps.core.names import choose
from vps.core.targets import Kind
from vps.data.readers.vps_list import TargetChoice
from vps.errors import InputError


@dataclass(frozen=True)
class Selection:
    """Which cases are chosen.

    Attributes:
        score_threshold, nms_iou: what counts as a detection, see `vps.core.detect.visible`. For a
            phrase, it is the candidate with the highest score, whatever the threshold.
        iou_threshold: from which IoU on a detection is on an object, in (0, 1].
        background_iou: up to which IoU a box is on nothing, above 0 and below `iou_threshold`.
        max_detections: how many detections of a label count in an image, as in COCO.
        kinds: those that are chosen; of others, only the number is found out.
        per_kind, per_class, per_frequency, per_image: the most cases, see
            `vps.data.cases.sampling.draw_cases`; None for all.
        images: how many images are looked at, the first of a shuffle; None for all.
        min_area: of the target's box, in pixels of the image.
        target: which box of a correct case is explained: "detection", what the detector found, or
            "truth", the annotation's; None for the detection, but in the lists of VPS and PhaseWin
            for the truth, as their authors do. Of failures it is what the kind says
            (`vps.core.targets.KIND_TRAITS`).
        seed: of shuffle and sample.

    Raises:
        InputError: a value out of range.
    """

    score_threshold: float = 0.3
    nms_iou: float = 0.7
    iou_threshold: float = 0.5
    background_iou: float = 0.1
    max_detections: int = 100
    kinds: tuple[Kind, ...] = tuple(Kind)
    per_kind: int | None = None
    per_class: int | None = None
    per_frequency: int | None = None
    per_image: int | None = None
    images: int | None = None
    min_area: float = 0.0
    target: TargetChoice | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("score_threshold", "nms_iou"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} must lie in [0, 1], got {getattr(self, name)}")
        if not 0 < self.background_iou < self.iou_threshold <= 1:
            raise InputError(
                "0 < background_iou < iou_threshold <= 1 must hold, got "
                f"{self.background_iou} and {self.iou_threshold}"
            )
        for name in (*self.limits, "images", "max_detections"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InputError(f"{name} must be at least 1, got {value}")
        if not (self.min_area >= 0 and self.seed >= 0):
            raise InputError("min_area and seed must be at least 0")
        if self.target is not None:
            choose(dict.fromkeys(get_args(TargetChoice)), self.target, "target")
        known = {kind.value: kind for kind in Kind}
        kinds = tuple(choose(known, kind, "kind") for kind in self.kinds)
        if not kinds:
            raise InputError(f"kinds: at least one is needed of {', '.join(known)}")
        object.__setattr__(self, "kinds", kinds)

    @property
    def limits(self) -> dict[str, int | None]:
        """The most cases of each kind, by kind, class, frequency and image."""
        names = ("per_kind", "per_class", "per_frequency", "per_image")
        return {name: getattr(self, name) for name in names}

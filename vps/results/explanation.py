"""What an explanation holds, how it is saved and what can be read off it."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from vps.core.files import write_atomically
from vps.core.images import AnyImage
from vps.core.names import choose
from vps.core.numbers import Lambdas
from vps.core.pairs import read_pair, write_pair
from vps.core.regions import PIXEL_STEPS
from vps.core.schema import read_fields
from vps.core.targets import Target, with_new_names
from vps.engine import attribution
from vps.engine import curve_values as curves
from vps.engine.budget import StopReason
from vps.engine.certainty import Level, levels_of
from vps.errors import InputError, one_line, quoted
from vps.results.showing import ShowsItself, drawn
from vps.results.stored import ARRAYS, check_explanation
from vps.results.vps_record import vps_record

SCHEMA_VERSION = 6
"""Version 1 lacks `measured`, `rounds`, `stopped` and `sharing`, version 2 `method`, `options` and
`saliency`, version 3 `effects`, version 4 `backward` and `backward_cost`, version 5 `map_rule`; all
of these have defaults."""

_CURVES = (
    "objective",
    "insertion",
    "deletion",
    "insertion_class",
    "deletion_class",
    "insertion_iou",
    "deletion_iou",
    "areas",
)
_BOXES = ("insertion_boxes", "deletion_boxes")
_ARRAYS = ("label_map", "order", "measured", *_CURVES, *_BOXES)
_OPTIONAL = ("saliency", "effects")


@dataclass(frozen=True, eq=False, repr=False)
class Explanation(ShowsItself):
    """An order of regions, the curves measured along it, and how they came about.

    A curve has one value for each step k = 0..m. At step k the first k regions of the order are
    shown (insertion) or hidden (deletion): insertion[0] is the score of nothing shown,
    deletion[0] and insertion[m] are the score of the whole image. Arrays are read-only.

    Attributes:
        label_map: (h, w) int32, the region 0..m-1 of each pixel of the detector's grid.
        order: (m,) int64, all regions, the most important first.
        objective: (m + 1,) F at each step.
        insertion, deletion: (m + 1,) score s, in [0, 1].
        insertion_class, deletion_class: (m + 1,) class score of the box that attains s.
        insertion_iou, deletion_iou: (m + 1,) IoU of the same box with the target box.
        insertion_boxes, deletion_boxes: (m + 1, 4) the same box, xyxy, pixels of the original
            image; zeros where the detector gave no candidate.
        areas: (m + 1,) share of the area that the first k regions cover, from 0 to 1.
        target: what is explained.
        image_size: (H, W) of the original image.
        detector: name of the detector.
        fill: what hidden pixels are filled with, by name or as "r,g,b".
        region_method, search, mode: names of the methods used.
        lambdas: weights of consistency and collaboration in F, and of effectiveness if there are
            three.
        labels: all that the detector was asked for; a score can depend on what else is asked.
        budget: the most passes that the search was allowed, or None.
        seed: of all that was drawn at random.
        passes: number of distinct subsets that went through the detector; for a method that gives
            a map, its images, without those that measured the curves; of a method that asks for
            gradients, backward passes count in it at what they cost.
        seconds: wall-clock time, likewise.
        versions: versions of the libraries involved.
        warnings: what the user should know before trusting the result.
        image_name: what the caller calls the image.
        measured: (m + 1,) bool, False where the values of a step were not measured but
            interpolated, because the search broke off; by default all True.
        rounds: of passes that could each go to the detector at once.
        stopped: why the search ended.
        sharing: how many targets shared the passes, this one included.
        method: the method that gave the order, a key of `vps.methods.METHODS` or another's name.
        options: its settings, all of them.
        saliency: (h, w) float32, the map of a method that gives one, on the detector's grid; None
            for an order, whose map comes from F along it.
        effects: (m, 4), what adding each region changes on average, the ends of that mean's 90 %
            interval and the number of subsets in which it was seen
            (`vps.engine.certainty.effects_of`); None for a method that is no search.
        backward: how many scores of targets in images were traced back.
        backward_cost: what each of those counts for in `passes`, in forward passes.
        numbering: how the regions are numbered, one of `vps.core.regions.NUMBERINGS`; of regions
            that are worth the same, the lower number comes first.
        map_rule: how the order becomes a map, a key of `vps.engine.attribution.MAP_RULES`.

    Where a method that gives a map was judged by steps of pixels (`vps.engine.pixel_steps`), the
    regions are those steps and the fill is theirs; `replay` tells.

    Raises:
        InputError: arrays whose shapes or values do not fit together.
    """

    drawer: ClassVar[str] = "vps.report.figures.explanation:draw_explanation"

    label_map: np.ndarray
    order: np.ndarray
    objective: np.ndarray
    insertion: np.ndarray
    deletion: np.ndarray
    insertion_class: np.ndarray
    deletion_class: np.ndarray
    insertion_iou: np.ndarray
    deletion_iou: np.ndarray
    insertion_boxes: np.ndarray
    deletion_boxes: np.ndarray
    areas: np.ndarray
    target: Target
    image_size: tuple[int, int]
    detector: str
    fill: str
    region_method: str
    search: str
    mode: str
    lambdas: Lambdas
    labels: tuple[str, ...]
    budget: int | None
    seed: int
    passes: int
    seconds: float
    versions: dict[str, str]
    warnings: tuple[str, ...] = ()
    image_name: str | None = None
    measured: np.ndarray = field(default_factory=lambda: np.empty(0, bool))
    rounds: int = 0
    stopped: StopReason = StopReason.FINISHED
    sharing: int = 1
    method: str = "vps"
    options: dict[str, Any] = field(default_factory=dict)
    saliency: np.ndarray | None = None
    effects: np.ndarray | None = None
    backward: int = 0
    backward_cost: float = 0.0
    numbering: str = "scan"
    map_rule: str = attribution.OURS

    def __post_init__(self) -> None:
        if not len(self.measured):
            object.__setattr__(self, "measured", np.ones(len(self.order) + 1, bool))
        types: dict[str, Any] = {"label_map": np.int32, "order": np.int64, "measured": np.bool_}
        for name in _ARRAYS:
            array = np.array(getattr(self, name), types.get(name, np.float64))
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        if self.saliency is not None:
            saliency = np.array(self.saliency, np.float32)
            saliency.setflags(write=False)
            object.__setattr__(self, "saliency", saliency)
            if saliency.shape != self.label_map.shape:
                raise InputError(
                    f"saliency must be on the grid {self.label_map.shape}, got {saliency.shape}"
                )
        if self.effects is not None:
            effects = np.array(self.effects, np.float64)
            effects.setflags(write=False)
            object.__setattr__(self, "effects", effects)
            if effects.shape != (len(self.order), 4):
                raise InputError(f"effects must be ({len(self.order)}, 4), got {effects.shape}")
        choose(attribution.MAP_RULES, self.map_rule, "map rule")
        object.__setattr__(self, "stopped", StopReason(self.stopped))
        for name in ("image_size", "lambdas", "labels", "warnings"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        count = len(self.order)
        if self.label_map.ndim != 2 or self.label_map.size == 0 or self.label_map.min() < 0:
            raise InputError(f"label_map must be (h, w) and not negative: {self.label_map.shape}")
        if int(self.label_map.max()) >= count:
            raise InputError(f"label_map has region {self.label_map.max()}, the order {count} only")
        if not np.array_equal(np.sort(self.order), np.arange(count)):
            raise InputError("order must hold each region 0..m-1 once")
        for name in (*_CURVES, *_BOXES, "measured"):
            shape = (count + 1, 4) if name in _BOXES else (count + 1,)
            if getattr(self, name).shape != shape:
                raise InputError(f"{name} must have shape {shape}, got {getattr(self, name).shape}")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Explanation):
            return NotImplemented
        return all(
            _same(getattr(self, field.name), getattr(other, field.name))
            for field in dataclasses.fields(self)
        )

    def __repr__(self) -> str:
        return f"Explanation({self._caption()})"

    @property
    def region_scores(self) -> np.ndarray:
        """(m,) raw attribution of each region: at most 0 (`vps.engine.attribution.region_scores`),
        or the mean of `saliency` where there is one."""
        if self.saliency is not None:
            return attribution.region_means(self.saliency, self.label_map)
        return attribution.region_scores(self.order, self.objective, self.map_rule)

    @property
    def replay(self) -> str:
        """What the curves show and hide, and what they hide it by, e.g. "regions, mean" or
        "49 pixel steps, black": curves of different ones cannot be compared."""
        shown = f"{len(self.order)} pixel steps" if self.by_pixels else "regions"
        return f"{shown}, {self.fill}"

    @property
    def by_pixels(self) -> bool:
        """Whether it was judged by steps of a map's pixels (`vps.engine.pixel_steps`)."""
        return self.region_method == PIXEL_STEPS

    @property
    def levels(self) -> list[Level] | None:
        """What the measured effects say of each region, one a region; None without `effects`."""
        if self.effects is None:
            return None
        highest = max(self.insertion.max(), self.deletion.max())
        return levels_of(self.effects, float(highest))

    @property
    def heatmap(self) -> np.ndarray:
        """(H, W) float32 in [0, 1] on the original image; zeros and a warning if constant."""
        return self.heatmap_at(self.image_size)

    def heatmap_at(self, size: tuple[int, int]) -> np.ndarray:
        """The same map on a grid of another size (H, W), without the detour over the image."""
        if self.saliency is not None:
            values = attribution.scaled(self.saliency)
        else:
            values = attribution.scaled(self.region_scores)[self.label_map]
        if self.map_rule == attribution.AUTHORS:
            return attribution.enlarged(values, size)
        return attribution.resized(values, size)

    def told_at(self, size: tuple[int, int]) -> np.ndarray:
        """(H, W) bool on a grid of a size: where something can be told of the region; True
        everywhere without `effects`."""
        levels = self.levels
        told = np.array(
            [True] * len(self.order)
            if levels is None
            else [level is not Level.UNTOLD for level in levels]
        )
        return attribution.paint(told, self.label_map, size)

    @property
    def insertion_auc(self) -> float:
        """Area under `insertion` over the share of area shown; higher is better."""
        return curves.auc(self.areas, self.insertion)

    @property
    def deletion_auc(self) -> float:
        """Area under `deletion` over the share of area hidden; lower is better."""
        return curves.auc(self.areas, self.deletion)

    @property
    def insertion_class_auc(self) -> float:
        """Area under `insertion_class`."""
        return curves.auc(self.areas, self.insertion_class)

    @property
    def deletion_class_auc(self) -> float:
        """Area under `deletion_class`."""
        return curves.auc(self.areas, self.deletion_class)

    @property
    def insertion_iou_auc(self) -> float:
        """Area under `insertion_iou`."""
        return curves.auc(self.areas, self.insertion_iou)

    @property
    def deletion_iou_auc(self) -> float:
        """Area under `deletion_iou`."""
        return curves.auc(self.areas, self.deletion_iou)

    @property
    def highest_score(self) -> float:
        """The highest class score of the measured insertion steps whose box has IoU > 0.5."""
        seen = self.measured
        return curves.highest_score(self.insertion_class[seen], self.insertion_iou[seen], 0.5)

    def smallest_sufficient(self, share: float = 0.9) -> int:
        """How many regions the shortest prefix has that does nearly as well as the whole image.

        Args:
            share: the part of the whole image's score s(V) to reach, in (0, 1].

        Returns:
            The smallest measured k with s(prefix k) >= share * s(V), in 0..m; m if s(V) is 0, for
            then there is nothing that a part could be sufficient for.

        Raises:
            InputError: a share outside (0, 1].
        """
        if not 0 < share <= 1:
            raise InputError(f"share must lie in (0, 1], got {share}")
        step = curves.sufficient_step(self.insertion, share, self.measured)
        return len(self.order) if step is None else step

    def animate(
        self,
        path: str | PathLike[str],
        image: AnyImage | None = None,
        *,
        seconds: float = 8.0,
        dpi: int = 120,
    ) -> Path:
        """Write a film of the order: the image with the first k regions shown, and with them
        hidden, the detector's box in both, and the curves up to there, for k = 0..m.

        Args:
            path: of a .gif, or of an .mp4, which needs the extra "video".
            image: as for `figure`.
            seconds: that it takes, above 0.
            dpi: dots an inch; it is 7.2 inches wide.

        Returns:
            The path.

        Raises:
            InputError: an image as for `figure`, or another suffix or length.
            OutputError: a path that cannot be written.
            MissingExtraError: an .mp4 without that extra.
        """
        drawer = "vps.report.figures.animation:save_animation"
        found: Path = drawn(drawer, self, self._known(image), path, seconds=seconds, dpi=dpi)
        return found

    def _size(self) -> tuple[int, int]:
        return self.image_size

    def _caption(self) -> str:
        box = " ".join(f"{value:.0f}" for value in self.target.box)
        return (
            f"{self.target.label} at {box} ({self.target.kind.value}), {self.detector}, by "
            f"{self.method}: insertion AUC {self.insertion_auc:.3f}, deletion AUC "
            f"{self.deletion_auc:.3f}, {self.passes} passes in {self.seconds:.1f} s"
        )

    def save(self, path: str | PathLike[str]) -> Path:
        """Write <path>.npz (arrays) and <path>.json (all else), each atomically, the JSON last.

        Args:
            path: without suffix, or with either; a folder gets explanation.npz and .json.

        Returns:
            The path of the JSON; where it exists, the pair is complete.

        Raises:
            InputError: the files cannot be written.
        """
        record: dict[str, Any] = {"schema_version": SCHEMA_VERSION}
        for item in dataclasses.fields(self):
            if item.name not in (*_ARRAYS, *_OPTIONAL):
                record[item.name] = getattr(self, item.name)
        record["target"] = dataclasses.asdict(self.target)
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        arrays |= {
            name: getattr(self, name) for name in _OPTIONAL if getattr(self, name) is not None
        }
        return write_pair(path, arrays, record)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Explanation:
        """Read what `save` wrote; equal to what was saved.

        Raises:
            InputError: files missing, corrupt, of different saves or of another schema version, or
                a value of another type or range than its field's.
        """
        arrays, record = read_pair(path, ARRAYS)
        version = record.pop("schema_version", None)
        if isinstance(version, bool) or version not in range(1, SCHEMA_VERSION + 1):
            raise InputError(
                f"{path} has schema version {quoted(version)}; this vps reads "
                f"{SCHEMA_VERSION}, so compute the explanation again or use the vps that wrote it"
            )
        if isinstance(record.get("target"), dict):
            record["target"] = with_new_names(record["target"])
        try:
            found = cls(**{**arrays, **read_fields(cls, record, given=ARRAYS)})
            check_explanation(found)
        except InputError as error:
            raise InputError(
                f"{path} does not hold a valid explanation: {one_line(error)}"
            ) from error
        return found

    def export_reference(self, path: str | PathLike[str]) -> Path:
        """Write JSON with the field names of the authors' implementation of VPS.

        See `vps.results.vps_record.vps_record`; with the masks that their scripts also read,
        `vps.results.vps_files.write_vps_result` writes it.

        Returns:
            The path written.

        Raises:
            InputError: the file cannot be written.
        """
        record = vps_record(self)
        path = Path(path)
        write_atomically(path, json.dumps(record, indent=1).encode())
        return path


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other, equal_nan=True)
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
        return math.isnan(other)
    return bool(one == other)

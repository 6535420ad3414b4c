"""Why two detectors differ about an object: both maps on the same regions, and what to hide."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from vps.core.asking import prepared
from vps.core.detector import Detector
from vps.core.images import OpenedImage
from vps.core.regions import Regions, make_regions
from vps.core.targets import Kind, Target
from vps.engine import attribution
from vps.explaining.explain import explain
from vps.explaining.failure import explain_failure
from vps.reliance.evidence import Surroundings, evidence_in, region_evidence
from vps.results.answer import Answer
from vps.results.explanation import Explanation

_REGIONS = 3  # of those that gained or lost most evidence, how many are told


@dataclass(frozen=True)
class MapSettings:
    """How the two maps are made.

    Attributes:
        regions: about how many.
        passes: the most for each map, and about the most for the search of what to hide.
        fill: what hides a region.
        threshold: the lowest score of a detection.
        batch_size: images a pass.
        seed: of the searches.
    """

    regions: int = 40
    passes: int = 200
    fill: str | tuple[float, float, float] = "mean"
    threshold: float = 0.3
    batch_size: int = 8
    seed: int = 0


class Moved(NamedTuple):
    """A region whose share of the evidence differs.

    Attributes:
        region: its number.
        first, second: shares of all evidence of A and of B.
    """

    region: int
    first: float
    second: float


@dataclass(frozen=True, eq=False)
class BothMaps:
    """Two explanations of one target by the same regions.

    Attributes:
        first, second: of A and of B; each has the regions on the grid of its detector.
        moved: the regions whose shares differ most, the most first.
        places: shares of the evidence of A and of B by place: "the object", the labels of other
            annotated objects, "the rest"; empty where a map has no evidence, or nothing is
            annotated.
        answer: the smallest hiding that makes the detector that fails say what the other says.
        failing: "A" or "B".
        passes: of all of it.
    """

    first: Explanation
    second: Explanation
    moved: tuple[Moved, ...]
    places: dict[str, tuple[float, float]]
    answer: Answer
    failing: str
    passes: int


def explain_both(
    finding: Detector,
    failing: Detector,
    image: OpenedImage,
    found: Target,
    missing: Target,
    *,
    swapped: bool = False,
    around: Surroundings | None = None,
    settings: MapSettings | None = None,
) -> BothMaps:
    """Explain what one detector finds, and why the other does not.

    Args:
        finding: finds the target.
        failing: does not; knows its label.
        image: what both look at.
        found: the target, of kind correct, under the name that `finding` has for it.
        missing: the same under the name that `failing` has for it, with what this one says instead
            and of a kind that fails (`vps.core.targets.Kind`).
        swapped: whether `finding` is B.
        around: what is annotated, on any grid.
        settings: of both maps.

    Raises:
        InputError: a target that cannot be used.
        DetectorError: a detector fails or breaks its contract.
    """
    settings = settings or MapSettings()
    grids = [tuple(prepared(one, image.pixels).shape[1:]) for one in (finding, failing)]
    coarse, number = min((grid[0] * grid[1], place) for place, grid in enumerate(grids))
    pixels = prepared((finding, failing)[number], image.pixels)
    cut = make_regions(pixels, min(settings.regions, coarse))
    shared: dict[str, Any] = {
        "fill": settings.fill,
        "batch_size": settings.batch_size,
        "seed": settings.seed,
    }
    with warnings.catch_warnings():
        # Each explanation has its own.
        warnings.simplefilter("ignore", UserWarning)
        own = explain(
            finding,
            image,
            found,
            regions=_on(cut, grids[0]),
            budget=settings.passes,
            **shared,
        )
        answer = explain_failure(
            failing,
            image,
            missing,
            regions=_on(cut, grids[1]),
            budget=2 * settings.passes,
            threshold=settings.threshold,
            **shared,
        )
    first, second = (answer.explanation, own) if swapped else (own, answer.explanation)
    return BothMaps(
        first,
        second,
        moved=moved_evidence(first, second),
        places={} if around is None else places_of(first, second, around),
        answer=answer,
        failing="A" if swapped else "B",
        passes=own.passes + answer.passes,
    )


def _on(cut: Regions, grid: tuple[int, ...]) -> Regions:
    """The same regions on the grid of another detector."""
    return dataclasses.replace(
        cut, label_map=attribution.resized(cut.label_map, (grid[0], grid[1]))
    )


def _shares(explanation: Explanation) -> np.ndarray:
    """(m,) the share of the evidence in each region; zeros for a constant map."""
    values = region_evidence(explanation)
    energy = values * np.bincount(explanation.label_map.ravel(), minlength=len(values))
    total = energy.sum()
    shares: np.ndarray = energy / total if total > 0 else energy
    return shares


def moved_evidence(first: Explanation, second: Explanation) -> tuple[Moved, ...]:
    """The regions whose share of the evidence differs most between two maps of the same regions."""
    one, other = _shares(first), _shares(second)
    order = np.argsort(-np.abs(one - other), kind="stable")[:_REGIONS]
    return tuple(Moved(int(k), float(one[k]), float(other[k])) for k in order if one[k] != other[k])


def places_of(
    first: Explanation, second: Explanation, around: Surroundings
) -> dict[str, tuple[float, float]]:
    """Shares of the evidence of two maps by place, see `BothMaps`."""
    found: list[Mapping[str, float]] = []
    for explanation in (first, second):
        grid = (explanation.label_map.shape[0], explanation.label_map.shape[1])
        own = Surroundings(
            attribution.resized(around.own, grid),
            {label: attribution.resized(mask, grid) for label, mask in around.others.items()},
        )
        shares = evidence_in(region_evidence(explanation), explanation.label_map, own)
        if shares is None:
            return {}
        others = {label: share.share for label, share in shares[2].items()}
        found.append({"the object": shares[0], **others, "the rest": shares[1]})
    return {name: (found[0][name], found[1][name]) for name in found[0]}


def failing_target(truth: Target, label: str, box: tuple[float, float, float, float]) -> Target:
    """What a detector fails at that gives a label and a box instead of the truth.

    >>> box = (0.0, 0.0, 4.0, 4.0)
    >>> failing_target(Target(box, "dog"), "cat", box).kind.value
    'classification'
    """
    kind = Kind.CLASSIFICATION if label != truth.label else Kind.LOCALISATION
    return dataclasses.replace(truth, kind=kind, predicted_label=label, predicted_box=box)

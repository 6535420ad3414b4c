"""What is found out of each case of a study: where its evidence lies, and what hiding costs it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from vps.core.targets import Box
from vps.data.sample import Id, Sample
from vps.engine import attribution
from vps.engine.problem import Problem
from vps.metrics.localisation import inside_box
from vps.reliance.evidence import Surroundings, distance_from, evidence_in, region_evidence
from vps.reliance.hiding import moved_elsewhere, seen_with
from vps.results.explanation import Explanation
from vps.sets.goals import is_seen

MOST_ELSEWHERE = 4
"""Other places, at most, in which as much is hidden as the other objects of one class cover."""

_LEAST = 2  # passes that tell whether a detection survives


@dataclass(frozen=True)
class OtherObjects:
    """What all other objects of one label in the image of a case have to do with it.

    Attributes:
        area: share of the image that is visible of them and not the case's own object.
        share: of the evidence of the map that lies in them.
        chance: the same under random orders, see `vps.reliance.evidence.evidence_in`.
        sufficient: share of the smallest sufficient set that lies in them.
        hidden: s with them hidden; None where that was not measured.
        elsewhere: s with as much hidden elsewhere, one a place.
    """

    area: float
    share: float
    chance: float
    sufficient: float
    hidden: float | None = None
    elsewhere: tuple[float, ...] = ()


@dataclass(frozen=True)
class CaseFacts:
    """Where the evidence of a case lies, and whether its detection survives parts of the image.

    Shares are None where the map, or the smallest sufficient set, has no evidence.

    Attributes:
        dataset, image_id, case: which case, as in `vps.report.tables.rows.Row`.
        kind, label: of the case.
        score: s of the whole image.
        masked: whether the object's own pixels are known; else those in its box stand for them.
        own: share of the evidence in the object.
        box: share of it in the object's box.
        rest: share of it outside of all annotated objects.
        distance: mean distance of the evidence from the box, in its diagonals; 0 inside.
        sufficient_area: share of the image that the first regions cover that reach 90 % of s.
        sufficient_own, sufficient_rest: share of that in the object, and outside of all objects.
        alone: s with only the object shown; None where that was not measured.
        alone_found: whether it is still found then, as a user sees it.
        around: s with all but the object shown.
        around_found: likewise.
        passes: of the measurements.
        others: by label.
    """

    dataset: str
    image_id: Id
    case: str
    kind: str
    label: str
    score: float
    masked: bool
    own: float | None
    box: float | None
    rest: float | None
    distance: float | None
    sufficient_area: float | None
    sufficient_own: float | None
    sufficient_rest: float | None
    alone: float | None
    alone_found: bool | None
    around: float | None
    around_found: bool | None
    passes: int
    others: dict[str, OtherObjects]


@dataclass(frozen=True, eq=False)
class Scenery:
    """What is annotated in the image of a case, on the detector's grid.

    Attributes:
        surroundings: the object and the others.
        box: xyxy, of the object, pixels of the original image.
        size: (H, W) of the original image.
        masked: see `CaseFacts`.
    """

    surroundings: Surroundings
    box: Box
    size: tuple[int, int]
    masked: bool


def scenery_of(
    sample: Sample, object_id: Id | None, box: Box, grid: tuple[int, int], names: Mapping[str, str]
) -> Scenery:
    """The object of a case and all others of its image, without crowds.

    Args:
        sample: the image with its annotations.
        object_id: the annotation of the case; None for a box on nothing.
        box: xyxy, what stands for the object where there is no annotation.
        grid: (h, w), the detector's.
        names: the data set's labels -> those that are to be used, where they differ.
    """
    own: np.ndarray | None = None
    others: dict[str, np.ndarray] = {}
    for place, label in enumerate(sample.labels):
        mine = object_id is not None and sample.object_ids[place] == object_id
        if sample.ignored[place] and not mine:
            continue
        given = tuple(sample.boxes[place].tolist())
        mask = sample.mask(place)
        if mine:
            box, own = given, mask
            continue
        pixels = inside_box(given, sample.size) if mask is None else mask
        pixels = attribution.resized(pixels, grid)
        label = names.get(label, label)
        others[label] = others[label] | pixels if label in others else pixels
    masked = own is not None
    own = attribution.resized(inside_box(box, sample.size) if own is None else own, grid)
    seen = {label: mask & ~own for label, mask in others.items()}
    seen = {label: mask for label, mask in seen.items() if mask.any()}
    return Scenery(Surroundings(own, seen), box, sample.size, masked)


def evidence_facts(
    explanation: Explanation, scenery: Scenery, *, dataset: str, image_id: Id, case: str
) -> CaseFacts:
    """Where the evidence of an explanation lies; nothing that takes a pass."""
    around, label_map = scenery.surroundings, explanation.label_map
    values = region_evidence(explanation)
    first = explanation.order[: explanation.smallest_sufficient()]
    chosen = np.isin(np.arange(len(values)), first).astype(np.float64)
    of_map = evidence_in(values, label_map, around)
    of_set = evidence_in(chosen, label_map, around) if explanation.insertion[-1] > 0 else None
    inside = attribution.resized(inside_box(scenery.box, scenery.size), label_map.shape)
    painted = values[label_map]
    apart = distance_from(scenery.box, scenery.size, (label_map.shape[0], label_map.shape[1]))
    others = {}
    for label, mask in around.others.items():
        share = (0.0, 0.0) if of_map is None else of_map[2][label]
        of_first = 0.0 if of_set is None else of_set[2][label].share
        others[label] = OtherObjects(float(mask.mean()), *share, of_first)
    energy = painted.sum()
    return CaseFacts(
        dataset=dataset,
        image_id=image_id,
        case=case,
        kind=explanation.target.kind.value,
        label=explanation.target.label,
        score=float(explanation.insertion[-1]),
        masked=scenery.masked,
        own=None if of_map is None else of_map[0],
        box=None if of_map is None else float(painted[inside].sum() / energy),
        rest=None if of_map is None else of_map[1],
        distance=None if of_map is None else float((painted * apart).sum() / energy),
        sufficient_area=None if of_set is None else float(explanation.areas[len(first)]),
        sufficient_own=None if of_set is None else of_set[0],
        sufficient_rest=None if of_set is None else of_set[1],
        alone=None,
        alone_found=None,
        around=None,
        around_found=None,
        passes=0,
        others=others,
    )


def measured_facts(
    facts: CaseFacts,
    problem: Problem,
    scenery: Scenery,
    *,
    threshold: float,
    most: int,
    seed: int,
) -> CaseFacts:
    """The same with what the detector says when parts of the image are hidden.

    Two passes show the object alone, and all but the object. With what is left of `most`, the
    other objects of each label are hidden, and as much elsewhere, in up to `MOST_ELSEWHERE` places
    each; where not all labels can be afforded, some are drawn.

    Args:
        facts: what `evidence_facts` gave.
        problem: of the case.
        scenery: of the case, on the detector's grid.
        threshold: the lowest class score of a detection.
        most: passes.
        seed: of what is drawn.

    Raises:
        DetectorError: the detector fails or breaks its contract.
    """
    around = scenery.surroundings
    rng = np.random.default_rng(seed)
    apart = distance_from(scenery.box, scenery.size, around.own.shape)
    labels = sorted(around.others)
    room = max(most - _LEAST, 0)
    affordable = min(len(labels), room // 2)
    labels = [labels[place] for place in sorted(rng.permutation(len(labels))[:affordable])]
    places = min(room // affordable - 1, MOST_ELSEWHERE) if affordable else 0
    hidden = [~around.own, around.own]
    counts = []
    for label in labels:
        mask = around.others[label]
        moved = moved_elsewhere(mask, around.own, apart, places, rng)
        counts.append(len(moved))
        hidden += [mask, *moved] if moved else []
    seen = seen_with(problem, hidden)
    scores = iter(seen.score[:, 0].tolist())
    found = is_seen(seen, 0, threshold)
    alone, rest = next(scores), next(scores)
    others = dict(facts.others)
    for label, count in zip(labels, counts, strict=True):
        if count:
            own = next(scores)
            elsewhere = tuple(next(scores) for _ in range(count))
            others[label] = dataclasses.replace(others[label], hidden=own, elsewhere=elsewhere)
    return dataclasses.replace(
        facts,
        alone=alone,
        alone_found=bool(found[0]),
        around=rest,
        around_found=bool(found[1]),
        passes=len(hidden),
        others=others,
    )


def fact_passes(spent: float, share: float) -> int:
    """How many passes a case may take: a share of what its explanations took, at least two."""
    return max(math.floor(share * spent), _LEAST)

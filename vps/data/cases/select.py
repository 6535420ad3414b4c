"""The choice of what a study explains: a detector's successes and failures in a data set."""

from __future__ import annotations

import contextlib
import importlib.metadata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from vps.core.detector import Detector
from vps.core.schema import to_plain
from vps.core.targets import Kind
from vps.core.versions import installed_version
from vps.data.cases.asking import Vocabulary
from vps.data.cases.candidates import box_area
from vps.data.cases.cases import CaseList
from vps.data.cases.doubts import doubts_about
from vps.data.cases.looking import Look, Looker, Skipped, skip_note
from vps.data.cases.sampling import draw_cases
from vps.data.cases.selection import Selection
from vps.data.dataset import Dataset
from vps.errors import InputError

TOTALS = ("images", "annotations", "detections", "ignored", "foreign", "repeated", "boxless")
"""What is counted beside the kinds, see `select_cases`."""


def select_cases(
    detector: Detector,
    dataset: Dataset,
    selection: Selection | None = None,
    *,
    rename: Mapping[str, str] | None = None,
    batch_size: int = 8,
    strict: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> CaseList:
    """Run a detector over a data set and choose cases.

    Detections are matched by COCO's rules (`vps.data.cases.matching`) and sorted into TIDE's kinds
    (`vps.data.cases.kinds`). In a grounding data set each phrase is asked alone, and is grounded
    right if the best candidate has an IoU of at least `iou_threshold` with the truth, wrong if
    not, and missed without any candidate. A mistake is no case if it tells nothing new of its
    object: if another detection finds the object, or a higher-scoring one mistakes it in the same
    way.

    The list's `counts` are of all images looked at, before anything is left out or drawn: the
    number of each kind, of which "correct" are the true positives, and
        images, annotations, detections   annotations are objects, or phrases
        ignored     detections that are neither right nor wrong
                    (`vps.data.cases.matching.Matches`), or on an object whose label the detector
                    does not know
        foreign     detections of labels that the data set does not have
        repeated    mistakes that are no case, see above
        boxless     cases whose box has no area or is for the most part outside the image
        absent      phrases of no object, where the data set has some; what is found for one at
                    `score_threshold` is a box on nothing

    Args:
        detector: asked for what the data set names; in a grounding data set, with open vocabulary.
        dataset: the images and what is annotated in them.
        selection: settings.
        rename: the detector's labels -> the data set's, where they differ. Cases bear the
            detector's names.
        batch_size: the most images that go through the detector at a time.
        strict: whether an image or phrase that cannot be read is an error; else it is skipped with
            a record.
        progress: called after each image with the number of those looked at and of all.

    Raises:
        InputError: no label in common, no case left, or, if strict, an image that cannot be read.
        DetectorError: the detector breaks its contract.
    """
    selection, rename = selection or Selection(), rename or {}
    if batch_size < 1:
        raise InputError(f"batch_size must be at least 1, got {batch_size}")
    looker = Looker(detector, dataset, selection, rename, strict)
    look = looker.look(chosen_images(dataset, selection), batch_size, progress)
    return case_list([look], dataset, selection, rename)


def chosen_images(dataset: Dataset, selection: Selection) -> list[int]:
    """The images that are looked at, by their places in the data set, rising."""
    order = np.random.default_rng(selection.seed).permutation(len(dataset))
    return sorted(order[: selection.images].tolist())


def case_list(
    looks: Sequence[Look], dataset: Dataset, selection: Selection, rename: Mapping[str, str]
) -> CaseList:
    """The list that comes of looks at all chosen images, in the order of these.

    The same whoever has looked, and at how many images a time.

    Args:
        looks: each at some images, of one detector.
        dataset, selection, rename: see `select_cases`.

    Raises:
        InputError: no case is left.
    """
    counts = Counter(dict.fromkeys([*TOTALS, *(kind.value for kind in Kind)], 0))
    unknown: Counter[str] = Counter()
    skipped: Skipped = []
    for look in looks:
        counts.update(look.counts)
        unknown.update(look.unknown)
        skipped += map(dict, look.skipped)
        dataset.note_unfit(look.masks)
    seen = next((look for look in looks if look.detector), Look())
    # Masks that do not fit are known once their images were read.
    remarks = dataset.left_out.lines()
    if seen.labels:
        remarks += Vocabulary.between(seen.labels, dataset.labels, rename).remarks(rename)
    doubts = [] if dataset.grounding else doubts_about(counts)
    unheard = [
        f"the detector does not know {label!r} ({number} annotations)"
        for label, number in sorted(unknown.items())
    ]
    skipped = [*map(skip_note, [*doubts, *remarks]), *skipped, *map(skip_note, unheard)]
    wanted = [case for look in looks for case in look.cases]
    large = [case for case in wanted if box_area(case.box) >= selection.min_area]
    if not large:
        why = _nothing_left(dataset, selection, counts, skipped, len(wanted))
        raise InputError("; ".join([why, *doubts]))
    return CaseList(
        dataset=dataset.name,
        detector=seen.detector,
        labels=seen.labels,
        settings={**to_plain(selection), "rename": dict(rename)},
        counts=dict(counts),
        cases=tuple(draw_cases(large, **selection.limits, seed=selection.seed)),
        skipped=tuple(skipped),
        versions=_versions(),
    )


def _nothing_left(
    dataset: Dataset, selection: Selection, counts: Counter[str], skipped: Skipped, wanted: int
) -> str:
    """Why there is no case: how many there were of each kind, and what removed them."""
    if not counts["images"]:
        why = f": {skipped[-1]['reason']}" if skipped else ""
        return f"{dataset.name} has no image that can be read{why}"
    kinds = [
        kind
        for kind in Kind
        if kind is Kind.MISSED or kind.traits.phrase == dataset.grounding or counts[kind.value]
    ]
    held = ", ".join(f"{counts[kind.value]} {kind.value}" for kind in kinds)
    start = f"no case is left of {dataset.name}: {counts['images']} images hold {held}"
    if wanted:
        return f"{start}; kinds leaves {wanted}, min_area {selection.min_area:g} none"
    removed = [f"{counts[name]} are {name}" for name in ("repeated", "boxless") if counts[name]]
    asked = ", ".join(kind.value for kind in selection.kinds)
    return "; ".join([start, *removed, f"kinds asks for {asked}"])


def _versions() -> dict[str, str]:
    from vps._version import __version__

    found = {"vps": __version__}
    for name in ("torch", "torchvision", "numpy", "pycocotools"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = installed_version(name)
    return found

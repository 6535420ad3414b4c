"""The choice of what a study explains: a detector's successes and failures in a data set."""

from __future__ import annotations

import contextlib
import importlib.metadata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from vps.core.detector import Detector, OpenVocabularyDetector
from vps.core.needed import needed_by
from vps.core.schema import to_plain
from vps.core.targets import Kind
from vps.data.cases.asking import Vocabulary, detect_all
from vps.data.cases.candidates import box_area, detection_cases, phrase_cases
from vps.data.cases.cases import Case, CaseList
from vps.data.cases.doubts import doubts_about
from vps.data.cases.parts import Look, Parts
from vps.data.cases.sampling import draw_cases
from vps.data.cases.selection import Selection
from vps.data.dataset import Dataset
from vps.data.sample import Id, Sample
from vps.errors import InputError

IMAGES_OF_PART = 200
"""Images that go together: what was found is kept after so many, and no batch holds some of two."""

Skipped = list[dict[str, Any]]
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
    parts: Parts | None = None,
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
        parts: keeps what was found so far, after each `IMAGES_OF_PART` images, and gives it back.

    Raises:
        InputError: no label in common, no case left, or, if strict, an image that cannot be read.
        DetectorError: the detector breaks its contract.
    """
    selection, rename = selection or Selection(), rename or {}
    if batch_size < 1:
        raise InputError(f"batch_size must be at least 1, got {batch_size}")
    chosen = _chosen(dataset, selection)
    looker = _Looker(detector, dataset, selection, rename, batch_size, strict)
    looks = []
    for number, start in enumerate(range(0, len(chosen), IMAGES_OF_PART)):
        indices = chosen[start : start + IMAGES_OF_PART]
        look = None if parts is None else parts.load(number)
        if look is None:
            look = looker.look(indices, start, len(chosen), progress)
            if parts is not None:
                parts.save(number, look)
        elif progress is not None:
            progress(start + len(indices), len(chosen))
        looks.append(look)
    counts = Counter(dict.fromkeys([*TOTALS, *(kind.value for kind in Kind)], 0))
    unknown: Counter[str] = Counter()
    skipped: Skipped = [*map(_skipped, looker.remarks())]
    for look in looks:
        counts.update(look.counts)
        unknown.update(look.unknown)
        skipped += map(dict, look.skipped)
    skipped += [
        _skipped(f"the detector does not know {label!r} ({number} annotations)")
        for label, number in sorted(unknown.items())
    ]
    wanted = [case for look in looks for case in look.cases]
    large = [case for case in wanted if box_area(case.box) >= selection.min_area]
    # Masks that do not fit are known once their images were read.
    remarks = dataset.left_out.lines()
    doubts = [] if dataset.grounding else doubts_about(counts)
    skipped[:0] = map(_skipped, [*doubts, *remarks])
    if not large:
        why = _nothing_left(dataset, selection, counts, skipped, len(wanted))
        raise InputError("; ".join([why, *doubts]))
    return CaseList(
        dataset=dataset.name,
        detector=detector.name,
        labels=() if dataset.grounding else detector.labels,
        settings={**to_plain(selection), "rename": dict(rename)},
        counts=dict(counts),
        cases=tuple(draw_cases(large, **selection.limits, seed=selection.seed)),
        skipped=tuple(skipped),
        versions=_versions(),
    )


@dataclass(frozen=True)
class _Looker:
    """Looks at images of a data set, see `select_cases`."""

    detector: Detector
    dataset: Dataset
    selection: Selection
    rename: Mapping[str, str]
    batch_size: int
    strict: bool

    def look(
        self,
        indices: Sequence[int],
        before: int,
        total: int,
        progress: Callable[[int, int], None] | None,
    ) -> Look:
        """What there is in some images; `before` of `total` were looked at already."""
        counts: Counter[str] = Counter()
        unknown: Counter[str] = Counter()
        skipped: Skipped = []

        def samples() -> Iterator[Sample]:
            for done, index in enumerate(indices, start=before + 1):
                sample = self._read(index, skipped)
                if sample is not None:
                    yield sample
                if progress is not None:
                    progress(done, total)

        if self.dataset.grounding:
            offered = self._by_phrase(samples(), counts, skipped)
        else:
            offered = self._by_detection(samples(), counts, unknown)
        # One image at a time: only the cases themselves stay in memory.
        wanted = tuple(case for case in offered if case.kind in self.selection.kinds)
        return Look(wanted, counts, unknown, tuple(skipped))

    def _read(self, index: int, skipped: Skipped) -> Sample | None:
        """An image; None where it cannot be read, which is noted."""
        try:
            needed = partial(needed_by, self.detector)
            return self.dataset.find(self.dataset.image_ids[index], needed)
        except InputError as error:
            if self.strict:
                raise
            skipped.append(_skipped(str(error), self.dataset.image_ids[index]))
            return None

    def remarks(self) -> list[str]:
        """What is to be said of the labels that detector and data set share."""
        return [] if self.dataset.grounding else list(self._vocabulary().remarks(self.rename))

    def _vocabulary(self) -> Vocabulary:
        return Vocabulary.between(self.detector.labels, self.dataset.labels, self.rename)

    def _by_detection(
        self, samples: Iterable[Sample], counts: Counter[str], unknown: Counter[str]
    ) -> Iterator[Case]:
        selection = self.selection
        vocabulary = self._vocabulary()
        for sample, found in detect_all(
            self.detector,
            samples,
            threshold=selection.score_threshold,
            nms_iou=selection.nms_iou,
            batch_size=self.batch_size,
        ):
            sample = vocabulary.renamed(sample)
            unknown.update(label for label in sample.labels if label not in vocabulary.to_detector)
            yield from detection_cases(
                found, sample, vocabulary, self.dataset.frequencies, selection, counts
            )

    def _by_phrase(
        self, samples: Iterable[Sample], counts: Counter[str], skipped: Skipped
    ) -> Iterator[Case]:
        if not isinstance(self.detector, OpenVocabularyDetector):
            raise InputError(
                f"{self.detector.name} has labels of its own; phrases need a detector that can be "
                "asked for any"
            )
        for sample in samples:

            def refused(error: InputError, image_id: Id = sample.image_id) -> None:
                if self.strict:
                    raise error
                skipped.append(_skipped(str(error), image_id))

            yield from phrase_cases(self.detector, sample, self.selection, counts, refused)


def _chosen(dataset: Dataset, selection: Selection) -> list[int]:
    """The images that are looked at, in the data set's order."""
    order = np.random.default_rng(selection.seed).permutation(len(dataset))
    return sorted(order[: selection.images].tolist())


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


def _skipped(reason: str, image_id: Id | None = None) -> dict[str, Any]:
    return {"image_id": image_id, "reason": reason}


def _versions() -> dict[str, str]:
    from vps._version import __version__

    found = {"vps": __version__}
    for name in ("torch", "torchvision", "numpy", "pycocotools"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found

"""What a detector makes of some images of a data set: cases, and all that is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from vps.core.detector import Detector, OpenVocabularyDetector
from vps.core.needed import needed_by
from vps.data.cases.asking import Vocabulary, detect_all
from vps.data.cases.candidates import detection_cases, phrase_cases
from vps.data.cases.cases import Case
from vps.data.cases.selection import Selection
from vps.data.dataset import Dataset, UnfitMask
from vps.data.sample import Id, Sample
from vps.errors import InputError

Skipped = list[dict[str, Any]]


class Look(NamedTuple):
    """What was found in some images.

    Attributes:
        detector: its name; "" where it saw none of them.
        labels: what it knows; empty where each phrase is asked alone.
        cases: of the kinds that are wanted.
        counts: see `vps.data.cases.select.select_cases`.
        unknown: labels that the detector does not know -> how many annotations have them.
        skipped: what could not be used, see `vps.data.cases.cases.CaseList`.
        masks: those that do not fit their image.
    """

    detector: str = ""
    labels: tuple[str, ...] = ()
    cases: tuple[Case, ...] = ()
    counts: Mapping[str, int] = {}
    unknown: Mapping[str, int] = {}
    skipped: tuple[Mapping[str, Any], ...] = ()
    masks: tuple[UnfitMask, ...] = ()


@dataclass(frozen=True)
class Looker:
    """Looks at images of a data set; for the arguments see `vps.data.cases.select.select_cases`."""

    detector: Detector
    dataset: Dataset
    selection: Selection
    rename: Mapping[str, str]
    strict: bool = False

    def look(
        self,
        indices: Sequence[int],
        batch_size: int,
        progress: Callable[[int, int], None] | None = None,
    ) -> Look:
        """What there is in some images.

        Args:
            indices: of images of the data set, in its order.
            batch_size: the most images that go through the detector at a time.
            progress: called after each image with the number of those looked at and of all.

        Raises:
            InputError: no label in common, or, if strict, an image that cannot be read.
            DetectorError: the detector breaks its contract.
        """
        counts: Counter[str] = Counter()
        unknown: Counter[str] = Counter()
        skipped: Skipped = []

        def samples() -> Iterator[Sample]:
            for done, index in enumerate(indices, start=1):
                sample = self._read(index, skipped)
                if sample is not None:
                    yield sample
                if progress is not None:
                    progress(done, len(indices))

        if self.dataset.grounding:
            offered = self._by_phrase(samples(), counts, skipped)
        else:
            offered = self._by_detection(samples(), batch_size, counts, unknown)
        # One image at a time: only the cases themselves stay in memory.
        wanted = tuple(case for case in offered if case.kind in self.selection.kinds)
        ids = {self.dataset.image_ids[index] for index in indices}
        masks = tuple(one for one in self.dataset.unfit_masks if one.image_id in ids)
        labels = () if self.dataset.grounding else self.detector.labels
        return Look(self.detector.name, labels, wanted, counts, unknown, tuple(skipped), masks)

    def _read(self, index: int, skipped: Skipped) -> Sample | None:
        """An image; None where it cannot be read, which is noted."""
        try:
            needed = partial(needed_by, self.detector)
            return self.dataset.find(self.dataset.image_ids[index], needed)
        except InputError as error:
            if self.strict:
                raise
            skipped.append(skip_note(str(error), self.dataset.image_ids[index]))
            return None

    def _by_detection(
        self,
        samples: Iterable[Sample],
        batch_size: int,
        counts: Counter[str],
        unknown: Counter[str],
    ) -> Iterator[Case]:
        selection = self.selection
        vocabulary = Vocabulary.between(self.detector.labels, self.dataset.labels, self.rename)
        for sample, found in detect_all(
            self.detector,
            samples,
            threshold=selection.score_threshold,
            nms_iou=selection.nms_iou,
            batch_size=batch_size,
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
                skipped.append(skip_note(str(error), image_id))

            yield from phrase_cases(self.detector, sample, self.selection, counts, refused)


def skip_note(reason: str, image_id: Id | None = None) -> dict[str, Any]:
    """What a list says of an image that is left out, or, without one, of the data set."""
    return {"image_id": image_id, "reason": reason}

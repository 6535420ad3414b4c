"""What a detector says of the images of a data set, in the data set's words."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import torch

from vps.core.asking import candidates, failures_of, prepared
from vps.core.detect import Detection, visible
from vps.core.detector import Detector, OpenVocabularyDetector
from vps.core.names import choose, name_key
from vps.data.sample import Sample
from vps.errors import InputError


@dataclass(frozen=True)
class Vocabulary:
    """The labels that a detector and a data set share, under the names of both.

    Attributes:
        to_dataset: the detector's name -> the data set's.
        to_detector: the way back.
        merged: labels of the data set that are one to the detector, which knows no other name for
            them -> the one of them in `to_detector`.
    """

    to_dataset: Mapping[str, str]
    to_detector: Mapping[str, str]
    merged: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def between(
        cls, ours: tuple[str, ...], theirs: tuple[str, ...], rename: Mapping[str, str]
    ) -> Vocabulary:
        """The shared labels of a detector (`ours`) and a data set (`theirs`).

        Names that differ in case, spaces and underscores only are shared, too, where neither side
        has the other's as it stands.

        Args:
            ours, theirs: all their labels.
            rename: the detector's names -> the data set's, where they differ.

        Raises:
            InputError: no label is shared, `rename` holds a name that is not there, or two labels
                of the detector are one of the data set.
        """
        for mine, other in rename.items():
            choose(dict.fromkeys(ours), mine, "label of the detector in rename")
            choose(dict.fromkeys(theirs), other, "label of the data set in rename")
        wanted = frozenset(theirs)
        shared = {mine: rename.get(mine, mine) for mine in ours}
        shared = {mine: other for mine, other in shared.items() if other in wanted}
        shared |= _nearly_shared(ours, theirs, rename, shared)
        back: dict[str, str] = {}
        for mine, other in shared.items():
            if back.setdefault(other, mine) != mine:
                raise InputError(
                    f"the detector's labels {back[other]!r} and {mine!r} are both {other!r} in the "
                    "data set: rename one of them only"
                )
        if not shared:
            raise InputError(
                f"detector and data set have no label in common: the detector knows "
                f"{_first(ours)}; the data set has {_first(theirs)}; map the names with rename"
            )
        known = {name_key(other): other for other in reversed(back)}
        merged = {other: known[name_key(other)] for other in theirs if name_key(other) in known}
        merged = {other: one for other, one in merged.items() if other not in back}
        return cls(shared, back, merged)

    def remarks(self, rename: Mapping[str, str]) -> list[str]:
        """What was taken for the same though it is not written alike, for people."""
        alike = [
            f"label {other!r} of the data set is taken for the detector's {mine!r}"
            for mine, other in self.to_dataset.items()
            if mine != other and mine not in rename
        ]
        return alike + [
            f"labels {one!r} and {other!r} of the data set are one to the detector, "
            f"{self.to_detector[one]!r}"
            for other, one in self.merged.items()
        ]

    def renamed(self, sample: Sample) -> Sample:
        """The same image with labels that are one to the detector under one name."""
        if not self.merged:
            return sample

        def name(label: str) -> str:
            return self.merged.get(label, label)

        return dataclasses.replace(
            sample,
            labels=tuple(map(name, sample.labels)),
            verified=None if sample.verified is None else frozenset(map(name, sample.verified)),
            partial=frozenset(map(name, sample.partial)),
        )


def _nearly_shared(
    ours: tuple[str, ...],
    theirs: tuple[str, ...],
    rename: Mapping[str, str],
    shared: Mapping[str, str],
) -> dict[str, str]:
    """Labels that neither side has as the other writes them, one by one."""
    taken = {name_key(other) for other in shared.values()} | {name_key(mine) for mine in shared}
    free: dict[str, str] = {}
    for other in theirs:
        free.setdefault(name_key(other), other)
    found: dict[str, str] = {}
    for mine in dict.fromkeys(ours):
        key = name_key(mine)
        if mine not in rename and key in free and key not in taken:
            found[mine] = free[key]
            taken.add(key)
    return found


def detect_all(
    detector: Detector,
    samples: Iterable[Sample],
    *,
    threshold: float,
    nms_iou: float,
    batch_size: int,
) -> Iterator[tuple[Sample, list[Detection]]]:
    """What a detector shows in each image, see `vps.core.detect.visible`; in the order given.

    Images that follow each other and have the same size go through in one batch.

    Raises:
        DetectorError: the detector breaks its contract.
    """
    batch: list[Sample] = []
    for sample in samples:
        if batch and (len(batch) == batch_size or _sizes(sample) != _sizes(batch[0])):
            yield from _detect(detector, batch, threshold, nms_iou)
            batch = []
        batch.append(sample)
    if batch:
        yield from _detect(detector, batch, threshold, nms_iou)


def best_candidate(
    detector: OpenVocabularyDetector, sample: Sample, phrase: str, nms_iou: float
) -> Detection | None:
    """The candidate that scores highest when the detector is asked for a phrase alone.

    However low its score is; None without any candidate.

    Raises:
        InputError: a phrase that the detector cannot read.
        DetectorError: the detector breaks its contract.
    """
    found = next(_detect(detector.with_labels((phrase,)), [sample], 0.0, nms_iou))[1]
    return found[0] if found else None


def _detect(
    detector: Detector, batch: list[Sample], threshold: float, nms_iou: float
) -> Iterator[tuple[Sample, list[Detection]]]:
    images = [prepared(detector, sample.image) for sample in batch]
    with failures_of(detector, f"detecting in {len(batch)} images"), torch.no_grad():
        detections = candidates(detector, torch.stack(images), batch[0].size)
    for index, sample in enumerate(batch):
        yield sample, visible(detections, index, threshold, nms_iou)


def _sizes(sample: Sample) -> tuple[tuple[int, ...], tuple[int, int]]:
    return sample.image.shape, sample.size


def _first(labels: tuple[str, ...], count: int = 5) -> str:
    names = ", ".join(labels[:count]) or "none"
    return names + (f", ... ({len(labels)} in all)" if len(labels) > count else "")

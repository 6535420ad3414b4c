"""What a detector says of the images of a data set, in the data set's words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import torch

from vps.core.asking import candidates, failures_of, prepared
from vps.core.detect import Detection, visible
from vps.core.detector import Detector, OpenVocabularyDetector
from vps.core.names import choose
from vps.data.sample import Sample
from vps.errors import InputError


@dataclass(frozen=True)
class Vocabulary:
    """The labels that a detector and a data set share, under the names of both.

    Attributes:
        to_dataset: the detector's name -> the data set's.
        to_detector: the way back.
    """

    to_dataset: Mapping[str, str]
    to_detector: Mapping[str, str]

    @classmethod
    def between(
        cls, ours: tuple[str, ...], theirs: tuple[str, ...], rename: Mapping[str, str]
    ) -> Vocabulary:
        """The shared labels of a detector (`ours`) and a data set (`theirs`).

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
        return cls(shared, back)


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
        if batch and (len(batch) == batch_size or sample.image.shape != batch[0].image.shape):
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
    size = (batch[0].image.shape[0], batch[0].image.shape[1])
    images = [prepared(detector, sample.image) for sample in batch]
    with failures_of(detector, f"detecting in {len(batch)} images"), torch.no_grad():
        detections = candidates(detector, torch.stack(images), size)
    for index, sample in enumerate(batch):
        yield sample, visible(detections, index, threshold, nms_iou)


def _first(labels: tuple[str, ...], count: int = 5) -> str:
    names = ", ".join(labels[:count]) or "none"
    return names + (f", ... ({len(labels)} in all)" if len(labels) > count else "")

"""Two studies' detectors over the data sets that both name: what changed, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from vps.comparing.changes import ObjectChange, changes_of, false_boxes_of
from vps.comparing.explained import (
    EXPLAINED,
    Comparison,
    ExplainedChange,
    Side,
    explain_change,
    in_turns,
    picture_name,
)
from vps.comparing.maps import MapSettings
from vps.comparing.outcomes import Outcomes, outcomes_of
from vps.core.detector import Detector
from vps.core.images import OpenedImage
from vps.data.cases.asking import Vocabulary, detect_all
from vps.data.cases.select import chosen_images
from vps.data.dataset import Dataset
from vps.data.sample import Sample
from vps.errors import InputError, one_line
from vps.reliance.facts import scenery_of
from vps.study.config import StudyConfig
from vps.study.devices import devices_here
from vps.study.inputs import draw_scenes, load_detector, open_data

ShowComparison = Callable[[str, int, int], None]


def compare_studies(
    first: StudyConfig,
    second: StudyConfig,
    loader: str,
    pictures: Path,
    *,
    most: int = 12,
    settings: MapSettings | None = None,
    show: ShowComparison | None = None,
) -> Iterator[Comparison]:
    """Compare the detectors of two studies, one data set after the other.

    The data sets, thresholds of detections and images are those of the first; of the second, its
    detector, its own score threshold and what it renames.

    Args:
        first, second: of A and B; data sets are paired by name.
        loader: see `vps.study.inputs.load_detector`.
        pictures: the folder where pictures go.
        most: changes of each data set that are explained, of all kinds and classes in turn.
        settings: of the maps.
        show: called with what is done, how much is done and how much there is.

    Raises:
        InputError: no data set in common, or one that cannot be compared.
        DetectorError: a detector cannot be loaded, or breaks its contract.
        OutputError: a picture cannot be written.
    """
    shared = [name for name in first.datasets if name in second.datasets]
    if not shared:
        raise InputError(
            f"{first.name} and {second.name} have no data set in common: they have "
            f"{', '.join(first.datasets)} and {', '.join(second.datasets)}; data sets go by name"
        )
    for name in shared:
        files = {str(config.datasets[name].annotations) for config in (first, second)}
        if len(files) > 1:
            raise InputError(
                f"data set {name} is another in both studies: {' and '.join(sorted(files))}"
            )
    if first.scenes is not None:
        draw_scenes(first.scenes)
    for name in shared:
        yield _Pair(first, second, name, loader).compare(
            pictures, most, settings or MapSettings(), show or (lambda what, done, total: None)
        )


class _Pair:
    """Both detectors, and a data set."""

    def __init__(self, first: StudyConfig, second: StudyConfig, name: str, loader: str) -> None:
        self.configs, self.name = (first, second), name
        self.dataset: Dataset = open_data(first, name)
        if self.dataset.grounding:
            raise InputError(f"data set {name} has phrases; detectors are compared by objects")
        self.detectors: list[Detector] = []
        self.words: list[Vocabulary] = []
        for config in self.configs:
            device = devices_here(config.detector.device, 1)[0]
            detector = load_detector(config, self.dataset, loader, device)
            rename = config.datasets[name].rename
            self.detectors.append(detector)
            self.words.append(
                Vocabulary.between(tuple(detector.labels), self.dataset.labels, rename)
            )

    def compare(
        self, pictures: Path, most: int, settings: MapSettings, show: ShowComparison
    ) -> Comparison:
        names = _names(self.configs)
        found = Comparison(self.name, names)
        found.remarks += self._unshared(names)
        places = chosen_images(self.dataset, self.configs[0].select)
        for done, place in enumerate(places, start=1):
            image_id = self.dataset.image_ids[place]
            try:
                sample = self.dataset.find(image_id)
            except InputError as error:
                found.remarks.append(f"image {image_id} left out: {one_line(error)}")
                continue
            first, second = (self._outcomes(which, sample) for which in (0, 1))
            found.changes += changes_of(image_id, first, second)
            found.false_boxes.append(false_boxes_of(image_id, first, second))
            show(f"detect in {self.name}", done, len(places))
        chosen = in_turns([one for one in found.changes if one.change in EXPLAINED], most)
        for done, change in enumerate(chosen, start=1):
            found.explained.append(self._explained(change, pictures, settings))
            show(f"explain changes in {self.name}", done, len(chosen))
        return found

    def _outcomes(self, which: int, sample: Sample) -> Outcomes:
        config = self.configs[which]
        ((_, detections),) = detect_all(
            self.detectors[which],
            [sample],
            threshold=config.select.score_threshold,
            nms_iou=config.select.nms_iou,
            batch_size=1,
        )
        return outcomes_of(detections, sample, self.words[which], self.configs[0].select)

    def _explained(
        self, change: ObjectChange, pictures: Path, settings: MapSettings
    ) -> ExplainedChange:
        sample = self.dataset.find(change.image_id)
        own = change.first.object_id
        grid = (sample.image.shape[0], sample.image.shape[1])
        scenery = scenery_of(sample, own, change.first.box, grid, {})
        names = _names(self.configs)
        sides = [
            Side(detector, name, words.to_detector, config.select.score_threshold)
            for detector, name, words, config in zip(
                self.detectors, names, self.words, self.configs, strict=True
            )
        ]
        return explain_change(
            change,
            (sides[0], sides[1]),
            OpenedImage(sample.image, sample.size),
            pictures / picture_name(self.name, change.image_id, own),
            around=scenery.surroundings,
            settings=settings,
        )

    def _unshared(self, names: tuple[str, str]) -> Iterator[str]:
        """Labels that only one of the two knows."""
        known = [set(words.to_detector) for words in self.words]
        for which, letter in enumerate("AB"):
            alone = sorted(known[which] - known[1 - which])
            if alone:
                yield (
                    f"{self.name}: {len(alone)} labels are known to {letter} ({names[which]}) "
                    f"alone and not compared, e.g. {alone[0]}"
                )


def _names(configs: Sequence[StudyConfig]) -> tuple[str, str]:
    """What the detectors are called: the studies' names, where the detectors' are the same."""
    first, second = (config.detector.name for config in configs)
    return (first, second) if first != second else (configs[0].name, configs[1].name)

"""What the selection of cases has found so far: how it comes about, is kept, and is read back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from vps.core.detector import Detector
from vps.data.cases.looking import Look, Looker, skip_note
from vps.data.cases.parts import Parts
from vps.data.cases.select import chosen_images
from vps.data.dataset import Dataset
from vps.errors import InputError
from vps.study.config import StudyConfig
from vps.study.inputs import open_data
from vps.study.memory import BatchFit
from vps.study.plan import ImageRange

IMAGES_OF_RANGE = 32
"""Images that a worker looks at together: none of them shares a batch with one of another range."""


def list_path(config: StudyConfig, dataset: str) -> Path:
    """Where the list of a data set's selected cases lies."""
    return Path(config.out) / "lists" / f"{dataset}.json"


def parts_of(config: StudyConfig, dataset: str, origin: str) -> Parts:
    """Where the looks at a data set lie until its list is made."""
    return Parts(list_path(config, dataset).with_suffix(".parts"), origin)


def ranges_of(dataset: str, images: int, origin: str) -> list[ImageRange]:
    """All images that are looked at, in ranges."""
    return [
        ImageRange(dataset, start, min(start + IMAGES_OF_RANGE, images), origin)
        for start in range(0, images, IMAGES_OF_RANGE)
    ]


def look_at(
    work: ImageRange,
    dataset: Dataset,
    detector: Detector,
    config: StudyConfig,
    fitting: BatchFit,
) -> None:
    """Look at images and keep what is found.

    Raises:
        OutputError: it cannot be kept.
        InputError, DetectorError: see `vps.data.cases.looking.Looker.look`.
    """
    rename = config.datasets[work.dataset].rename
    looker = Looker(detector, dataset, config.select, rename, config.run.strict)
    places = chosen_images(dataset, config.select)[work.start : work.stop]
    look = fitting.run(lambda batch_size: looker.look(places, batch_size))
    parts_of(config, work.dataset, work.origin).save(work.start, work.stop, look)


def skip_image(config: StudyConfig, work: ImageRange, reason: str) -> None:
    """Keep of the only image of a range that nothing can be found out.

    Raises:
        OutputError: it cannot be kept.
    """
    dataset = open_data(config, work.dataset)
    image_id = dataset.image_ids[chosen_images(dataset, config.select)[work.start]]
    look = Look(skipped=(skip_note(reason, image_id),))
    parts_of(config, work.dataset, work.origin).save(work.start, work.stop, look)


def ranges_left(parts: Parts, ranges: Sequence[ImageRange]) -> Iterator[ImageRange]:
    """What of some ranges is still to be looked at, whole ranges where nothing of them is known."""
    for whole in ranges:
        if parts.load(whole.start, whole.stop) is None:
            singly = whole.singly()
            left = [one for one in singly if parts.load(one.start, one.stop) is None]
            yield from [whole] if len(left) == len(singly) else left


def looks_of(parts: Parts, ranges: Sequence[ImageRange]) -> Iterator[Look]:
    """All looks, in the order of the images.

    Raises:
        InputError: one is gone.
    """
    for whole in ranges:
        look = parts.load(whole.start, whole.stop)
        for one in [] if look else whole.singly():
            single = parts.load(one.start, one.stop)
            if single is None:
                raise InputError(f"{one}: what was found there is gone; start again")
            yield single
        if look:
            yield look

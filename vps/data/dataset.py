"""Data sets: annotations in memory, images read when they are asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, overload

import numpy as np

from vps.core.images import Needed, OpenedImage
from vps.core.targets import Box
from vps.data.left_out import LeftOut
from vps.data.readers.masks import compress
from vps.data.sample import Id, Sample
from vps.data.turning import Turning, turned_hint
from vps.errors import InputError, one_line

NO_MASK = "mask that does not fit its image"


class Annotation(NamedTuple):
    """An annotated object, or a phrase and what it refers to.

    Attributes:
        id: the data set's own.
        label: its name, or the phrase.
        box: xyxy, pixels.
        area: in pixels, as annotated.
        ignored: a crowd, or another that does not count.
        segmentation: in any of COCO's forms, see `vps.data.readers.masks.compress`.
    """

    id: Id
    label: str
    box: Box
    area: float
    ignored: bool = False
    segmentation: Any = None


@dataclass(frozen=True)
class UnfitMask:
    """A mask that does not fit its image, and so is none.

    Attributes:
        image_id, annotation_id: whose it is.
        place: where it stands and what is wrong, for people.
    """

    image_id: Id
    annotation_id: Id
    place: str


class Picture(Protocol):
    """Where an image lies; as text, it says so."""

    @property
    def name(self) -> str:
        """For people."""
        ...

    def read(self) -> np.ndarray:
        """(H, W, 3) uint8 RGB; InputError if it is missing or corrupt."""
        ...


@dataclass(frozen=True)
class ImageEntry:
    """What is known of an image before it is read.

    Attributes:
        image_id: the data set's own.
        picture: where the image lies.
        annotations: of the image.
        size: (H, W) as annotated; None where it is not.
        verified, partial: labels, see `vps.data.sample.Sample`.
        fractions: whether boxes, areas and polygons are in parts of the image's width and height.
        absent: likewise, see `vps.data.sample.Sample`.
    """

    image_id: Id
    picture: Picture
    annotations: tuple[Annotation, ...]
    size: tuple[int, int] | None = None
    verified: frozenset[str] | None = None
    partial: frozenset[str] = frozenset()
    fractions: bool = False
    absent: tuple[tuple[Id, str], ...] = ()


class Dataset(Sequence[Sample]):
    """Images with what is annotated in them, ordered by id; an image is read when asked for.

    Asking for an image raises InputError if its file is missing or corrupt, or if it is of another
    size than annotated; the others can still be read.

    Attributes:
        name: of the data set.
        labels: all names, in the data set's order; empty in a grounding set.
        grounding: whether the labels of the samples are phrases, each to be asked alone.
        image_ids: one an image.
        frequencies: label -> "r", "c" or "f", in LVIS; empty elsewhere.
        left_out: what of the annotations is not used, or not as it stands. Masks that do not fit
            their image are told when it is read.
        turning: how images are read whose EXIF orientation says that they are turned.
    """

    def __init__(
        self,
        name: str,
        entries: Iterable[ImageEntry],
        *,
        labels: tuple[str, ...] = (),
        grounding: bool = False,
        frequencies: Mapping[str, str] | None = None,
        left_out: LeftOut | None = None,
    ) -> None:
        """Check and order the entries.

        Raises:
            InputError: two images, two objects of an image or two labels of the same name.
        """
        self.name, self.labels, self.grounding = name, labels, grounding
        self.frequencies = dict(frequencies or {})
        self.left_out = left_out or LeftOut()
        # Ids of both kinds do not compare.
        ordered = sorted(
            entries, key=lambda entry: (isinstance(entry.image_id, str), entry.image_id)
        )
        self.image_ids = tuple(entry.image_id for entry in ordered)
        _check_unique(self.image_ids, f"images of {name} have the id")
        _check_unique(labels, f"categories of {name} have the name")
        for entry in ordered:
            ids = [annotation.id for annotation in entry.annotations]
            _check_unique(ids, f"annotations of image {entry.image_id} of {name} have the id")
        self._entries = dict(zip(self.image_ids, ordered, strict=True))
        self.turning = Turning()
        self._masks = _Masks(self.left_out)

    @property
    def skipped(self) -> dict[str, int]:
        """Reason -> how often something was left out for it."""
        return self.left_out.counts

    @property
    def unfit_masks(self) -> tuple[UnfitMask, ...]:
        """Those of the images that were read so far."""
        return tuple(self._masks.unfit.values())

    def note_unfit(self, masks: Iterable[UnfitMask]) -> None:
        """Count masks in images that another process has read; each counts once."""
        for mask in masks:
            self._masks.note(mask)

    def __len__(self) -> int:
        return len(self.image_ids)

    def __iter__(self) -> Iterator[Sample]:
        return (self.find(image_id) for image_id in self.image_ids)

    @overload
    def __getitem__(self, index: int) -> Sample: ...
    @overload
    def __getitem__(self, index: slice) -> list[Sample]: ...
    def __getitem__(self, index: int | slice) -> Sample | list[Sample]:
        if isinstance(index, slice):
            return [self.find(image_id) for image_id in self.image_ids[index]]
        return self.find(self.image_ids[index])

    def has(self, image_id: Id) -> bool:
        """Whether there is an image of that id, readable or not."""
        return image_id in self._entries

    def picture_name(self, image_id: Id) -> str:
        """The name of an image's file, likeliest of several; the image itself is not opened."""
        return self._entries[image_id].picture.name

    def find(self, image_id: Id, needed: Needed | None = None) -> Sample:
        """The image of an id.

        Args:
            image_id: its id.
            needed: what is needed of a large image, see `vps.core.images.open_image`; by default,
                all of it.

        Raises:
            InputError: there is none, or it cannot be read, or not what was annotated.
        """
        if not self.has(image_id):
            raise InputError(f"data set {self.name} has no image {image_id!r}")
        entry = self._entries[image_id]
        opened = self.turning.read(entry, self._entries.values(), needed)
        return _read(entry, opened, self._masks)


def _read(entry: ImageEntry, opened: OpenedImage, masks: _Masks) -> Sample:
    size = opened.size
    if entry.size not in (None, size):
        raise InputError(
            f"{entry.picture} has {size[0]} x {size[1]} pixels (height x width), but is "
            f"annotated as {entry.size[0]} x {entry.size[1]}; is it another one?"
            f"{turned_hint(entry)}"
        )
    found = (
        [_in_pixels(item, size) for item in entry.annotations]
        if entry.fractions
        else entry.annotations
    )
    return Sample(
        image=opened.pixels,
        image_id=entry.image_id,
        boxes=np.array([item.box for item in found], np.float64).reshape(-1, 4),
        labels=tuple(item.label for item in found),
        object_ids=tuple(item.id for item in found),
        name=entry.picture.name,
        ignored=np.array([item.ignored for item in found], bool),
        areas=np.array([item.area for item in found], np.float64),
        segmentations=tuple(masks.compress(item, entry.image_id, size) for item in found),
        verified=entry.verified,
        partial=entry.partial,
        absent=entry.absent,
        size=size,
    )


def _in_pixels(item: Annotation, size: tuple[int, int]) -> Annotation:
    """An annotation in fractions of an image of this size, in pixels."""
    height, width = size
    x1, y1, x2, y2 = item.box
    polygons = item.segmentation and [
        [value * size[1 - place % 2] for place, value in enumerate(polygon)]
        for polygon in item.segmentation
    ]
    return item._replace(
        box=(x1 * width, y1 * height, x2 * width, y2 * height),
        area=item.area * width * height,
        segmentation=polygons,
    )


@dataclass
class _Masks:
    """The masks of a data set; what does not fit its image costs no more than the mask."""

    left_out: LeftOut
    unfit: dict[tuple[Id, Id], UnfitMask] = field(default_factory=dict)

    def compress(
        self, item: Annotation, image_id: Id, size: tuple[int, int]
    ) -> Mapping[str, Any] | None:
        try:
            return compress(item.segmentation, size)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
            place = f"annotation {item.id} of image {image_id}, segmentation: {one_line(error)}"
            self.note(UnfitMask(image_id, item.id, place))
            return None

    def note(self, mask: UnfitMask) -> None:
        # An image may be read more than once.
        key = mask.image_id, mask.annotation_id
        if key not in self.unfit:
            self.left_out.add(NO_MASK, mask.place, unit="mask")
            self.unfit[key] = mask


def _check_unique(names: Sequence[Id], what: str) -> None:
    if len(set(names)) < len(names):
        twice = next(name for name, count in Counter(names).items() if count > 1)
        raise InputError(f"two {what} {twice!r}")

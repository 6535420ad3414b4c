"""Phrases and what they refer to, as all readers of referring expressions collect them."""

from __future__ import annotations

import itertools

from vps.data.dataset import Annotation
from vps.data.left_out import LeftOut
from vps.data.readers.coco_records import OddRecordError, numbered, read_annotation
from vps.data.readers.frames import Placed, drop_fractions
from vps.data.readers.values import plain_id
from vps.data.sample import Id

NO_PHRASE = "phrase without text"
NO_TARGET = "phrase of no object"
NO_PHRASE_ID = "phrase without an id"

_UNIT = "phrase"


class Phrases:
    """The phrases of a file; what cannot be used is counted.

    Args:
        left_out: added to.
        no_target: whether phrases of no object are kept, see `vps.data.sample.Sample.absent`.
    """

    def __init__(self, left_out: LeftOut, *, no_target: bool = False) -> None:
        self._left_out, self._no_target = left_out, no_target
        self._absent: dict[Id, dict[Id, str]] = {}
        self._images: dict[Id, None] = {}
        self._found: list[tuple[Id, Annotation]] = []
        self._placed: list[Placed] = []

    def object_of(self, entry: object) -> Annotation | OddRecordError:
        """What a record of COCO says of an object, or why it is none."""
        try:
            return read_annotation(entry, "", self._left_out)
        except OddRecordError as error:
            return error

    def add(
        self,
        image_id: Id | None,
        phrase_id: object,
        text: object,
        about: Annotation | OddRecordError,
        size: tuple[int, int] | None = None,
    ) -> None:
        """Take a phrase up, or count why it is left out.

        Args:
            image_id: of its image; None where there is none, as `about` then says.
            phrase_id: its own.
            text: the phrase.
            about: the object that it refers to, or why there is none.
            size: (H, W) of the image; None where it is not known.

        Raises:
            InputError: it is left out, and that is not allowed.
        """
        if image_id is not None:
            self._images.setdefault(image_id)
        place = f"phrase {phrase_id}" + ("" if image_id is None else f" of image {image_id}")
        phrase, key = str(text or "").strip(), plain_id(phrase_id)
        wanted = not isinstance(about, OddRecordError) or (
            about.reason == NO_TARGET and self._no_target
        )
        if isinstance(about, OddRecordError) and not wanted:
            place = f"{place}, {about}" if str(about) else place
            self._left_out.add(about.reason, place, unit=_UNIT)
        elif not phrase or key is None or image_id is None:
            self._left_out.add(NO_PHRASE_ID if phrase else NO_PHRASE, place, unit=_UNIT)
        elif isinstance(about, OddRecordError):
            self._absent.setdefault(image_id, {})[key] = phrase
        else:
            self._found.append((image_id, about._replace(id=key, label=phrase)))
            self._placed.append(Placed(about.box, size, place))

    def absent_of(self, image_id: Id) -> tuple[tuple[Id, str], ...]:
        """The phrases of no object in an image, each with its id."""
        return tuple(self._absent.get(image_id, {}).items())

    def by_image(self) -> dict[Id, list[Annotation]]:
        """The phrases of objects, by image; those of all images that were named.

        Raises:
            ValueError: there is no phrase that can be used.
            InputError: the boxes are no pixels, or one is left out, and that is not allowed.
        """
        kept = itertools.compress(self._found, drop_fractions(self._placed, self._left_out))
        images: dict[Id, list[Annotation]] = {image_id: [] for image_id in self._images}
        for image_id, annotation in numbered(list(kept), self._left_out):
            images[image_id].append(annotation)
        if not self._absent and not any(images.values()):
            raise ValueError(
                "; ".join(["none of its phrases can be used", *self._left_out.lines()])
            )
        return images

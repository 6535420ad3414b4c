"""One image of a data set with what is annotated in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vps.core.extras import require
from vps.errors import InputError, one_line

Id = int | str
"""How a data set names an image or an annotation."""


def _unset() -> np.ndarray:
    return np.zeros(0)


@dataclass(frozen=True, eq=False)
class Sample:
    """One image of a data set with what is annotated in it.

    Attributes:
        image: (H, W, 3) uint8 RGB; of a large image perhaps no more than a detector needs of it.
        image_id: the data set's own id.
        boxes: (K, 4) float64, xyxy, pixels of the image at its full size.
        labels: K names, one a box; in a grounding set, K phrases.
        object_ids: K annotation ids: results are keyed by these, never by image alone.
        name: of the image file, for people.
        ignored: (K,) bool, crowds and others that are no object to explain and whose matches do
            not count (COCO's `iscrowd` and `ignore`); by default, none.
        areas: (K,) float64, pixels, as annotated; by default, those of the boxes.
        segmentations: K masks as compressed run lengths of pycocotools, which does not check them
            (`vps.data.readers.masks.compress` does), or None where there is none; see `mask`.
        verified: the labels whose presence was checked in this image (LVIS: those annotated and
            the negative categories); None where that is all of them.
        partial: the labels of which not every object is annotated (LVIS: not exhaustive).
        absent: in a grounding set, phrases of which nothing in the image is meant, with their ids.
        size: (H, W), the full size of the image; by default, that of `image`.

    Raises:
        InputError: lengths or shapes that do not fit together.
    """

    image: np.ndarray
    image_id: Id
    boxes: np.ndarray
    labels: tuple[str, ...]
    object_ids: tuple[Id, ...]
    name: str = ""
    # An empty array stands for the default, which depends on the boxes.
    ignored: np.ndarray = field(default_factory=_unset)
    areas: np.ndarray = field(default_factory=_unset)
    segmentations: tuple[Mapping[str, Any] | None, ...] = ()
    verified: frozenset[str] | None = None
    partial: frozenset[str] = frozenset()
    absent: tuple[tuple[Id, str], ...] = ()
    size: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        if self.image.ndim != 3 or self.image.shape[2] != 3 or self.image.dtype != np.uint8:
            raise InputError(
                f"image {self.image_id}: expected (H, W, 3) uint8, "
                f"got {self.image.shape} {self.image.dtype}"
            )
        if self.size == (0, 0):
            object.__setattr__(self, "size", self.image.shape[:2])
        count = len(self.labels)
        if self.boxes.shape != (count, 4) or len(self.object_ids) != count:
            raise InputError(
                f"image {self.image_id}: {count} labels need boxes {(count, 4)} and as many object "
                f"ids; got {self.boxes.shape} and {len(self.object_ids)}"
            )
        defaults = {
            "ignored": np.zeros(count, bool),
            "areas": (self.boxes[:, 2:] - self.boxes[:, :2]).prod(axis=1),
            "segmentations": (None,) * count,
        }
        for name, default in defaults.items():
            if len(getattr(self, name)) == 0:
                object.__setattr__(self, name, default)
            if len(getattr(self, name)) != count:
                raise InputError(
                    f"image {self.image_id}: {count} labels need as many {name}, got "
                    f"{len(getattr(self, name))}"
                )

    def mask(self, k: int) -> np.ndarray | None:
        """The pixels of object k, (H, W) bool; None where no mask is annotated.

        Raises:
            InputError: a mask that cannot be decoded, or is of another size than the image.
            MissingExtraError: pycocotools is not installed.
        """
        code = self.segmentations[k]
        if code is None:
            return None
        coder = require("pycocotools.mask", extra="eval")
        try:
            mask = np.asarray(coder.decode(dict(code)), bool)
        except Exception as error:  # The library's errors have no common class.
            raise InputError(
                f"image {self.image_id}: the mask of object {self.object_ids[k]} cannot be "
                f"decoded: {one_line(error)}"
            ) from error
        if mask.shape != self.size:
            raise InputError(
                f"image {self.image_id}: the mask of object {self.object_ids[k]} has size "
                f"{mask.shape}, the image {self.size}"
            )
        return mask

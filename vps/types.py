"""The values that pass between detectors, data and engine; frozen, validated when made."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vps.errors import DetectorError, InputError, one_line
from vps.extras import require

Id = int | str
"""How a data set names an image or an annotation."""


@dataclass(frozen=True, eq=False)
class Detections:
    """All candidates of a batch of images, before score threshold and NMS.

    Attributes:
        boxes: (B, N, 4) float, xyxy, pixels of the original image.
        scores: (B, N, L) float in [0, 1], one column a label; a padded candidate scores 0.
        labels: the L names, in the order of the columns.
        objectness: (B, N) float in [0, 1], how sure the detector is that there is an object at all;
            None if it does not say. Scores hold it already.

    Raises:
        DetectorError: shapes that do not fit together, or values that are not finite or, for
            scores and objectness, outside [0, 1].
    """

    boxes: Tensor
    scores: Tensor
    labels: tuple[str, ...]
    objectness: Tensor | None = None

    def __post_init__(self) -> None:
        boxes, scores = tuple(self.boxes.shape), tuple(self.scores.shape)
        if len(boxes) != 3 or boxes[-1] != 4:
            raise DetectorError(f"boxes must have shape (B, N, 4), got {boxes}")
        if len(scores) != 3 or scores[:2] != boxes[:2] or scores[2] != len(self.labels):
            raise DetectorError(
                f"scores must have shape {(*boxes[:2], len(self.labels))}: one row for each of the "
                f"boxes {boxes} and one column for each of the {len(self.labels)} labels; "
                f"got {scores}"
            )
        # One reduction to one number each: on a GPU every such look is a synchronisation.
        if not bool(torch.isfinite(self.boxes).all() & torch.isfinite(self.scores).all()):
            raise DetectorError("the detector returned NaN or infinite boxes or scores")
        if bool(((self.scores < 0) | (self.scores > 1)).any()):
            low, high = float(self.scores.min()), float(self.scores.max())
            raise DetectorError(f"scores must lie in [0, 1], got {low:.4g} to {high:.4g}")
        if self.objectness is not None:
            _check_objectness(self.objectness, boxes[:2])

    def __len__(self) -> int:
        """The number of images, B."""
        return self.boxes.shape[0]

    def column(self, label: str) -> int:
        """The column of `label` in `scores`.

        Raises:
            InputError: the detector does not know the label.
        """
        return label_column(label, self.labels)


def _check_objectness(objectness: Tensor, shape: tuple[int, ...]) -> None:
    if tuple(objectness.shape) != shape:
        raise DetectorError(
            f"objectness must have shape {shape}, a number a box; got {tuple(objectness.shape)}"
        )
    # NaN fails both comparisons.
    if not bool(((objectness >= 0) & (objectness <= 1)).all()):
        raise DetectorError("objectness must be finite and lie in [0, 1]")


@dataclass(frozen=True, eq=False)
class TargetScores:
    """What a detector says of T given targets in each of B images.

    Attributes:
        class_scores: (B, T) float in [0, 1], of each target's label.
        ious: (B, T) float in [0, 1], of the detector's box with the target's, or its expectation.
        boxes: (B, T, 4) float, the detector's box, xyxy, pixels of the original image.

    Raises:
        DetectorError: shapes that do not fit together, or values that are not finite or, for
            scores and IoUs, outside [0, 1].
    """

    class_scores: Tensor
    ious: Tensor
    boxes: Tensor

    def __post_init__(self) -> None:
        shapes = [tuple(value.shape) for value in (self.class_scores, self.ious, self.boxes)]
        if len(shapes[0]) != 2 or shapes != [shapes[0], shapes[0], (*shapes[0], 4)]:
            raise DetectorError(
                f"class scores, IoUs and boxes must have shapes (B, T), (B, T), (B, T, 4); got "
                f"{shapes}"
            )
        rates = torch.stack([self.class_scores, self.ious])
        if not bool(torch.isfinite(rates).all() & torch.isfinite(self.boxes).all()):
            raise DetectorError("the detector returned NaN or infinite scores, IoUs or boxes")
        if bool(((rates < 0) | (rates > 1)).any()):
            low, high = float(rates.min()), float(rates.max())
            raise DetectorError(f"scores and IoUs must lie in [0, 1], got {low:.4g} to {high:.4g}")


def label_column(label: str, labels: tuple[str, ...]) -> int:
    """The place of `label` among a detector's labels.

    Raises:
        InputError: it is not there; the message gives the nearest known names.
    """
    if label in labels:
        return labels.index(label)
    near = difflib.get_close_matches(label, labels, n=3, cutoff=0.5) or list(labels[:8])
    more = f", ... ({len(labels)} in all)" if len(labels) > len(near) else ""
    raise InputError(f"unknown label {label!r}; the detector knows: {', '.join(near)}{more}")


def _unset() -> np.ndarray:
    return np.zeros(0)


@dataclass(frozen=True, eq=False)
class Sample:
    """One image of a data set with what is annotated in it.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        image_id: the data set's own id.
        boxes: (K, 4) float64, xyxy, pixels of the image.
        labels: K names, one a box; in a grounding set, K phrases.
        object_ids: K annotation ids: results are keyed by these, never by image alone.
        name: of the image file, for people.
        ignored: (K,) bool, crowds and others that are no object to explain and whose matches do
            not count (COCO's `iscrowd` and `ignore`); by default, none.
        areas: (K,) float64, pixels, as annotated; by default, those of the boxes.
        segmentations: K masks as compressed run lengths of pycocotools, which does not check them
            (`vps.data.masks.compress` does), or None where there is none; see `mask`.
        verified: the labels whose presence was checked in this image (LVIS: those annotated and
            the negative categories); None where that is all of them.
        partial: the labels of which not every object is annotated (LVIS: not exhaustive).

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

    def __post_init__(self) -> None:
        if self.image.ndim != 3 or self.image.shape[2] != 3 or self.image.dtype != np.uint8:
            raise InputError(
                f"image {self.image_id}: expected (H, W, 3) uint8, "
                f"got {self.image.shape} {self.image.dtype}"
            )
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
        if mask.shape != self.image.shape[:2]:
            raise InputError(
                f"image {self.image_id}: the mask of object {self.object_ids[k]} has size "
                f"{mask.shape}, the image {self.image.shape[:2]}"
            )
        return mask

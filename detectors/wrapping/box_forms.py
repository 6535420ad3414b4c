"""What the four numbers of a box are: told, or proved by the boxes; never guessed in silence."""

from __future__ import annotations

import warnings

import numpy as np
import torch
from torch import Tensor

from vps.core.boxes import cxcywh_to_xyxy, xywh_to_xyxy
from vps.core.names import choose
from vps.errors import DetectorError

FORMS = ("xyxy", "xywh", "cxcywh", "yxyx")
UNITS = ("pixels", "fractions")
_MEANING = (
    "boxes='xyxy' (left, top, right, bottom), 'xywh' (left, top, width, height), 'cxcywh' (centre, "
    "width, height) or 'yxyx'"
)
_SLACK = 0.25  # by which share of the image boxes stick out of it without being doubted


class BoxForm:
    """Boxes of one detecting function, read as xyxy in pixels.

    Where neither the user nor the answer says what the numbers are, they are xyxy in pixels, as
    long as the boxes prove it or at least allow it. Where they allow another reading as well, a
    UserWarning asks, once.

    Args:
        form: one of `FORMS`, or None.
        units: one of `UNITS`, or None.
        name: of the detector, for messages.

    Raises:
        InputError: another form or unit.
    """

    def __init__(self, form: str | None, units: str | None, name: str) -> None:
        if form is not None:
            choose(dict.fromkeys(FORMS), form, "form of boxes")
        if units is not None:
            choose(dict.fromkeys(UNITS), units, "unit of boxes")
        self._form, self._units, self._name = form, units, name
        self._possible = {"xywh", "cxcywh"}
        self._asked = False

    def read(
        self,
        boxes: Tensor,
        grid: tuple[int, int],
        form: str | None = None,
        units: str | None = None,
    ) -> Tensor:
        """(n, 4) boxes as xyxy in pixels of the grid (h, w), in their graph if they have one.

        Args:
            boxes: of one image.
            grid: of that image.
            form, units: as the answer itself tells; what the user says stands above it.

        Raises:
            DetectorError: boxes that are not what was said, or not what nobody said they are not.
        """
        form, units = self._form or form, self._units or units
        # Padding tells nothing.
        there = (boxes != 0).any(dim=1)
        told = bool(there.any() & boxes.isfinite().all())
        if told:
            units = self._check_units(boxes[there].numpy(force=True), grid, units)
        sides = grid[:2] if form == "yxyx" else (grid[1], grid[0])
        scaled = boxes * boxes.new_tensor([*sides, *sides]) if units == "fractions" else boxes
        if told:
            shown = scaled[there].numpy(force=True)
            if form is None:
                self._check_form(shown, grid)
            else:
                self._check_said(shown, grid, form)
        return as_xyxy(scaled, form or "xyxy")

    def _check_units(self, boxes: np.ndarray, grid: tuple[int, int], units: str | None) -> str:
        largest = float(np.abs(boxes).max())
        if units is None:
            if largest <= 1.5 and min(grid) > 4:
                raise DetectorError(
                    f"{self._name}: boxes such as {_shown(boxes[0])} in an image of {grid[1]} x "
                    f"{grid[0]} pixels look like fractions of its sides: say units='fractions', or "
                    "units='pixels' if they are so small"
                )
            return "pixels"
        if units == "fractions" and largest > 2.5:
            worst = boxes[np.abs(boxes).max(axis=1).argmax()]
            raise DetectorError(
                f"{self._name}: boxes such as {_shown(worst)} are no fractions of the image's "
                "sides: say units='pixels'"
            )
        return units

    def _check_form(self, boxes: np.ndarray, grid: tuple[int, int]) -> None:
        """Nobody says what they are."""
        turned = (boxes[:, 2:] < boxes[:, :2] - 1).any(axis=1)
        if turned.any():
            fitting = [form for form in ("xywh", "cxcywh") if _fits(boxes, form, grid).all()]
            raise DetectorError(
                f"{self._name}: boxes such as {_shown(boxes[turned][0])} are not xyxy, for their "
                f"right or lower side comes first{_likely(fitting)}: say what they are, {_MEANING}"
            )
        self._possible &= {form for form in self._possible if _fits(boxes, form, grid, 0.02).all()}
        if self._possible and not self._asked:
            self._asked = True
            warnings.warn(
                f"{self._name}: boxes such as {_shown(boxes[0])} are read as xyxy, in pixels; they "
                f"could be {' or '.join(sorted(self._possible))} as well. Say what they are, "
                f"{_MEANING}",
                stacklevel=2,
            )

    def _check_said(self, boxes: np.ndarray, grid: tuple[int, int], form: str) -> None:
        """Refuse boxes that are hardly what they are said to be."""
        wrong = ~_fits(boxes, form, grid)
        others = [one for one in FORMS if one != form and _fits(boxes, one, grid).all()]
        if wrong.mean() > 0.5 and others:
            raise DetectorError(
                f"{self._name}: boxes such as {_shown(boxes[wrong][0])} do not fit into an image "
                f"of {grid[1]} x {grid[0]} pixels as {form}{_likely(others)}: say what they are, "
                f"{_MEANING}"
            )


def as_xyxy(boxes: Tensor, form: str) -> Tensor:
    """(n, 4) boxes of a form as xyxy."""
    if form == "xywh":
        return xywh_to_xyxy(boxes)
    if form == "cxcywh":
        return cxcywh_to_xyxy(boxes)
    return boxes[:, [1, 0, 3, 2]] if form == "yxyx" else boxes


def _fits(boxes: np.ndarray, form: str, grid: tuple[int, int], slack: float = _SLACK) -> np.ndarray:
    """(n,) bool: whether boxes of a form have two sides in order and lie in the image."""
    xyxy, (height, width) = as_xyxy(torch.from_numpy(boxes), form).numpy(), grid
    room = np.array([width, height]) * slack + 1
    inside = (xyxy[:, :2] >= -room) & (xyxy[:, 2:] <= np.array([width, height]) + room)
    ordered = xyxy[:, 2:] >= xyxy[:, :2] - 1
    return np.asarray((inside & ordered).all(axis=1))


def _likely(forms: list[str]) -> str:
    return f" (as {' or '.join(forms)} they fit)" if forms else ""


def _shown(box: np.ndarray) -> str:
    return f"[{', '.join(f'{value:.4g}' for value in box)}]"

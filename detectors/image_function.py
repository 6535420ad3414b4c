"""A detector out of a function that detects in one image, whatever form its answer has."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from detectors.shared.gradients import Differentiable, keeps_gradients
from detectors.shared.labels import numbered_labels
from detectors.shared.pixels import (
    check_batch,
    check_given_size,
    choose_device,
    scale_boxes,
    to_pixels,
)
from detectors.wrapping.answers import ImageAnswer, read_answer
from detectors.wrapping.box_forms import BoxForm
from vps.core.candidates import Candidates
from vps.core.names import choose
from vps.errors import DetectorError

TAKES = ("image", "pil", "batch")


class ImageFunctionDetector:
    """Wraps a function from an image to boxes, scores and classes.

    Each detection is a candidate that scores for its own class, or for all where the function
    gives a score for each. So a box that the function leaves out, by a threshold or NMS of its own,
    scores 0: the lower its threshold, the more an explanation can see. It is called for one image
    at a time, unless it takes a batch.

    Args:
        function: takes what `takes` says, and returns what `detectors.wrapping.answers.read_answer`
            knows; with takes="batch", a list of B such answers, or boxes (B, N, 4) with scores
            (B, N, L).
        labels: the names of the classes; the function may say these, or their numbers in this
            order, from 0. With a mapping, the numbers are its keys: {1: "cat", 2: "dog"}.
        name: what reports call the detector.
        takes: "image", an array (h, w, 3), uint8 RGB; "pil", a PIL image; "batch", a float32
            tensor (B, 3, h, w), RGB in [0, 1].
        boxes: what the numbers of a box are, see `detectors.wrapping.box_forms.FORMS`.
        units: "pixels" of the image that the function was given, or "fractions" of its sides.
        size: (h, w) to which every image is resized; without it, images keep their own size.
        device: where the function wants its tensors.

    Raises:
        InputError: no or repeated labels, or a setting that does not exist.
    """

    def __init__(
        self,
        function: Callable[[Any], Any],
        labels: Sequence[str] | Mapping[int, str],
        *,
        name: str = "function",
        takes: str = "image",
        boxes: str | None = None,
        units: str | None = None,
        size: tuple[int, int] | None = None,
        device: str | torch.device = "cpu",
    ) -> None:
        choose(dict.fromkeys(TAKES), takes, "kind of image that a function takes")
        numbered = numbered_labels(labels)
        check_given_size(size)
        self.name = name
        self.labels = tuple(numbered.values())
        self.device = choose_device(device)
        self._function, self._takes, self._size = function, takes, size
        self._numbers = list(numbered)
        self._form = BoxForm(boxes, units, name)

    def prepare(self, image: np.ndarray) -> Tensor:
        """The image at `size`, or at its own; see `vps.core.detector.Detector.prepare`."""
        height, width = self._size or image.shape[:2]
        return to_pixels(image, (height, width), self.device)

    @keeps_gradients
    def detect(self, pixels: Tensor, size: tuple[int, int]) -> Candidates:
        """What the function finds; see `vps.core.detector.Detector.detect`.

        Raises:
            DetectorError: the function returned something that is not known, boxes that are not
                what they are said to be, or classes that are none of the labels.
        """
        grid = check_batch(pixels)
        answers = self._answers(pixels)
        most = max(1, *(len(answer.boxes) for answer in answers))
        boxes = torch.zeros(len(answers), most, 4, dtype=torch.float64)
        scores = torch.zeros(len(answers), most, len(self.labels), dtype=torch.float64)
        for row, answer in enumerate(answers):
            count = len(answer.boxes)
            if count:
                boxes[row, :count] = self._form.read(answer.boxes, grid, answer.form, answer.units)
                scores[row, :count] = self._scores(answer)
        found, rates = (values.float().to(self.device) for values in (boxes, scores))
        return Candidates(scale_boxes(found, grid, size), rates, self.labels)

    def _answers(self, pixels: Tensor) -> list[ImageAnswer]:
        if self._takes != "batch":
            planes = (pixels.permute(0, 2, 3, 1) * 255).round().to(torch.uint8).cpu().numpy()
            given = [Image.fromarray(one) if self._takes == "pil" else one for one in planes]
            return [read_answer(self._called(one)) for one in given]
        answer = self._called(pixels)
        parts = isinstance(answer, (tuple, list)) and len(answer) in (2, 3)
        if parts and all(getattr(part, "ndim", 0) in (2, 3) for part in answer):
            boxes = answer[0]
            if boxes.ndim == 3:
                # The axis of images is the parts' own.
                answer = [tuple(part[row] for part in answer) for row in range(len(boxes))]
        if not isinstance(answer, (list, tuple)) or len(answer) != len(pixels):
            count = len(answer) if isinstance(answer, (list, tuple)) else type(answer).__name__
            raise DetectorError(
                f"{self.name}: with takes='batch', {len(pixels)} images were given, and a list of "
                f"as many answers is expected; got {count}"
            )
        return [read_answer(one) for one in answer]

    def _called(self, given: Any) -> Any:
        try:
            return self._function(given)
        except (TypeError, AttributeError) as error:
            raise DetectorError(
                f"{self.name}: the function raised {type(error).__name__}, {error}, when it was "
                f"given what takes={self._takes!r} stands for; it can also be given one of "
                f"{', '.join(repr(one) for one in TAKES if one != self._takes)}"
            ) from error

    def _scores(self, answer: ImageAnswer) -> Tensor:
        """(n, L) of one answer."""
        count, width = len(answer.boxes), len(self.labels)
        if answer.scores.ndim == 2:
            if answer.scores.shape[1] != width:
                raise DetectorError(
                    f"{self.name}: scores have {answer.scores.shape[1]} columns, and there are "
                    f"{width} labels"
                )
            return answer.scores
        if answer.classes is None and width > 1:
            raise DetectorError(
                f"{self.name}: the answer has no classes, and there are {width} labels: return "
                "(boxes, scores, classes)"
            )
        classes = answer.classes
        columns = [0] * count if classes is None else [self._column(one) for one in classes]
        scores = torch.zeros(count, width, dtype=torch.float64)
        scores[torch.arange(count), columns] = answer.scores
        return scores

    def _column(self, found: Any) -> int:
        if isinstance(found, bytes):
            found = found.decode()
        if isinstance(found, str):
            if found in self.labels:
                return self.labels.index(found)
            near = difflib.get_close_matches(found, self.labels, n=1)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            raise DetectorError(
                f"{self.name}: the function found {found!r}, which is none of the labels{hint}: "
                "give all that it may say as labels"
            )
        if int(found) in self._numbers:
            return self._numbers.index(int(found))
        raise DetectorError(
            f"{self.name}: the function found class {int(found)}, and the labels are those of the "
            f"classes {', '.join(map(str, self._numbers[:8]))}: numbers begin at 0 unless labels "
            'say otherwise, as {1: "cat", 2: "dog"}'
        )


class BatchFunctionDetector(Differentiable, ImageFunctionDetector):
    """An `ImageFunctionDetector` with takes="batch", whose function may answer by tensors of torch.

    Gradients of their boxes and scores reach the pixels, where pixels ask for them.
    """

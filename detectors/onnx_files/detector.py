"""Detectors in ONNX files, run by onnxruntime on the CPU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from detectors.onnx_files.checks import (
    ROUNDING,
    check_candidates,
    check_description,
    check_rows,
)
from detectors.onnx_files.config import OnnxConfig
from detectors.onnx_files.feeds import OtherInputs, find_image
from detectors.onnx_files.grids import make_head
from detectors.onnx_files.heads import RawCandidates
from detectors.onnx_files.input import arranged, corner, fitted_content, whole_size
from detectors.onnx_files.shapes import fits, meant, with_batch
from detectors.shared.gradients import keeps_gradients
from detectors.shared.pixels import check_batch, sampled, scale_boxes, to_pixels
from vps.core.candidates import Candidates
from vps.core.names import choose
from vps.errors import DetectorError, InputError, one_line

_INPUT_DTYPES = {
    "tensor(float)": torch.float32,
    "tensor(float16)": torch.float16,
    "tensor(uint8)": torch.uint8,
}


class OnnxDetector:
    """An ONNX file as a detector with fixed labels; a `vps.core.detector.Detector`.

    All boxes that the file returns are candidates; what it drops inside, as by an NMS that is part
    of the graph, a search does not see, so files without are better explained.

    A batch goes through in one run if the file leaves the number of images open, else one by one.

    Args:
        config: what `detectors.onnx_files.config.read_description` returns.
        session: what `detectors.onnx_files.session.open_session` returns for its model.

    Raises:
        InputError: the file does not fit the description.
    """

    def __init__(self, config: OnnxConfig, session: Any) -> None:
        self.name = config.name
        self.labels = config.labels
        self.device = torch.device("cpu")
        self._config = config
        self._session = session
        self._head = make_head(config.output, config.input.size, len(config.labels))
        feed = find_image(session.get_inputs(), config.model)
        self._feed, self._dtype = feed.name, _INPUT_DTYPES[feed.type]
        self._single = len(feed.shape or [0] * 4) == 3
        others = [port for port in session.get_inputs() if port.name != feed.name]
        height, width = config.input.size
        self._others = OtherInputs(others, config.input.others, height == width, config.model)
        if config.input.placement == "free":
            height = width = -1
        image = (3, height, width) if config.input.layout == "nchw" else (height, width, 3)
        self._check("input", [None, *feed.shape] if self._single else feed, [image])
        found = {output.name: output for output in session.get_outputs()}
        self._names = [name or next(iter(found)) for name in self._head.names]
        batched = not self._single
        for name, shapes in zip(self._names, self._head.shapes, strict=True):
            choose(found, name, f"output of {config.model}")
            batched &= self._check(f"output {name!r}", found[name], shapes)
        fixed = bool(feed.shape) and isinstance(feed.shape[0], int)
        self._batched = config.input.batched and batched and not fixed
        check_description(config, session, bytes_in=self._dtype == torch.uint8)

    def prepare(self, image: np.ndarray) -> Tensor:
        """The image at the size at which the model sees it, without padding.

        See `vps.core.detector.Detector.prepare`.
        """
        config = self._config.input
        size = (image.shape[0], image.shape[1])
        grid = fitted_content(size, config)
        if config.antialias:
            return to_pixels(image, grid, self.device)
        return sampled(image, grid, self.device)

    @keeps_gradients
    def detect(self, pixels: Tensor, size: tuple[int, int]) -> Candidates:
        """All boxes with all labels; see `vps.core.detector.Detector.detect`.

        Raises:
            InputError: pixels larger than the model's input.
            DetectorError: the model fails, or returns what its description does not say, or what
                cannot be if that is right.
        """
        config = self._config.input
        grid = check_batch(pixels)
        whole = whole_size(grid, config)
        batch = arranged(pixels, config, self._dtype)
        parts = [batch] if self._batched else batch.split(1)
        runs = [self._read(part, whole) for part in parts]
        boxes = _joined([run.boxes for run in runs])
        scores = self._checked(_joined([run.scores for run in runs]))
        rates = [run.objectness for run in runs if run.objectness is not None]
        objectness = self._checked(_joined(rates))[..., 0] if rates else None
        check_candidates(self._config, boxes.detach(), scores.detach(), whole)
        top, left = corner(grid, config)
        boxes = scale_boxes(boxes - boxes.new_tensor([left, top, left, top]), grid, size)
        return Candidates(boxes, scores, self.labels, objectness)

    def _read(self, images: Tensor, whole: tuple[int, int]) -> RawCandidates:
        """What the head reads out of one run, for an input of (height, width)."""
        head = self._head
        if self._config.input.placement == "free":
            head = make_head(self._config.output, whole, len(self.labels))
        outputs = self._run(images, whole)
        check_rows(self._config, outputs)
        return head.read(outputs)

    def _run(self, images: Tensor, whole: tuple[int, int]) -> list[Tensor]:
        """The outputs that the head reads, in float32."""
        count = len(images)
        what = f"{self._config.model} was given {count} images"
        hint = "; if it takes one at a time, set input.batched to false" if count > 1 else ""
        try:
            results = self._results(self._given(images, whole))
        except Exception as error:
            # onnxruntime raises classes of its own that have only Exception in common.
            raise DetectorError(f"{what} and failed: {one_line(error)}{hint}") from error
        outputs = []
        for result, name, shapes in zip(results, self._names, self._head.shapes, strict=True):
            values = with_batch(torch.as_tensor(result), shapes, count)
            if values is None:
                raise DetectorError(
                    f"{what} and returned {name!r} of shape {np.shape(result)}, where its "
                    f"description means {meant(shapes, count)}{hint}"
                )
            outputs.append(values.float())
        return outputs

    def _given(self, images: Tensor, whole: tuple[int, int]) -> dict[str, Any]:
        """All inputs by name, for images of (height, width) as the file takes them."""
        given = {self._feed: images[0] if self._single else images}
        return {**given, **self._others.feed(len(images), whole)}

    def _results(self, given: Mapping[str, Any]) -> list[Any]:
        """The outputs that the head reads, for inputs by name."""
        given = {**given, self._feed: given[self._feed].numpy(force=True)}
        found: list[Any] = self._session.run(list(self._names), given)
        return found

    def _check(self, what: str, found: Any, shapes: Sequence[tuple[int, ...]]) -> bool:
        """Compare an input or output of the file with the description; a named axis is free.

        Returns:
            Whether it has an axis for the batch.
        """
        shape = found if isinstance(found, list) else found.shape
        if not shape:
            return True  # The file does not say.
        batch, *rest = shape
        if (not isinstance(batch, int) or batch == 1) and fits(rest, shapes):
            return True
        if what != "input" and fits(shape, shapes):
            return False
        raise InputError(
            f"{self._config.model} has an {what} of shape {shape}, but its description, with "
            f"{len(self.labels)} labels, means {meant(shapes, 1)}; correct one of them"
        )

    def _checked(self, scores: Tensor) -> Tensor:
        """Scores without rounding errors at 0 and 1."""
        inside = scores.clamp(0, 1)
        if bool(((scores - inside).abs() > ROUNDING).any()):
            raise DetectorError(
                f"{self._config.model} returned scores from {float(scores.min()):.4g} to "
                f"{float(scores.max()):.4g}; if they are logits, set output.activation in its "
                "description; if they are no scores, correct its head"
            )
        return inside


def _joined(runs: Sequence[Tensor]) -> Tensor:
    """Values (B, N, ...) of all runs, padded: a run may return as many boxes as it likes."""
    most = max(values.shape[1] for values in runs)
    return torch.cat([pad(values, (0, 0, 0, most - values.shape[1])) for values in runs])

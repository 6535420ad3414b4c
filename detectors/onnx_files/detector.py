"""Detectors in ONNX files, run by onnxruntime on the CPU."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate, pad

from detectors.onnx_files.config import OnnxConfig, read_description
from detectors.onnx_files.heads import make_head
from detectors.onnx_files.input import arranged, corner, fitted_content
from detectors.shared.pixels import check_batch, scale_boxes, to_pixels
from vps.core.candidates import Candidates
from vps.core.extras import require
from vps.core.names import choose
from vps.core.numbers import check_threads
from vps.errors import DetectorError, InputError

_INPUT_DTYPES = {
    "tensor(float)": torch.float32,
    "tensor(float16)": torch.float16,
    "tensor(uint8)": torch.uint8,
}
# By how much rounding may carry scores beyond 0 and 1.
ROUNDING = 1e-3


class OnnxDetector:
    """An ONNX file as a detector with fixed labels; a `vps.core.detector.Detector`.

    All boxes that the file returns are candidates; what it drops inside, as by an NMS that is part
    of the graph, a search does not see, so files without are better explained.

    A batch goes through in one run if the file leaves the number of images open, else one by one.

    Args:
        config: what `read_description` returns.
        threads: on how many cores onnxruntime computes a run.

    Raises:
        InputError: the model file is missing or broken, or does not fit the description.
    """

    def __init__(self, config: OnnxConfig, *, threads: int = 1) -> None:
        self.name = config.name
        self.labels = config.labels
        self.device = torch.device("cpu")
        self._config = config
        self._session = _open(config.model, threads)
        self._head = make_head(config.output, config.input.size, len(config.labels))
        feed, *others = self._session.get_inputs()
        if others or feed.type not in _INPUT_DTYPES:
            kinds = [f"{given.name}: {given.type}" for given in (feed, *others)]
            raise InputError(
                f"{config.model} has the inputs {', '.join(kinds)}; only one input of type "
                f"{', '.join(_INPUT_DTYPES)} can be fed: export it with one"
            )
        self._feed, self._dtype = feed.name, _INPUT_DTYPES[feed.type]
        height, width = config.input.size
        image = (3, height, width) if config.input.layout == "nchw" else (height, width, 3)
        self._check("input", feed, [image])
        found = {output.name: output for output in self._session.get_outputs()}
        self._names = self._head.names or tuple(found)[:1]
        for name, shapes in zip(self._names, self._head.shapes, strict=True):
            choose(found, name, f"output of {config.model}")
            self._check(f"output {name!r}", found[name], shapes)
        self._batched = config.input.batched and not (feed.shape and isinstance(feed.shape[0], int))

    def prepare(self, image: np.ndarray) -> Tensor:
        """The image at the size at which the model sees it, without padding.

        See `vps.core.detector.Detector.prepare`.
        """
        config = self._config.input
        size = (image.shape[0], image.shape[1])
        grid = fitted_content(size, config)
        if config.antialias:
            return to_pixels(image, grid, self.device)
        pixels = to_pixels(image, size, self.device)
        return interpolate(pixels[None], grid, mode="bilinear")[0]

    @torch.no_grad()
    def detect(self, pixels: Tensor, size: tuple[int, int]) -> Candidates:
        """All boxes with all labels; see `vps.core.detector.Detector.detect`.

        Raises:
            InputError: pixels larger than the model's input.
            DetectorError: the model fails, or returns what its description does not say.
        """
        config = self._config.input
        grid = check_batch(pixels)
        if grid[0] > config.size[0] or grid[1] > config.size[1]:
            raise InputError(
                f"{self.name} takes pixels of at most {config.size} (height, width), got {grid}; "
                "use prepare()"
            )
        batch = arranged(pixels, config, self._dtype).numpy()
        parts = [batch] if self._batched else np.split(batch, len(batch))
        runs = [self._head.read(self._run(part)) for part in parts]
        boxes = _joined([run.boxes for run in runs])
        scores = self._checked(_joined([run.scores for run in runs]))
        rates = [run.objectness for run in runs if run.objectness is not None]
        objectness = self._checked(_joined(rates))[..., 0] if rates else None
        top, left = corner(grid, config)
        boxes = scale_boxes(boxes - boxes.new_tensor([left, top, left, top]), grid, size)
        return Candidates(boxes, scores, self.labels, objectness)

    def _run(self, images: np.ndarray) -> list[Tensor]:
        """The outputs that the head reads, in float32."""
        count = len(images)
        what = f"{self._config.model} was given {count} images"
        hint = "; if it takes one at a time, set input.batched to false" if count > 1 else ""
        try:
            results = self._session.run(list(self._names), {self._feed: images})
        except Exception as error:
            # onnxruntime raises classes of its own that have only Exception in common.
            raise DetectorError(f"{what} and failed: {_one_line(error)}{hint}") from error
        for result, output, shapes in zip(results, self._names, self._head.shapes, strict=True):
            if result.shape[:1] != (count,) or not _fits(result.shape[1:], shapes):
                raise DetectorError(
                    f"{what} and returned {output!r} of shape {result.shape}, where its "
                    f"description means {_meant(shapes, count)}{hint}"
                )
        return [torch.from_numpy(result).float() for result in results]

    def _check(self, what: str, found: Any, shapes: Sequence[tuple[int, ...]]) -> None:
        """Compare an input or output of the file with the description; a named axis is free."""
        if not found.shape:
            return  # The file does not say.
        batch, *shape = found.shape
        if (isinstance(batch, int) and batch != 1) or not _fits(shape, shapes):
            raise InputError(
                f"{self._config.model} has an {what} of shape {found.shape}, but its description, "
                f"with {len(self.labels)} labels, means {_meant(shapes, 1)}; correct one of them"
            )

    def _checked(self, scores: Tensor) -> Tensor:
        """Scores without rounding errors at 0 and 1."""
        inside = scores.clamp(0, 1)
        if bool(((scores - inside).abs() > ROUNDING).any()):
            raise DetectorError(
                f"{self._config.model} returned scores from {float(scores.min()):.4g} to "
                f"{float(scores.max()):.4g}; if they are logits, set output.activation in its "
                "description"
            )
        return inside


def load_onnx(
    source: str,
    *,
    labels: Sequence[str] | None = None,
    device: str = "cpu",
    dtype: str = "float32",
    threads: int = 1,
) -> OnnxDetector:
    """An ONNX detector from its YAML description, or from a folder with a detector.yaml.

    Raises:
        InputError: labels, a device or a dtype that an ONNX file cannot take, or whatever is wrong
            with description or model.
    """
    if labels is not None:
        raise InputError("an ONNX detector has the labels of its description; give it no others")
    if (device, dtype) != ("cpu", "float32"):
        raise InputError(f"ONNX detectors run on cpu in float32, not on {device} in {dtype}")
    if not source:
        raise InputError("onnx needs a description: onnx:FILE.yaml or onnx:FOLDER")
    path = Path(source).expanduser()
    config = read_description(path / "detector.yaml" if path.is_dir() else path)
    return OnnxDetector(config, threads=threads)


def _joined(runs: Sequence[Tensor]) -> Tensor:
    """Values (B, N, ...) of all runs, padded: a run may return as many boxes as it likes."""
    most = max(values.shape[1] for values in runs)
    return torch.cat([pad(values, (0, 0, 0, most - values.shape[1])) for values in runs])


def _fits(shape: Sequence[Any], shapes: Sequence[tuple[int, ...]]) -> bool:
    """Whether a shape is one of `shapes`; -1 there is any number, and so is an open axis here."""
    return any(
        len(shape) == len(other)
        and all(
            want == -1 or have == want or not isinstance(have, int)
            for have, want in zip(shape, other, strict=True)
        )
        for other in shapes
    )


def _meant(shapes: Sequence[tuple[int, ...]], count: int) -> str:
    return " or ".join(
        str([count, *("any" if axis == -1 else axis for axis in shape)]).replace("'", "")
        for shape in shapes
    )


def _open(path: Path, threads: int) -> Any:
    if not path.is_file():
        raise InputError(f"ONNX model {path} does not exist; correct `model` in its description")
    check_threads(threads)
    runtime = require("onnxruntime", extra="onnx")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    try:
        return runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        # onnxruntime raises classes of its own that have only Exception in common.
        raise InputError(f"ONNX model {path} cannot be loaded: {_one_line(error)}") from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())

"""Detectors in ONNX files, run by torch: slower than onnxruntime, but with gradients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from detectors.onnx_files.config import OnnxConfig
from detectors.onnx_files.detector import OnnxDetector
from detectors.onnx_files.input import arranged, corner, whole_size
from detectors.onnx_files.layers import Watched, layers_of
from detectors.onnx_files.torch_model import TorchModel, as_tensors
from detectors.shared.features import Placement
from detectors.shared.gradients import Differentiable
from vps.core.detector import FeatureLayer
from vps.errors import InputError, one_line

_TOLERANCE = 1e-3
"""By how much an output may differ from onnxruntime's, times its largest number if above 1."""
_TRIALS = 3


class TorchOnnxDetector(Differentiable, OnnxDetector):
    """An ONNX file that torch runs; a `vps.core.detector.FeatureDetector`.

    Args:
        config, session: see `OnnxDetector`; onnxruntime only says what is right.
        layers: names of values in the file that are features of places, (B, C, h, w) or tokens
            (B, N, C); by default, what its last convolutions look at (see
            `detectors.onnx_files.layers.pyramid`).

    Raises:
        InputError: as for `OnnxDetector`; a file that takes bytes, that cannot be converted, or
            that gives something else than under onnxruntime; a layer that there is not.
    """

    def __init__(self, config: OnnxConfig, session: Any, layers: Sequence[str] = ()) -> None:
        super().__init__(config, session)
        if self._dtype == torch.uint8:
            raise InputError(
                f"{config.model} takes bytes, which have no gradients; export it for floats, or "
                "leave backend=torch out"
            )
        self._torch = TorchModel(config.model)
        self.model = self._torch.module
        whole = whole_size(config.input.size, config.input)
        with torch.no_grad(), Watched(self._torch) as watched:
            self._check_same(whole)
        self._layers = layers_of(self._torch, layers, watched.shapes, self._placement, whole)

    def feature_layers(self) -> dict[str, FeatureLayer]:
        """See `vps.core.detector.FeatureDetector`.

        Raises:
            InputError: none were found in the file, and none were named.
        """
        if not self._layers:
            raise InputError(
                f"{self.name}: no convolution tells where {self._config.model} has features of "
                "places; name some of its values by the option layers"
            )
        return dict(self._layers)

    def _results(self, given: Mapping[str, Any]) -> list[Any]:
        return self._torch.run(self._names, as_tensors(given))

    def _check_same(self, whole: tuple[int, int]) -> None:
        """Raise InputError where torch and onnxruntime differ in several random images.

        In one of them, a top-k in the file may rank what is as good as equal.
        """
        random = torch.Generator().manual_seed(0)
        for _ in range(_TRIALS):
            image = torch.rand(1, 3, *whole, generator=random)
            given = self._given(arranged(image, self._config.input, self._dtype), whole)
            difference = self._difference(given)
            if not difference:
                return
        raise InputError(difference)

    def _difference(self, given: Mapping[str, Any]) -> str:
        """In what torch and onnxruntime differ; "" in nothing.

        Raises:
            InputError: torch fails.
        """
        expected = super()._results(given)
        try:
            found = self._results(given)
        except Exception as error:
            # Each operator has its own ways to fail.
            raise InputError(
                f"{self._config.model} was converted to torch and fails: {one_line(error)}; leave "
                "backend=torch out"
            ) from error
        for name, right, ours in zip(self._names, expected, found, strict=True):
            theirs = torch.as_tensor(right).double()
            if ours.shape != theirs.shape:
                return (
                    f"{self._config.model} under torch has an output {name!r} of shape "
                    f"{tuple(ours.shape)}, and {tuple(theirs.shape)} under onnxruntime; leave "
                    "backend=torch out"
                )
            apart, allowed = _apart(ours.double(), theirs)
            # NaN fails comparisons.
            if not apart <= allowed:
                return (
                    f"{self._config.model} is not the same under torch: its output {name!r} "
                    f"differs from onnxruntime's by {apart:.3g} for random images, where "
                    f"{allowed:.3g} is allowed; leave backend=torch out"
                )
        return ""

    def _placement(self, grid: tuple[int, int]) -> Placement:
        config = self._config.input
        return Placement(whole_size(grid, config), *corner(grid, config))


def _apart(ours: Tensor, theirs: Tensor) -> tuple[float, float]:
    """The largest difference of two outputs, and what is allowed; what is NaN in both is equal."""
    same = (ours == theirs) | (ours.isnan() & theirs.isnan())
    differences = (ours - theirs).abs().masked_fill(same, 0)
    sizes = theirs.abs().masked_fill(~theirs.isfinite(), 0)
    largest = float(sizes.max()) if sizes.numel() else 0.0
    apart = float(differences.max()) if differences.numel() else 0.0
    return apart, _TOLERANCE * max(1.0, largest)

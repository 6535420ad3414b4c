"""Grounding DINO as its authors' package implements it (groundingdino-py)."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import Any

import numpy as np
import torch
from torch import Tensor

from detectors.grounding_dino.original_checkpoint import OriginalCheckpoint, read_original
from detectors.grounding_dino.prompted import (
    Channels,
    EncodedPrompt,
    InputOptions,
    Phrase,
    PromptedModel,
)
from detectors.grounding_dino.text_cache import reading
from detectors.shared.features import pyramid_of
from detectors.shared.gradients import Differentiable, keeps_whole_gradients
from detectors.shared.pixels import check_batch, enough_places, to_pixels
from detectors.shared.prompts import required_labels
from vps.core.candidates import Candidates
from vps.core.detector import FeatureLayer
from vps.core.extras import require
from vps.errors import InputError

NestedTensor: Any = require("groundingdino.util.misc", extra="groundingdino").NestedTensor

# What the package normalises images with.
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class OriginalGroundingDino(Differentiable, PromptedModel):
    """The authors' Grounding DINO; a `vps.core.detector.PromptedDetector`. All queries are
    candidates.

    The weights stay float32; with another dtype the forward pass runs under autocast. Several
    threads may use it at a time for images of one size only: the package notes the size on its
    modules.
    """

    checkpoint: OriginalCheckpoint

    def prepare(self, image: np.ndarray) -> Tensor:
        """The image at the package's size; see `vps.core.detector.Detector.prepare`."""
        return to_pixels(image, fitted_size(image.shape[:2], *self.checkpoint.sides), self.device)

    @keeps_whole_gradients
    def detect(self, pixels: Tensor, size: tuple[int, int]) -> Candidates:
        """All queries of all prompts; see `vps.core.detector.Detector.detect`.

        Raises:
            InputError: the image is so narrow that the model has fewer places than queries.
        """
        check_batch(pixels)
        mean, std = (pixels.new_tensor(values)[:, None, None] for values in (MEAN, STD))
        inputs = (self.options.ordered(pixels) - mean) / std
        return self._gather([self._ask(asked, inputs) for asked in self._asked], size)

    def feature_layers(self) -> dict[str, FeatureLayer]:
        """What goes from the backbone into the encoder, "neck.0" the finest level; see
        `vps.core.detector.FeatureDetector`."""
        return pyramid_of(self.checkpoint.model.input_proj)

    def _ask(self, asked: EncodedPrompt, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Boxes (B, N, 4), cxcywh in [0, 1], and scores (B, N, L) of one forward pass."""
        model, dtype = self.checkpoint.model, self.checkpoint.dtype
        with (
            enough_places(inputs, model.num_queries),
            reading(asked.features),
            torch.autocast(self.device.type, dtype=dtype, enabled=dtype != torch.float32),
        ):
            # All images of a batch are prepared alike, so that nothing is padded.
            padded = torch.zeros_like(inputs[:, 0], dtype=torch.bool)
            images = NestedTensor(inputs, padded)
            output = model(images, captions=asked.ids.tolist() * len(inputs))
        return output["pred_boxes"].float(), asked.label_scores(output["pred_logits"])


def fitted_size(size: tuple[int, int], short: int, long: int) -> tuple[int, int]:
    """The (h, w) to which the package resizes an image of (H, W), by its own rounding.

    Args:
        size: (H, W).
        short: the length of the shorter side,
        long: unless the longer would exceed this.
    """
    low, high = min(size), max(size)
    if high / low * short > long:
        short = round(long * low / high)
    if low == short:
        return size
    grid = max(1, short), max(1, int(short * high / low))
    return grid if size[0] < size[1] else (grid[1], grid[0])


def load_original(
    source: str,
    *,
    labels: Sequence[str] | None,
    weights: str | PathLike[str] | None = None,
    text_encoder: str | PathLike[str] | None = None,
    min_size: int = 800,
    max_size: int = 1333,
    device: str = "cpu",
    dtype: str = "float32",
    channels: Channels = "rgb",
    phrase: Phrase = "label",
) -> OriginalGroundingDino:
    """The authors' Grounding DINO from a config and a checkpoint.

    Args:
        source: path of a config file of the package, or "swint" or "swinb" for those it ships.
        labels: what to look for.
        weights: path of the checkpoint, e.g. groundingdino_swint_ogc.pth.
        text_encoder: a folder with BERT's config.json and vocab.txt, or a name on the Hugging Face
            hub; by default the one that the config names, bert-base-uncased. Its weights come out
            of the checkpoint and are not fetched.
        min_size: the length in pixels that an image's shorter side gets,
        max_size: unless the longer one would exceed this.
        device: where to compute.
        dtype: in what to compute.
        channels, phrase: how it is asked, see `detectors.grounding_dino.prompted.InputOptions`.

    Raises:
        InputError: labels that cannot be asked for; a config, text encoder or checkpoint that is
            missing, damaged or not one of Grounding DINO, or that does not fit the others; a device
            that is not there.
    """
    names = required_labels(labels)
    if not source or weights is None:
        raise InputError(
            "groundingdino needs a config and a checkpoint: groundingdino:swint (or swinb, or the "
            "path of a config) with the option weights=FILE.pth"
        )
    checkpoint = read_original(
        source,
        weights,
        text_encoder=text_encoder,
        sides=(min_size, max_size),
        device=device,
        dtype=dtype,
    )
    name, options = f"groundingdino:{source}", InputOptions(channels, phrase)
    return OriginalGroundingDino(checkpoint, names, name=name, options=options)

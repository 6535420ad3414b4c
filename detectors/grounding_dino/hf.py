"""Grounding DINO as transformers implements it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from detectors.grounding_dino.hf_checkpoint import GroundingDinoCheckpoint, read_grounding_dino
from detectors.grounding_dino.prompted import (
    Channels,
    EncodedPrompt,
    InputOptions,
    Phrase,
    PromptedModel,
)
from detectors.grounding_dino.text_cache import reading
from detectors.names import DEMO_ASKED
from detectors.shared.features import pyramid_of
from detectors.shared.gradients import Differentiable, keeps_whole_gradients
from detectors.shared.pixels import check_batch, enough_places, to_pixels
from detectors.shared.prompts import required_labels
from detectors.shared.watch import ChoiceWatch
from vps.core.candidates import Candidates
from vps.core.detector import FeatureLayer
from vps.errors import InputError

DEMO_GROUNDING_DINO = Path(__file__).parents[1] / "demo" / "grounding_dino"


class HFGroundingDino(Differentiable, PromptedModel):
    """Grounding DINO asked for some labels; a `vps.core.detector.PromptedDetector`.

    All queries are candidates. May be used from several threads. The weights stay float32; with
    another dtype the forward pass runs under autocast.
    """

    checkpoint: GroundingDinoCheckpoint

    def prepare(self, image: np.ndarray) -> Tensor:
        """The image at the checkpoint's size; see `vps.core.detector.Detector.prepare`."""
        images = self.checkpoint.images
        height, width = images.grid(image.shape[:2])
        return to_pixels(image, (height, width), self.device, images.resample)

    @keeps_whole_gradients
    def detect(self, pixels: Tensor, size: tuple[int, int]) -> Candidates:
        """All queries of all prompts; see `vps.core.detector.Detector.detect`.

        Raises:
            InputError: the image is so narrow that the model has fewer places than queries.
        """
        check_batch(pixels)
        mean = pixels.new_tensor(self.checkpoint.images.mean)[:, None, None]
        std = pixels.new_tensor(self.checkpoint.images.std)[:, None, None]
        # All images of a batch are prepared alike, so that there is nothing to pad.
        inputs = (self.options.ordered(pixels) - mean) / std
        return self._gather([self._ask(asked, inputs) for asked in self._asked], size)

    def feature_layers(self) -> dict[str, FeatureLayer]:
        """What goes from the backbone into the encoder, "neck.0" the finest level; see
        `vps.core.detector.FeatureDetector`."""
        return pyramid_of(self.checkpoint.model.model.input_proj_vision)

    def _ask(self, asked: EncodedPrompt, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Boxes (B, N, 4), cxcywh in [0, 1], and scores (B, N, L) of one forward pass."""
        ids = asked.ids.repeat(len(inputs), 1)
        model, dtype = self.checkpoint.model, self.checkpoint.dtype
        with (
            enough_places(inputs, model.config.num_queries),
            reading(asked.features),
            torch.autocast(self.device.type, dtype=dtype, enabled=dtype != torch.float32),
        ):
            output = model(
                pixel_values=inputs,
                input_ids=ids,
                token_type_ids=torch.zeros_like(ids),
                attention_mask=torch.ones_like(ids),
                return_dict=True,
            )
        watch = ChoiceWatch()
        watch.see(output.enc_outputs_class)
        return output.pred_boxes.float(), watch.mark(asked.label_scores(output.logits))


def load_grounding_dino(
    source: str,
    *,
    labels: Sequence[str] | None,
    device: str = "cpu",
    dtype: str = "float32",
    channels: Channels = "rgb",
    phrase: Phrase = "label",
) -> HFGroundingDino:
    """Grounding DINO from a folder, or from the Hugging Face hub by name.

    Args:
        source: the folder or the name.
        labels: what to look for.
        device: where to compute.
        dtype: in what to compute.
        channels, phrase: how it is asked, see `detectors.grounding_dino.prompted.InputOptions`.

    Raises:
        InputError: no such checkpoint, not one of Grounding DINO, weights that are not safetensors
            or not complete, a device that is not there, or labels that cannot be asked for.
    """
    names = required_labels(labels)
    checkpoint = read_grounding_dino(source, device=device, dtype=dtype)
    name, options = f"hf-grounding-dino:{source}", InputOptions(channels, phrase)
    return HFGroundingDino(checkpoint, names, name=name, options=options)


def load_demo_grounding_dino(
    source: str,
    *,
    labels: Sequence[str] | None,
    device: str = "cpu",
    dtype: str = "float32",
    channels: Channels = "rgb",
    phrase: Phrase = "label",
) -> HFGroundingDino:
    """The small Grounding DINO that comes with this package, for drawn scenes.

    Args:
        source: "", for it takes no path.
        labels, device, dtype, channels, phrase: as for `load_grounding_dino`.

    Raises:
        InputError: its files are not there, or as for `load_grounding_dino`.
    """
    if labels is None:
        raise InputError(DEMO_ASKED)
    names = required_labels(labels)
    if source:
        raise InputError(f"demo-grounding-dino takes no path, got {source!r}")
    if not (DEMO_GROUNDING_DINO / "model.safetensors").is_file():
        raise InputError(
            "the demo detector's weights are not installed (detectors/demo/grounding_dino/"
            "model.safetensors is missing); reinstall the package, or train them with "
            "tools/train_demo_detectors.py"
        )
    checkpoint = read_grounding_dino(str(DEMO_GROUNDING_DINO), device=device, dtype=dtype)
    options = InputOptions(channels, phrase)
    return HFGroundingDino(checkpoint, names, name="demo-grounding-dino", options=options)

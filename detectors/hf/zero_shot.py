"""The zero-shot detectors of transformers beside Grounding DINO: OWL-ViT, OWLv2, OmDet-Turbo."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from detectors.hf.attention import attending, no_attention, owl_attention
from detectors.hf.checkpoint import (
    MODEL_TYPES,
    find_checkpoint,
    loading,
    read_hf_model,
    read_tokenizer,
    transformers,
)
from detectors.hf.clip_text import write_texts
from detectors.hf.images import ImageProcessor, read_processor
from detectors.hf.layers import omdet_layers, owl_layers
from detectors.hf.omdet import ask_omdet
from detectors.hf.owl import ask_owl
from detectors.shared.features import GridPlace
from detectors.shared.gradients import Differentiable, keeps_whole_gradients
from detectors.shared.pixels import check_batch, choose_device, choose_dtype, enough_places
from detectors.shared.prompts import check_labels
from vps.core.candidates import Candidates, label_column
from vps.core.detector import AttentionLayers, FeatureLayer
from vps.errors import InputError

ZERO_SHOT = "hf-zero-shot"


class EncodedQuery(Protocol):
    """A model that has read its labels."""

    def __call__(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """xyxy boxes (B, N, 4) in [0, 1] and scores (B, N, L) of images (B, 3, h, w)."""
        ...

    def narrowed(self, wanted: Sequence[int]) -> tuple[EncodedQuery, tuple[int, ...]]:
        """As much of it as decides the scores of some labels, and which labels that leaves."""
        ...


@dataclass(frozen=True)
class ZeroShotFamily:
    """Models that are asked alike.

    Attributes:
        ask: from model, tokenizer and texts to what has read them.
        template: of the examples that come with the library.
        layers: the model's feature layers.
        attention: its attention, by its name and itself.
    """

    ask: Callable[[Any, Any, Sequence[str]], EncodedQuery]
    template: str
    layers: Callable[[Any, GridPlace], dict[str, FeatureLayer]]
    attention: Callable[[str, Any, GridPlace], AttentionLayers]


_OWL = ZeroShotFamily(ask_owl, "a photo of a {}", owl_layers, owl_attention)
FAMILIES = {
    "owlvit": _OWL,
    "owlv2": _OWL,
    "omdet-turbo": ZeroShotFamily(ask_omdet, "{}", omdet_layers, no_attention),
}
"""By the type of the model."""


@dataclass(frozen=True)
class ZeroShotCheckpoint:
    """A loaded model with what belongs to it; shared by detectors that differ in labels."""

    model: Any
    tokenizer: Any
    images: ImageProcessor
    dtype: torch.dtype


class HFZeroShot(Differentiable):
    """OWL-ViT, OWLv2 or OmDet-Turbo asked for some labels; a `PromptedDetector`.

    Labels are read once. All places (OWL) or queries (OmDet-Turbo) are candidates; a score is the
    sigmoid of the model's own logit.

    In OWL, labels do not know of each other. In OmDet-Turbo, those of one task ("Detect dog,
    cat.") influence each other; more labels than one task can hold are spread over several, whose
    candidates have score 0 for the labels of the others. `narrowed` leaves scores as they are.

    May be used from several threads. The weights stay float32; with another dtype the forward pass
    runs under autocast, and labels are read in float32.

    Args:
        checkpoint: what `read_zero_shot` returns.
        labels: names; the model reads them in `template`.
        name: what reports call the detector.
        template: a text with one {}; None for that of the library's examples, which is "a photo of
            a {}" for OWL and "{}" for OmDet-Turbo.
        question: what is asked; by default it is made of the labels.

    Raises:
        InputError: no or repeated labels, one that is too long or of unknown words only, or a
            template without a place for the label.
    """

    def __init__(
        self,
        checkpoint: ZeroShotCheckpoint,
        labels: Sequence[str],
        *,
        name: str,
        template: str | None = None,
        question: EncodedQuery | None = None,
    ) -> None:
        self.name = name
        self.labels = check_labels(labels)
        self.device: torch.device = checkpoint.model.device
        self.checkpoint = checkpoint
        self.template = template
        self._family = FAMILIES[checkpoint.model.config.model_type]
        if question is None:
            texts = write_texts(
                self.labels, self._family.template if template is None else template
            )
            question = self._family.ask(checkpoint.model, checkpoint.tokenizer, texts)
        self._question = question

    def with_labels(self, labels: tuple[str, ...]) -> HFZeroShot:
        """The same model asked for other labels; see `vps.core.detector.OpenVocabularyDetector`."""
        return HFZeroShot(self.checkpoint, labels, name=self.name, template=self.template)

    def narrowed(self, labels: tuple[str, ...]) -> HFZeroShot:
        """Only what decides the scores of `labels`; see `vps.core.detector.PromptedDetector`."""
        wanted = [label_column(label, self.labels) for label in labels]
        question, columns = self._question.narrowed(wanted)
        if len(columns) == len(self.labels):
            return self
        return HFZeroShot(
            self.checkpoint,
            tuple(self.labels[column] for column in columns),
            name=self.name,
            template=self.template,
            question=question,
        )

    def prepare(self, image: np.ndarray) -> Tensor:
        """The image at the checkpoint's size; see `vps.core.detector.Detector.prepare`."""
        return self.checkpoint.images.prepare(image, self.device)

    @keeps_whole_gradients
    def detect(self, pixels: Tensor, size: tuple[int, int]) -> Candidates:
        """All places or queries; see `vps.core.detector.Detector.detect`.

        Raises:
            InputError: images that are too small for the model.
        """
        grid = check_batch(pixels)
        inputs, _ = self.checkpoint.images.inputs(pixels)
        dtype = self.checkpoint.dtype
        with (
            enough_places(inputs, getattr(self.checkpoint.model.config, "num_queries", 1)),
            torch.autocast(self.device.type, dtype=dtype, enabled=dtype != torch.float32),
        ):
            boxes, scores = self._question(inputs)
        boxes = self.checkpoint.images.to_image(boxes, grid, size)
        return Candidates(boxes, scores, self.labels)

    def feature_layers(self) -> dict[str, FeatureLayer]:
        """Of OWL, "encoder", the image tower's last layer; of OmDet-Turbo, what its decoder looks
        at, "neck.0" the finest level. See `vps.core.detector.FeatureDetector`."""
        return self._family.layers(self.checkpoint.model, self.checkpoint.images.placement)

    def attending(self) -> AbstractContextManager[AttentionLayers]:
        """See `vps.core.detector.AttentionDetector`; not meant for several threads.

        Raises:
            InputError: OmDet-Turbo, which looks at some places of the image only.
        """
        model, place = self.checkpoint.model, self.checkpoint.images.placement
        return attending(model, self._family.attention(self.name, model, place))


def read_zero_shot(
    source: str, *, device: str = "cpu", dtype: str = "float32"
) -> ZeroShotCheckpoint:
    """Model, tokenizer and image processor of a folder or of a name on the Hugging Face hub.

    Raises:
        InputError: as for `load_zero_shot`.
        MissingExtraError: the model's backbone is one of timm, which is not installed.
    """
    computed, folder = choose_dtype(dtype), find_checkpoint(source, ZERO_SHOT)
    place = choose_device(device)
    with loading(source):
        auto = transformers.AutoModelForZeroShotObjectDetection
        model = read_hf_model(folder, auto, MODEL_TYPES[ZERO_SHOT])
        tokenizer = read_tokenizer(folder)
        images = read_processor(folder)
    _check_parts(source, model.config, tokenizer, images)
    return ZeroShotCheckpoint(model.to(place), tokenizer, images, computed)


def _check_parts(source: str, config: Any, tokenizer: Any, images: ImageProcessor) -> None:
    """Refuse what is put together out of several checkpoints and would fail in a forward pass."""
    known = config.text_config.vocab_size
    if len(tokenizer) > known:
        raise InputError(
            f"checkpoint {source}: the tokenizer has {len(tokenizer)} tokens, and the model of "
            f"config.json knows {known}; use the files of one checkpoint"
        )
    # OWL's places are made for one size.
    side = config.vision_config.image_size if hasattr(config, "vision_config") else None
    size = images.resizer.size
    if side is not None and (size.get("height"), size.get("width")) != (side, side):
        raise InputError(
            f"checkpoint {source}: preprocessor_config.json resizes images to {dict(size)}, and "
            f"the model of config.json sees {side} x {side} pixels; use the files of one checkpoint"
        )


def load_zero_shot(
    source: str,
    *,
    labels: Sequence[str] | None,
    device: str = "cpu",
    dtype: str = "float32",
    template: str | None = None,
) -> HFZeroShot:
    """A zero-shot detector from a folder, or from the Hugging Face hub by name.

    Raises:
        InputError: no such checkpoint, not one of these models, weights that are not safetensors or
            do not fit, a device that is not there, or labels that cannot be asked for.
        MissingExtraError: the model's backbone is one of timm, which is not installed.
    """
    if labels is None:
        raise InputError(
            f'{ZERO_SHOT} finds what it is asked for; say what, e.g. --prompt "dog . cat ."'
        )
    names = check_labels(labels)
    checkpoint = read_zero_shot(source, device=device, dtype=dtype)
    return HFZeroShot(checkpoint, names, name=f"{ZERO_SHOT}:{source}", template=template)

"""Grounding DINO as transformers implements it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from detectors.grounding_dino_checkpoint import Checkpoint, read_checkpoint
from detectors.pixels import check_batch, scale_boxes, to_pixels
from detectors.prompts import NO_LABEL, Prompt, build_prompts, check_labels, narrow_prompts
from detectors.text_cache import TextFeatures, reading
from vps.boxes import cxcywh_to_xyxy
from vps.errors import InputError
from vps.types import Detections, label_column

DEMO_FOLDER = Path(__file__).parent / "demo" / "grounding_dino"


class HFGroundingDino:
    """Grounding DINO asked for some labels; a `vps.detector.PromptedDetector`.

    A label's score is the highest sigmoid among the label's tokens; separators and the two ends of
    the prompt do not count. All queries are candidates.

    Labels that do not fit into one prompt are spread over several, each with a forward pass of its
    own. The candidates of all passes then stand one after the other, N = passes x queries, with
    score 0 for the labels that their pass was not asked for. With hundreds of labels that is much:
    `narrowed` keeps the prompts that matter and leaves their scores as they are. Fusion lets the
    labels of one prompt influence each other, so a score depends on what else its prompt asks, in
    the model itself: `with_labels` with fewer labels changes it.

    May be used from several threads. The weights stay float32; with another dtype the forward
    pass runs under autocast.

    Args:
        checkpoint: what `read_checkpoint` returns.
        labels: names; see `detectors.prompts.as_phrase` for how the model reads them.
        name: what reports call the detector.
        prompts: how the labels are asked for; by default in as few prompts as their order allows.

    Raises:
        InputError: no or repeated labels, or one that is too long for a prompt.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        labels: Sequence[str],
        *,
        name: str,
        prompts: Sequence[Prompt] | None = None,
    ) -> None:
        self.name = name
        self.labels = check_labels(labels)
        self.device = checkpoint.device
        self.checkpoint = checkpoint
        self.prompts = tuple(
            prompts or build_prompts(self.labels, checkpoint.tokenizer, checkpoint.max_tokens)
        )
        self._asked = tuple(
            _Asked(prompt, self.device, len(self.labels)) for prompt in self.prompts
        )

    def with_labels(self, labels: tuple[str, ...]) -> HFGroundingDino:
        """The same model asked for other labels; see `vps.detector.OpenVocabularyDetector`."""
        return HFGroundingDino(self.checkpoint, labels, name=self.name)

    def narrowed(self, labels: tuple[str, ...]) -> HFGroundingDino:
        """Only the prompts that hold `labels`; see `vps.detector.PromptedDetector`."""
        wanted = [label_column(label, self.labels) for label in labels]
        prompts, columns = narrow_prompts(self.prompts, wanted)
        if len(prompts) == len(self.prompts):
            return self
        kept = tuple(self.labels[column] for column in columns)
        return HFGroundingDino(self.checkpoint, kept, name=self.name, prompts=prompts)

    def prepare(self, image: np.ndarray) -> Tensor:
        """The image at the checkpoint's size; see `vps.detector.Detector.prepare`."""
        images = self.checkpoint.images
        height, width = images.grid(image.shape[:2])
        return to_pixels(image, (height, width), self.device, images.resample)

    @torch.no_grad()
    def detect(self, pixels: Tensor, size: tuple[int, int]) -> Detections:
        """All queries of all prompts; see `vps.detector.Detector.detect`.

        Raises:
            InputError: the image is so narrow that the model has fewer places than queries.
        """
        check_batch(pixels)
        mean = pixels.new_tensor(self.checkpoint.images.mean)[:, None, None]
        std = pixels.new_tensor(self.checkpoint.images.std)[:, None, None]
        # All images of a batch are prepared alike, so that there is nothing to pad.
        inputs = (pixels - mean) / std
        parts = [self._ask(asked, inputs) for asked in self._asked]
        boxes = cxcywh_to_xyxy(torch.cat([boxes for boxes, _ in parts], dim=1))
        scores = torch.cat([scores for _, scores in parts], dim=1)
        return Detections(scale_boxes(boxes, (1, 1), size), scores, self.labels)

    def _ask(self, asked: _Asked, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Boxes (B, N, 4), cxcywh in [0, 1], and scores (B, N, L) of one forward pass."""
        ids = asked.ids.repeat(len(inputs), 1)
        dtype = self.checkpoint.dtype
        try:
            with (
                reading(asked.features),
                torch.autocast(self.device.type, dtype=dtype, enabled=dtype != torch.float32),
            ):
                output = self.checkpoint.model(
                    pixel_values=inputs,
                    input_ids=ids,
                    token_type_ids=torch.zeros_like(ids),
                    attention_mask=torch.ones_like(ids),
                    return_dict=True,
                )
        except RuntimeError as error:
            # Too small for a kernel of the backbone, or for as many proposals as queries.
            if not any(part in str(error) for part in ("out of range", "Kernel size")):
                raise
            raise InputError(
                f"images of {inputs.shape[2]} x {inputs.shape[3]} pixels (height x width) give the "
                f"model fewer places than its {self.checkpoint.model.config.num_queries} queries; "
                "crop the image to a less narrow one"
            ) from error
        tokens = output.logits[..., : ids.shape[1]].float().sigmoid()
        return output.pred_boxes.float(), asked.label_scores(tokens)


class _Asked:
    """A prompt on the device, with its cached text features."""

    def __init__(self, prompt: Prompt, device: torch.device, labels: int) -> None:
        self.features = TextFeatures()
        self.ids = torch.tensor([prompt.token_ids], device=device)
        # Tokens of no label go to one column more, which is dropped.
        columns = [labels if column == NO_LABEL else column for column in prompt.columns]
        self._columns = torch.tensor(columns, device=device)
        self._labels = labels

    def label_scores(self, tokens: Tensor) -> Tensor:
        """Label scores (B, N, L) out of token scores (B, N, T): the highest of each label."""
        scores = tokens.new_zeros(*tokens.shape[:2], self._labels + 1)
        scores.scatter_reduce_(2, self._columns.expand_as(tokens), tokens, "amax")
        return scores[..., : self._labels]


def load_checkpoint(
    source: str, *, labels: Sequence[str] | None, device: str = "cpu", dtype: str = "float32"
) -> HFGroundingDino:
    """Grounding DINO from a folder, or from the Hugging Face hub by name.

    Raises:
        InputError: no such checkpoint, not one of Grounding DINO, weights that are not safetensors
            or not complete, a device that is not there, or labels that cannot be asked for.
    """
    names = _asked_for(labels)
    checkpoint = read_checkpoint(source, device=device, dtype=dtype)
    return HFGroundingDino(checkpoint, names, name=f"hf-grounding-dino:{source}")


def load_demo(
    source: str, *, labels: Sequence[str] | None, device: str = "cpu", dtype: str = "float32"
) -> HFGroundingDino:
    """The small Grounding DINO that comes with this package, for drawn scenes.

    Raises:
        InputError: its files are not there, or as for `load_checkpoint`.
    """
    names = _asked_for(labels)
    if source:
        raise InputError(f"demo-grounding-dino takes no path, got {source!r}")
    if not (DEMO_FOLDER / "model.safetensors").is_file():
        raise InputError(
            "the demo detector's weights are not installed (detectors/demo/grounding_dino/"
            "model.safetensors is missing); reinstall the package, or train them with "
            "tools/train_demo_detectors.py"
        )
    checkpoint = read_checkpoint(str(DEMO_FOLDER), device=device, dtype=dtype)
    return HFGroundingDino(checkpoint, names, name="demo-grounding-dino")


def _asked_for(labels: Sequence[str] | None) -> tuple[str, ...]:
    """The labels, checked before a checkpoint is read for nothing."""
    if labels is None:
        raise InputError(
            'Grounding DINO finds what it is asked for; say what, e.g. --prompt "dog . cat ."'
        )
    return check_labels(labels)

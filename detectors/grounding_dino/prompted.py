"""What detectors share that read their labels in prompts: labels, prompts and scores of tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import numpy as np
import torch
from torch import Tensor

from detectors.grounding_dino.text_cache import TextFeatures
from detectors.shared.pixels import scale_boxes
from detectors.shared.prompts import (
    NO_LABEL,
    Prompt,
    build_prompts,
    check_labels,
    hide_words,
    narrow_prompts,
    split_words,
)
from detectors.shared.token_places import caption_of, phrase_at
from vps.core.boxes import cxcywh_to_xyxy
from vps.core.candidates import Candidates, label_column

Model = TypeVar("Model", bound="PromptedModel")
Channels = Literal["rgb", "bgr"]
Phrase = Literal["label", "caption"]


@dataclass(frozen=True)
class InputOptions:
    """How the model is shown an image, and which tokens of a prompt score for a label.

    The defaults are what Grounding DINO was trained with. The others are there to repeat results
    that were made with them, as those of Visual Precision Search (Chen et al., CVPR 2025).

    Attributes:
        channels: in which order the model gets them. With "bgr" they change places last of all,
            after regions were hidden: pixels and fill stay RGB.
        phrase: "label", or "caption": each label has a prompt of its own, and its score is the
            highest of all the prompt's tokens, its ends and stop among them.
    """

    channels: Channels = "rgb"
    phrase: Phrase = "label"

    def ordered(self, pixels: Tensor) -> Tensor:
        """RGB pixels (B, 3, h, w) in the order that the model gets."""
        return pixels if self.channels == "rgb" else pixels.flip(1)


class PromptedModel:
    """A Grounding DINO asked for some labels; an adapter adds `prepare`, `detect` and the model.

    Labels that do not fit into one prompt are spread over several, each with a forward pass of its
    own. The candidates of all passes then stand one after the other, N = passes x queries, with
    score 0 for the labels that their pass was not asked for. With hundreds of labels that is much:
    `narrowed` keeps the prompts that matter and leaves their scores as they are. Fusion lets the
    labels of one prompt influence each other, so a score depends on what else its prompt asks, in
    the model itself: `with_labels` with fewer labels changes it.

    Args:
        checkpoint: the model and what belongs to it, shared by detectors that differ in labels; has
            `tokenizer`, `device`, and `max_tokens`, the most tokens that a prompt may have.
        labels: names; see `detectors.shared.prompts.as_phrase` for how the model reads them.
        name: what reports call the detector.
        prompts: how the labels are asked for; by default in as few prompts as their order allows.
        options: how images and prompts are read.

    Raises:
        InputError: no or repeated labels, or one that is too long for a prompt.
    """

    def __init__(
        self,
        checkpoint: Any,
        labels: Sequence[str],
        *,
        name: str,
        prompts: Sequence[Prompt] | None = None,
        options: InputOptions | None = None,
    ) -> None:
        self.name = name
        self.options = options or InputOptions()
        self.labels = check_labels(labels)
        self.device: torch.device = checkpoint.device
        self.checkpoint = checkpoint
        caption = self.options.phrase == "caption"
        self.prompts = tuple(
            prompts
            or build_prompts(
                self.labels, checkpoint.tokenizer, checkpoint.max_tokens, apart=caption
            )
        )
        self._asked = tuple(
            EncodedPrompt(prompt, self.device, len(self.labels), caption=caption)
            for prompt in self.prompts
        )

    def with_labels(self: Model, labels: tuple[str, ...]) -> Model:
        """The same model asked for other labels; see `vps.core.detector.OpenVocabularyDetector`."""
        return self._asked_for(labels)

    def narrowed(self: Model, labels: tuple[str, ...]) -> Model:
        """Only the prompts that hold `labels`; see `vps.core.detector.PromptedDetector`."""
        wanted = [label_column(label, self.labels) for label in labels]
        prompts, columns = narrow_prompts(self.prompts, wanted)
        if len(prompts) == len(self.prompts):
            return self
        kept = tuple(self.labels[column] for column in columns)
        return self._asked_for(kept, prompts)

    def words(self, label: str) -> tuple[str, ...]:
        """The words of a label; see `vps.core.detector.WordHider`."""
        label_column(label, self.labels)
        return split_words(label)

    def with_hidden(self: Model, label: str, keep: np.ndarray) -> Model:
        """Some words of a label as [MASK]; see `vps.core.detector.WordHider`."""
        column = label_column(label, self.labels)
        prompts = hide_words(self.prompts, column, label, keep, self.checkpoint.tokenizer)
        return self._asked_for(self.labels, prompts)

    def _asked_for(
        self: Model, labels: Sequence[str], prompts: Sequence[Prompt] | None = None
    ) -> Model:
        return type(self)(
            self.checkpoint, labels, name=self.name, prompts=prompts, options=self.options
        )

    def label_at(self, caption: str, positions: Sequence[int]) -> str:
        """The phrase at token positions; see `vps.core.detector.TokenReader`."""
        return phrase_at(caption, positions, self.checkpoint.tokenizer)

    def tokens_of(self, label: str) -> tuple[str, tuple[int, ...]]:
        """Caption and positions of a label; see `vps.core.detector.TokenReader`."""
        return caption_of(self.prompts, self.labels, label_column(label, self.labels))

    def _gather(self, passes: Sequence[tuple[Tensor, Tensor]], size: tuple[int, int]) -> Candidates:
        """The candidates of all passes: boxes (B, N, 4), cxcywh in [0, 1], scores (B, N, L)."""
        boxes = cxcywh_to_xyxy(torch.cat([boxes for boxes, _ in passes], dim=1))
        scores = torch.cat([scores for _, scores in passes], dim=1)
        return Candidates(scale_boxes(boxes, (1, 1), size), scores, self.labels)


class EncodedPrompt:
    """A prompt on the device, with its cached text features.

    Args:
        prompt: what is asked.
        device: where.
        labels: how many the model is asked for in all.
        caption: whether all tokens of the prompt, which has one label, count for it.

    Attributes:
        features: what the text encoder makes of it, for
            `detectors.grounding_dino.text_cache.reading`.
        ids: the ids of its tokens, (1, T).
    """

    def __init__(
        self, prompt: Prompt, device: torch.device, labels: int, *, caption: bool = False
    ) -> None:
        self.features = TextFeatures()
        self.ids = torch.tensor([prompt.token_ids], device=device)
        places = [max(prompt.columns)] * len(prompt.columns) if caption else prompt.columns
        # Tokens that count for no label go to one column more, which is dropped.
        columns = [
            labels if column == NO_LABEL or place in prompt.hidden else column
            for place, column in enumerate(places)
        ]
        self._columns = torch.tensor(columns, device=device)
        self._labels = labels

    def label_scores(self, logits: Tensor) -> Tensor:
        """Label scores (B, N, L) out of token logits (B, N, T or more).

        A label's score is the highest sigmoid among its tokens. Hidden tokens do not count, nor do
        separators and the two ends of the prompt, unless it is a caption.
        """
        tokens = logits[..., : self.ids.shape[1]].float().sigmoid()
        scores = tokens.new_zeros(*tokens.shape[:2], self._labels + 1)
        scores.scatter_reduce_(2, self._columns.expand_as(tokens), tokens, "amax")
        return scores[..., : self._labels]

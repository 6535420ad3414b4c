"""What a detector owes the engine: the whole contract of an adapter, on one page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn

from vps.core.candidates import Candidates, TargetScores
from vps.core.targets import Target


@runtime_checkable
class Detector(Protocol):
    """Maps batches of pixels to all candidate boxes with all label scores.

    Attributes:
        name: what reports and results call this detector.
        labels: the names of the score columns, in order.
        device: where `prepare` puts pixels and `detect` expects them.
    """

    name: str
    labels: tuple[str, ...]
    device: torch.device

    def prepare(self, image: np.ndarray) -> Tensor:
        """What the model sees of an image, at its own resolution and not yet normalised.

        Regions live on this grid and masking happens on it, so that the fill is a colour. Padding
        and normalisation belong into `detect`.

        Args:
            image: (H, W, 3) uint8 RGB.

        Returns:
            (3, h, w) float32 RGB in [0, 1] on `device`.
        """
        ...

    def detect(self, pixels: Tensor, size: tuple[int, int]) -> Candidates:
        """All candidates, before score threshold and NMS, of a batch of (masked) images.

        Args:
            pixels: (B, 3, h, w) float32 RGB in [0, 1] on `device`; must be neither changed in place
                nor kept: the engine uses the buffer again.
            size: (H, W) of the original image.

        Returns:
            Candidates of B images, boxes in pixels of the original image. The scores of an image
            do not depend on the others in the batch, beyond float noise.
        """
        ...


@runtime_checkable
class OpenVocabularyDetector(Detector, Protocol):
    """A detector whose labels the user chooses."""

    def with_labels(self, labels: tuple[str, ...]) -> OpenVocabularyDetector:
        """The same model, asked for other labels; shares the weights.

        Raises:
            InputError: no labels, or more text than the model can read.
        """
        ...


@runtime_checkable
class PromptedDetector(OpenVocabularyDetector, Protocol):
    """A detector that reads its labels in prompts, several where they are many."""

    def narrowed(self, labels: tuple[str, ...]) -> PromptedDetector:
        """The same detector without the prompts that hold none of `labels`.

        What remains is asked word for word as before: the scores of `labels` stay exactly the
        same, and so does s(S) of a target with one of them, in the modes "object" and "class" (in
        "box" the scores of all labels count). With 1,203 labels in 30 prompts, a
        target costs one prompt instead of 30. `labels` of the result are all that the kept
        prompts hold.

        Raises:
            InputError: a label that the detector was not asked for.
        """
        ...


@runtime_checkable
class WordHider(Detector, Protocol):
    """A detector that can be asked for a label of which it does not see some words."""

    def words(self, label: str) -> tuple[str, ...]:
        """The n words of a label, in order, as the detector reads them.

        Raises:
            InputError: a label that the detector was not asked for.
        """
        ...

    def with_hidden(self, label: str, keep: np.ndarray) -> WordHider:
        """The same detector without some words of one label.

        A hidden word keeps its place, and all else is asked word for word as before; the labels and
        their columns stay. What the model says of a hidden word's place is no part of the label's
        score, so that a label without any word scores 0. Hiding adds up: what was hidden stays so.

        Args:
            label: one of `labels`.
            keep: (n,) bool, True where a word of `words(label)` is shown.

        Raises:
            InputError: a label that the detector was not asked for, or another number of words.
        """
        ...


@runtime_checkable
class TokenReader(Detector, Protocol):
    """A detector whose tokenizer tells what stands at which token of a caption."""

    def label_at(self, caption: str, positions: Sequence[int]) -> str:
        """The phrase of a caption "a . b ." that holds some of its tokens.

        Args:
            caption: phrases, each followed by a full stop.
            positions: of tokens, counted from 0 with the first one of the model's own, [CLS].

        Raises:
            InputError: no position, one outside the caption, or positions that are of no phrase, or
                of several.
        """
        ...

    def tokens_of(self, label: str) -> tuple[str, tuple[int, ...]]:
        """The caption in which a label is asked for, and the positions of its tokens in it.

        Raises:
            InputError: a label that the detector was not asked for.
        """
        ...


@runtime_checkable
class TargetScorer(Detector, Protocol):
    """A detector that can say of a target how it scores, without listing candidates.

    The engine then asks `score_targets` instead of `detect`; so detectors that generate text can
    be explained by likelihoods.
    """

    def about(
        self, pixels: Tensor, size: tuple[int, int], targets: Sequence[Target]
    ) -> TargetScorer:
        """A scorer of these targets in this image; the engine asks for it once, before all passes.

        What depends on the whole image can be found out here, such as where in an answer a target
        stands. The detector itself stays as it is.

        Args:
            pixels: (3, h, w), the whole image, as `prepare` gives it.
            size: (H, W) of the original image.
            targets: those that `score_targets` will be asked for.
        """
        ...

    def score_targets(
        self, pixels: Tensor, size: tuple[int, int], targets: Sequence[Target]
    ) -> TargetScores:
        """The scores of T targets in a batch of B (masked) images; otherwise as `detect`."""
        ...


@runtime_checkable
class DifferentiableDetector(Detector, Protocol):
    """A detector that can be asked how a target's score changes with the pixels.

    What asks for gradients never touches the weights: `torch.autograd.grad` of the scores gives
    those of pixels or features, and no parameter's `grad`, mode or `requires_grad` changes.
    """

    def scores(
        self, pixels: Tensor, size: tuple[int, int], targets: Sequence[Target], mode: str = "object"
    ) -> Tensor:
        """s of T targets in a batch of images, with the graph back to the pixels.

            s = max_i value(IoU(b_i, b*), p_ic)

        The maximum is the one that the engine takes without gradients, so that what is
        differentiated is what is explained: its gradient is that of the candidate that attains it,
        fixed for each image. A smooth maximum would be the score of no candidate, and would hold
        those apart that a user never sees.

        Args:
            pixels: (B, 3, h, w) as for `detect`; where they require gradients, the graph is kept.
            size: (H, W) of the original image.
            targets: T of them.
            mode: a key of `vps.core.scoring.MODES`.

        Returns:
            (B, T) float32 in [0, 1]; an image without a candidate that counts scores 0, with
            gradient 0.

        Raises:
            InputError: a label that the detector does not know.
        """
        ...


def _itself(output: Any) -> Tensor:
    found: Tensor = output
    return found


def _as_it_is(features: Tensor, _size: tuple[int, int]) -> Tensor:
    return features


@dataclass(frozen=True)
class FeatureLayer:
    """A layer whose output lies on a grid over the image; what class activation maps look at.

    Attributes:
        module: a part of the model.
        pick: from its output to the tensor of features, as the rest of the model reads it.
        grid: from that tensor (or its gradient) and the (h, w) of the pixels to features
            (B, C, h', w') on a grid over these, by reordering only.
    """

    module: nn.Module
    pick: Callable[[Any], Tensor] = _itself
    grid: Callable[[Tensor, tuple[int, int]], Tensor] = _as_it_is


@dataclass(frozen=True)
class AttentionLayers:
    """The attention of a transformer, in the order in which it runs.

    Each module gives, among what it returns, probabilities (B, heads, rows, columns): of N tokens
    with places in the image among themselves, or of Q queries.

    Attributes:
        encoder: self-attention of the tokens.
        decoder: for each layer, self-attention of the queries and their attention to the tokens;
            none where some of the tokens are themselves the candidates.
        candidates: which rows of the last layer become candidates.
        pick: from what a module returns to the probabilities.
        grid: from values of tokens (B, N, C) and the (h, w) of the pixels to values
            (B, C, h', w') on a grid over these.
    """

    encoder: tuple[nn.Module, ...]
    decoder: tuple[tuple[nn.Module, nn.Module], ...]
    candidates: slice
    pick: Callable[[Any], Tensor]
    grid: Callable[[Tensor, tuple[int, int]], Tensor]


@runtime_checkable
class AttentionDetector(DifferentiableDetector, Protocol):
    """A differentiable detector whose transformer tells how it attends."""

    def attending(self) -> AbstractContextManager[AttentionLayers]:
        """Within the block the layers give their probabilities, with the graph.

        Scores are the same as outside, beyond float noise.

        Raises:
            InputError: a model without such layers.
        """
        ...


@runtime_checkable
class FeatureDetector(DifferentiableDetector, Protocol):
    """A differentiable detector that says which layers have features of places."""

    def feature_layers(self) -> Mapping[str, FeatureLayer]:
        """By name, from the finest grid to the coarsest."""
        ...

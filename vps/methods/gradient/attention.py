"""Relevance passed on through the attention of a transformer, layer by layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from vps.core.detector import AttentionDetector, AttentionLayers, FeatureLayer
from vps.engine.budget import Budget
from vps.engine.gradients import LayerGradients, differentiable
from vps.engine.problem import Problem
from vps.errors import InputError
from vps.methods.gradient.attributed import asking, attributed, planned
from vps.methods.protocol import ATTENTION, Attribution, MethodFamily


@dataclass(frozen=True)
class GenericAttention:
    """Chefer, Gur and Wolf, "Generic Attention-model Explainability for Interpreting Bi-Modal and
    Encoder-Decoder Transformers", ICCV 2021, equations 5 to 10.

    With A the probabilities of an attention layer and g = ds/dA, both (heads, rows, columns),

        A' = mean over heads of max(0, g A)

    Tokens i of the image and queries q start with R_ii = I, R_qq = I and R_qi = 0. Then, layer by
    layer,

        R_ii += A' R_ii                            encoder
        R_qi += A' R_qi,  R_qq += A' R_qq          the queries' self-attention
        R_qi += N(R_qq)^T A' N(R_ii)               their attention to the tokens

    with N(R) = I + (R - I), each row of R - I divided by its sum. The map is the row of R_qi (of
    R_ii, where tokens are the candidates) of the query that attains s, enlarged bilinearly. That
    query is the row of the last layer with a gradient: no other row has a part in its candidate.

    One forward pass, and one backward pass a target.
    """

    family: ClassVar[MethodFamily] = MethodFamily.GRADIENT
    needs: ClassVar[str] = ATTENTION
    name: ClassVar[str] = "attention"

    def planned_passes(self, problem: Problem) -> int:
        """One forward, and one backward a target."""
        return planned(problem, 1)

    def with_passes(self, passes: int) -> GenericAttention:
        """It makes no use of more."""
        return self

    def attribute(
        self, problem: Problem, budget: Budget | None = None, seed: int = 0
    ) -> Attribution:
        """The maps; see `vps.methods.protocol.Method`.

        Raises:
            InputError: a detector without attention or gradients, or a budget too small; before
                the first pass.
        """
        detector = differentiable(problem, self.name)
        if not isinstance(detector, AttentionDetector):
            raise InputError(
                f"{self.name} looks at the attention of a transformer, and {problem.detector.name} "
                "names none: take another method (`vps methods` tells what each needs)"
            )
        source = asking(problem, self.name, budget)
        grid = (problem.pixels.shape[1], problem.pixels.shape[2])
        maps = []
        with detector.attending() as layers:
            modules = [*layers.encoder, *(module for pair in layers.decoder for module in pair)]
            looked_at = [FeatureLayer(module, layers.pick) for module in modules]
            _, told = source.layers(problem.pixels[None], looked_at)
            for number in range(len(problem.targets)):
                tokens = _relevance([_attended(one, number) for one in told], layers)
                rows = told[-1].gradients[number, 0].abs().sum(dim=(0, 2))[layers.candidates]
                values = tokens[layers.candidates][int(rows.argmax())]
                found = layers.grid(values[None, :, None], grid)
                maps.append(interpolate(found, grid, mode="bilinear")[0, 0])
        return attributed(source, torch.stack(maps))


def _attended(layer: LayerGradients, target: int) -> Tensor:
    """A' (rows, columns) float64 of one image and target, equation 5."""
    # In float64: what is added to I may be small beside it, and is divided by its own sum.
    weighed = layer.features[0].double() * layer.gradients[target, 0].double()
    return weighed.clamp(min=0).mean(dim=0)


def _relevance(attended: list[Tensor], layers: AttentionLayers) -> Tensor:
    """R_qi (Q, N), or R_ii (N, N) of a model without a decoder."""
    count = len(layers.encoder)
    tokens = torch.eye(attended[0].shape[1]).to(attended[0])
    for each in attended[:count]:
        tokens = tokens + each @ tokens
    if not layers.decoder:
        return tokens
    shares = _normalised(tokens)
    queries = torch.eye(attended[count].shape[0]).to(tokens)
    found = torch.zeros(len(queries), len(tokens)).to(tokens)
    for own, across in zip(attended[count::2], attended[count + 1 :: 2], strict=True):
        found = found + own @ found
        queries = queries + own @ queries
        found = found + _normalised(queries).T @ across @ shares
    return found


def _normalised(relevance: Tensor) -> Tensor:
    """N(R): equations 8 and 9; a row that nothing was added to stays that of I."""
    same = torch.eye(len(relevance)).to(relevance)
    added = relevance - same
    sums = added.sum(dim=1, keepdim=True)
    return same + torch.where(sums > 0, added / sums, 0)

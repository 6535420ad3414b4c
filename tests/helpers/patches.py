"""Questions about a detector that sees how much of each patch of an image is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from operator import itemgetter

import numpy as np
import torch
from torch import Tensor, nn

from detectors.shared.gradients import Differentiable
from tests.helpers.analytic import LABELS, photo
from vps.core.candidates import Candidates
from vps.core.detector import AttentionLayers, FeatureLayer
from vps.core.regions import Regions
from vps.core.targets import Target
from vps.engine.problem import Problem, make_problem

SIZE = (20, 30)
"""(H, W) of the image; the grid is the same."""

PATCHES = ((2, 6, 3, 9), (12, 18, 20, 28))
"""Top, bottom, left, right of what the detector reads."""

BOX = (4.0, 4.0, 14.0, 14.0)

Answer = Callable[[Tensor], tuple[Tensor, ...]]
"""From (B, patches) the share of each patch that is shown, under black, to boxes (B, N, 4), scores
(B, N, L) and perhaps objectness (B, N)."""


class Glance(nn.Module):
    """Gives pixels as they are, by way of one token's attention that is spread evenly over them."""

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        count = pixels.shape[-2:].numel()
        told = pixels.new_full((len(pixels), 1, count, count), 1 / count)
        told = told + 0 * pixels.sum()
        weights = told[:, 0, 0].unflatten(1, tuple(pixels.shape[-2:])) * count
        return pixels * weights[:, None], told


class PatchDetector(Differentiable):
    """Answers by a rule from how bright each patch is beside the whole image's.

    Its one feature layer has the pixels as they are, and its one layer of attention all of them.
    """

    device = torch.device("cpu")
    name = "patches"
    labels = LABELS

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.image = photo(*SIZE)
        self.seen: list[Tensor] = []
        self.stem = nn.Identity()
        self.glance = Glance()

    def feature_layers(self) -> dict[str, FeatureLayer]:
        return {"stem": FeatureLayer(self.stem)}

    @contextmanager
    def attending(self) -> Iterator[AttentionLayers]:
        yield AttentionLayers((self.glance,), (), slice(None), itemgetter(1), _on_grid)

    def prepare(self, image: np.ndarray) -> Tensor:
        return torch.from_numpy(image.astype(np.float32) / 255).permute(2, 0, 1)

    def shares(self, pixels: Tensor) -> Tensor:
        whole = self.prepare(self.image)
        return torch.stack(
            [
                pixels[:, :, t:b, k:r].sum((1, 2, 3)) / whole[:, t:b, k:r].sum()
                for t, b, k, r in PATCHES
            ],
            dim=1,
        )

    def detect(self, pixels: Tensor, size: tuple[int, int]) -> Candidates:
        self.seen.append(pixels.detach().clone())
        boxes, scores, *objectness = self.answer(
            self.shares(self.stem(self.glance(pixels)[0])).clamp(0, 1)
        )
        return Candidates(boxes, scores, self.labels, *objectness)


def _on_grid(tokens: Tensor, size: tuple[int, int]) -> Tensor:
    return tokens.transpose(1, 2).unflatten(2, size)


def one_box_a_patch(shares: Tensor) -> tuple[Tensor, Tensor]:
    """Candidate 0 on BOX is a dog as far as patch 0 is shown; 1 beside it, a bird by patch 1."""
    beside = torch.tensor([BOX, (8.0, 4.0, 18.0, 14.0)])
    scores = torch.zeros(len(shares), 2, 3)
    scores[:, 0, 1] = shares[:, 0]
    scores[:, 1, 2] = 0.8 * shares[:, 1]
    scores[:, 1, 1] = 0.1
    return beside.expand(len(shares), -1, -1), scores


def question(*targets: Target, answer: Answer = one_box_a_patch, **settings: object) -> Problem:
    """About a new detector, with black for what is hidden."""
    detector = PatchDetector(answer)
    rows, columns = np.indices(SIZE)
    regions = Regions(rows // 4 * 5 + columns // 6, "tiles")
    return make_problem(
        detector,
        detector.image,
        targets or (Target(BOX, "dog"),),
        regions=regions,
        **{"fill": "black", **settings},
    )

"""Facts of made-up cases, and of a detector that leans on nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from vps.core.candidates import Candidates
from vps.core.targets import Target
from vps.engine.problem import make_problem
from vps.explaining.explain import explain
from vps.reliance.evidence import Surroundings
from vps.reliance.facts import (
    CaseFacts,
    OtherObjects,
    Scenery,
    evidence_facts,
    measured_facts,
)

BOX, GRID = (4.0, 4.0, 12.0, 12.0), (16, 24)

Beside = tuple[float, float, float | None, float | None]
"""Share and chance of the evidence in the objects of a label; s with them hidden, and elsewhere."""


def case_facts(label: str, image: int, **others: Beside) -> CaseFacts:
    """A correct detection of score 0.5 with some objects beside it."""
    return CaseFacts(
        dataset="drawn",
        image_id=image,
        case=f"d{label}",
        kind="correct",
        label=label,
        score=0.5,
        masked=True,
        own=0.4,
        box=0.5,
        rest=0.3,
        distance=0.2,
        sufficient_area=0.1,
        sufficient_own=0.6,
        sufficient_rest=0.2,
        alone=0.3,
        alone_found=True,
        around=0.1,
        around_found=False,
        passes=6,
        others={
            name: OtherObjects(
                0.1, share, chance, 0.1, hidden, () if elsewhere is None else (elsewhere,)
            )
            for name, (share, chance, hidden, elsewhere) in others.items()
        },
    )


class Noise:
    """One box, whose score is noise that any change of the image draws anew."""

    device = torch.device("cpu")
    name = "noise"
    labels = ("a", "b", "c")

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def prepare(self, image: np.ndarray) -> Tensor:
        return torch.from_numpy(image.astype(np.float32) / 255).permute(2, 0, 1)

    def detect(self, pixels: Tensor, size: tuple[int, int]) -> Candidates:
        scores = [
            np.random.default_rng([self.seed, int(1e4 * one.double().sum())]).uniform(0.3, 0.9)
            for one in pixels
        ]
        boxes = torch.tensor([[BOX]]).expand(len(pixels), -1, -1)
        return Candidates(
            boxes,
            torch.tensor(scores, dtype=torch.float32)[:, None, None].expand(-1, 1, 3),
            self.labels,
        )


def facts_of_noise(seed: int, images: int = 20) -> Iterator[CaseFacts]:
    """Two classes of detections among objects of three, with random maps, measured pass by pass."""
    rng = np.random.default_rng(seed)
    own = np.zeros(GRID, bool)
    own[4:12, 4:12] = True
    template = None
    for image in range(images):
        pixels = rng.integers(0, 255, (*GRID, 3), dtype=np.uint8)
        others = {}
        for label in ("a", "b", "c"):
            top, left = rng.integers(0, 12), rng.integers(0, 18)
            mask = np.zeros(GRID, bool)
            mask[top : top + 5, left : left + 6] = True
            if (mask & ~own).any() and rng.random() < 0.8:
                others[label] = mask & ~own
        scenery = Scenery(Surroundings(own, others), BOX, GRID, True)
        target = Target(BOX, str(rng.choice(["a", "b"])))
        problem = make_problem(
            Noise(seed), pixels, [target], regions=12, region_method="grid", batch_size=16
        )
        if template is None:
            (template,) = explain(problem, method="vps", search="leave_one_out")
        noise = dataclasses.replace(
            template,
            target=target,
            order=rng.permutation(len(template.order)),
            objective=rng.random(len(template.order) + 1),
        )
        facts = evidence_facts(noise, scenery, dataset="noise", image_id=image, case="d1")
        yield measured_facts(facts, problem, scenery, threshold=0.3, most=8, seed=image)

"""A detector that knows each image by its colour, and data sets of such images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from tests.helpers.annotated import Boxed
from vps.core.candidates import Candidates
from vps.core.detect import Detection
from vps.data.dataset import Annotation, Dataset, ImageEntry
from vps.errors import InputError


@dataclass(frozen=True)
class Plain:
    """An image of one grey; of none, it cannot be read."""

    grey: int | None
    size: tuple[int, int] = (100, 100)
    name: str = "plain.png"

    def read(self) -> np.ndarray:
        if self.grey is None:
            raise InputError("image broken.png cannot be read")
        return np.full((*self.size, 3), self.grey, np.uint8)


def entry(
    image_id: int,
    *objects: Boxed,
    crowds: Sequence[int] = (),
    broken: bool = False,
    size: tuple[int, int] = (100, 100),
    **fields,
) -> ImageEntry:
    """An image whose grey is its id; annotation k has the id 100 * image_id + k."""
    annotations = tuple(
        Annotation(100 * image_id + k, label, box, 50.0, k in crowds)
        for k, (label, box) in enumerate(objects)
    )
    return ImageEntry(image_id, Plain(None if broken else image_id, size), annotations, **fields)


def dataset(*entries: ImageEntry, labels: tuple[str, ...] = (), **settings) -> Dataset:
    return Dataset("plain", entries, labels=labels, **settings)


class Scripted:
    """Answers with the candidates that are listed for a grey; of others, with none."""

    name = "scripted"
    device = torch.device("cpu")

    def __init__(self, labels: tuple[str, ...], script: Mapping[int, Sequence[Detection]]) -> None:
        self.labels = labels
        self.script = script
        self.batches: list[int] = []

    def prepare(self, image: np.ndarray) -> Tensor:
        return torch.from_numpy(image.astype(np.float32) / 255).permute(2, 0, 1)

    def detect(self, pixels: Tensor, size: tuple[int, int]) -> Candidates:
        assert not torch.is_grad_enabled()
        assert pixels.shape[2:] == size
        self.batches.append(len(pixels))
        most = max(map(len, self.script.values()))
        boxes = torch.zeros(len(pixels), most, 4)
        scores = torch.zeros(len(pixels), most, len(self.labels))
        for index, image in enumerate(pixels):
            for row, item in enumerate(self.script.get(round(float(image[0, 0, 0] * 255)), ())):
                boxes[index, row] = torch.tensor(item.box)
                if item.label in self.labels:
                    scores[index, row, self.labels.index(item.label)] = item.score
        return Candidates(boxes, scores, self.labels)


class ScriptedPhrases(Scripted):
    """The same, but open to any label."""

    def with_labels(self, labels: tuple[str, ...]) -> ScriptedPhrases:
        assert len(labels) == 1
        return ScriptedPhrases(labels, self.script)

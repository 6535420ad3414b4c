"""OmDet-Turbo: labels are read in tasks, "Detect dog, cat.", and each label once more alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from detectors.hf.clip_text import count_tokens, read_texts
from detectors.shared.watch import ChoiceWatch
from vps.core.boxes import cxcywh_to_xyxy


@dataclass(frozen=True)
class OmdetTask:
    """A text that fits the model, as the model has read it.

    Attributes:
        columns: the C labels of the task, by their place among all.
        classes: their embeddings, (C, 1, d).
        features: of the T tokens of the text, (T, 1, d).
        mask: which of them count, (1, T).
    """

    columns: tuple[int, ...]
    classes: Tensor
    features: Tensor
    mask: Tensor


class OmDetTasks:
    """What OmDet-Turbo is asked; see `detectors.hf.zero_shot.EncodedQuery`.

    Text meets image in the decoder only, so that the image tower runs once, whatever the number of
    tasks. The candidates of the tasks stand one after the other.

    Args:
        model: an OmDetTurboForObjectDetection.
        tasks: what to ask.
    """

    def __init__(self, model: Any, tasks: Sequence[OmdetTask]) -> None:
        self.model = model
        self.tasks = tuple(tasks)
        self._labels = sum(len(task.columns) for task in self.tasks)

    def __call__(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """xyxy boxes (B, N, 4) in [0, 1] and scores (B, N, L); N is tasks x queries.

        As the library does last, boxes are clipped to the image.
        """
        image = self.model.encoder(self.model.vision_backbone(inputs), return_dict=True)
        parts = [self._decode(task, image.extracted_states, len(inputs)) for task in self.tasks]
        boxes = cxcywh_to_xyxy(torch.cat([boxes for boxes, _ in parts], dim=1))
        return boxes.clamp(0, 1), torch.cat([scores for _, scores in parts], dim=1)

    def _decode(self, task: OmdetTask, image: Any, count: int) -> tuple[Tensor, Tensor]:
        output = self.model.decoder(
            image,
            task.classes.expand(-1, count, -1),
            task.features.expand(-1, count, -1),
            task.mask.expand(count, -1),
            return_dict=True,
        )
        found = output.decoder_classes[-1].float().sigmoid()
        scores = found.new_zeros(*found.shape[:2], self._labels)
        scores[..., list(task.columns)] = found
        watch = ChoiceWatch()
        watch.see(output.encoder_class_logits)
        return output.decoder_coords[-1].float(), watch.mark(scores)

    def narrowed(self, wanted: Sequence[int]) -> tuple[OmDetTasks, tuple[int, ...]]:
        """Only the tasks that hold these labels, word for word."""
        tasks = [task for task in self.tasks if set(task.columns) & set(wanted)]
        kept = tuple(sorted(column for task in tasks for column in task.columns))
        new = {column: number for number, column in enumerate(kept)}
        tasks = [replace(task, columns=tuple(new[c] for c in task.columns)) for task in tasks]
        return OmDetTasks(self.model, tasks), kept


@torch.no_grad()
def ask_omdet(model: Any, tokenizer: Any, texts: Sequence[str]) -> OmDetTasks:
    """Put labels into as few tasks as their order allows, and let the model read them.

    The library cuts off what is too long, and with it the last labels of the task.

    Raises:
        InputError: a label that does not fit into a task of its own, or of unknown words only.
    """
    limit = int(model.config.text_config.max_position_embeddings)
    groups: list[list[int]] = [[]]
    for column in range(len(texts)):
        longer = [texts[i] for i in [*groups[-1], column]]
        if groups[-1] and count_tokens(as_task(longer), tokenizer) > limit:
            groups.append([])
        groups[-1].append(column)
    return OmDetTasks(
        model, [_read(model, tokenizer, limit, texts, tuple(group)) for group in groups]
    )


def as_task(texts: Sequence[str]) -> str:
    """The task that the library makes of labels."""
    return f"Detect {', '.join(texts)}."


def _read(
    model: Any, tokenizer: Any, limit: int, texts: Sequence[str], columns: tuple[int, ...]
) -> OmdetTask:
    wanted = [texts[column] for column in columns]
    ids, _ = read_texts(wanted, tokenizer, limit, model.device)
    classes = model.language_backbone(ids, encode_type="class")[:, None]
    ids, mask = read_texts([as_task(wanted)], tokenizer, limit, model.device)
    features, mask = model.language_backbone(ids, mask=mask, encode_type="task")
    return OmdetTask(columns, classes, features, mask)

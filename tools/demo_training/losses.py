"""Training losses of the demo Grounding DINO: focal on token logits, L1 and GIoU on boxes.

The decoder is matched one to one as in DETR (Carion et al., ECCV 2020). The encoder's proposals
are trained densely, several locations an object as in FCOS (Tian et al., ICCV 2019): from scratch
that is what makes detection start within minutes on a CPU.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor
from torchvision.ops import generalized_box_iou, generalized_box_iou_loss, sigmoid_focal_loss
from transformers import GroundingDinoForObjectDetection

from tools.demo_training.batches import Batch
from vps.core.boxes import cxcywh_to_xyxy

# (image, prediction, object) of every assigned pair.
Pairs = tuple[Tensor, Tensor, Tensor]


def detection_loss(
    model: GroundingDinoForObjectDetection, pixels: Tensor, batch: Batch
) -> tuple[Tensor, dict[str, float]]:
    """The sum of the encoder's and the decoder layers' losses, and its parts as numbers.

    Args:
        model: in training mode.
        pixels: (B, 3, h, w), normalised.
        batch: the same images with their prompts and objects.
    """
    text = batch.attention_mask.bool()
    length = text.shape[1]
    outputs = model.model(
        pixel_values=pixels, input_ids=batch.input_ids, attention_mask=batch.attention_mask
    )
    logits = outputs.enc_outputs_class[..., :length]
    boxes = outputs.enc_outputs_coord_logits.sigmoid()
    losses = _pair_losses("encoder", logits, boxes, dense_pairs(batch), batch, text)
    references = [outputs.init_reference_points, *outputs.intermediate_reference_points.unbind(1)]
    for layer, hidden in enumerate(outputs.intermediate_hidden_states.unbind(1)):
        words = outputs.encoder_last_hidden_state_text
        logits = model.class_embed[layer](hidden, words, text)[..., :length]
        start = torch.special.logit(references[layer], eps=1e-5)
        boxes = (model.bbox_embed[layer](hidden) + start).sigmoid()
        pairs = match(logits, boxes, batch)
        losses |= _pair_losses(f"decoder{layer}", logits, boxes, pairs, batch, text)
    total = torch.stack(list(losses.values())).sum()
    return total, {name: loss.item() for name, loss in losses.items()}


def _pair_losses(
    name: str, logits: Tensor, boxes: Tensor, pairs: Pairs, batch: Batch, text: Tensor
) -> dict[str, Tensor]:
    image, prediction, item = pairs
    offsets = torch.tensor([0, *np.cumsum([len(boxes) for boxes in batch.boxes])[:-1]])
    row = offsets[image] + item
    tokens = torch.cat(batch.positive)[row]
    wanted = torch.cat(batch.boxes)[row]
    target = torch.zeros_like(logits)
    target[image, prediction] = tokens.to(target.dtype)
    seen = text[:, None].expand_as(logits)
    focal = sigmoid_focal_loss(logits[seen], target[seen], alpha=0.25, gamma=2.0, reduction="sum")
    # An object that the prompt does not name is nothing to find.
    named = tokens.any(dim=1)
    found, wanted = boxes[image, prediction][named], wanted[named]
    count = max(int(named.sum()), 1)
    corners = cxcywh_to_xyxy(found), cxcywh_to_xyxy(wanted)
    return {
        f"{name}_focal": 2 * focal / max(int(tokens.sum()), 1),
        f"{name}_l1": 5 * (found - wanted).abs().sum() / count,
        f"{name}_giou": 2 * generalized_box_iou_loss(*corners, reduction="sum") / count,
    }


@torch.no_grad()
def match(logits: Tensor, boxes: Tensor, batch: Batch) -> Pairs:
    """The one-to-one assignment of least cost between queries and the objects named."""
    images, queries, items = [], [], []
    for number, (wanted, tokens) in enumerate(zip(batch.boxes, batch.positive, strict=True)):
        named = torch.nonzero(tokens.any(dim=1)).flatten()
        if not len(named):
            continue
        probability = logits[number].sigmoid()
        mean_tokens = tokens[named].float() / tokens[named].sum(dim=1, keepdim=True)
        negative = 0.75 * probability**2 * -(1 - probability + 1e-8).log()
        positive = 0.25 * (1 - probability) ** 2 * -(probability + 1e-8).log()
        cost = 2 * torch.where(logits[number].isinf(), 0.0, positive - negative) @ mean_tokens.T
        cost += 5 * torch.cdist(boxes[number], wanted[named], p=1)
        corners = cxcywh_to_xyxy(boxes[number]), cxcywh_to_xyxy(wanted[named])
        cost -= 2 * generalized_box_iou(*corners)
        rows, columns = linear_sum_assignment(cost.numpy())
        images += [number] * len(rows)
        queries += rows.tolist()
        items += named[torch.from_numpy(columns)].tolist()
    return _pairs(images, queries, items)


def dense_pairs(batch: Batch) -> Pairs:
    """For each object the four locations around its centre, on the level that suits its size."""
    height, width = batch.pixels.shape[2:]
    shapes = [(height // stride, width // stride) for stride in (8, 16, 32)]
    starts = np.concatenate([[0], np.cumsum([h * w for h, w in shapes])[:-1]])
    images, locations, items = [], [], []
    for number, boxes in enumerate(batch.boxes):
        owner: dict[int, int] = {}
        # Larger objects first, so that a smaller one wins a location that both want.
        for item in torch.argsort(-boxes[:, 2] * boxes[:, 3]).tolist():
            x, y, w, h = boxes[item].tolist()
            side = max(w * width, h * height)
            level = 0 if side < 28 else 1 if side < 72 else 2
            rows, columns = shapes[level]
            left, top = x * columns - 0.5, y * rows - 0.5
            for r in {int(np.floor(top)), int(np.ceil(top))}:
                for c in {int(np.floor(left)), int(np.ceil(left))}:
                    if 0 <= r < rows and 0 <= c < columns:
                        owner[int(starts[level]) + r * columns + c] = item
        images += [number] * len(owner)
        locations += list(owner.keys())
        items += list(owner.values())
    return _pairs(images, locations, items)


def _pairs(*columns: list[int]) -> Pairs:
    image, prediction, item = (torch.tensor(column, dtype=torch.long) for column in columns)
    return image, prediction, item

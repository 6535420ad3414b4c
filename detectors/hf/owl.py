"""OWL-ViT and OWLv2: each label is a query of its own, compared with every place of the image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from detectors.hf.clip_text import read_texts
from vps.core.boxes import cxcywh_to_xyxy


class OwlQueries:
    """What OWL is asked; see `detectors.hf.zero_shot.EncodedQuery`.

    Texts are embedded once. Then a forward pass is the model's own image tower and heads; the
    objectness of OWLv2 is not part of a score, as in the library.

    Args:
        model: an OwlViTForObjectDetection or Owlv2ForObjectDetection.
        embedded: the queries, (L, d), each of length 1.
    """

    def __init__(self, model: Any, embedded: Tensor) -> None:
        self.model = model
        self.embedded = embedded

    def __call__(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """xyxy boxes (B, N, 4) in [0, 1] and scores (B, N, L); N is the number of patches."""
        places, _ = self.model.image_embedder(pixel_values=inputs)
        features = places.flatten(1, 2)
        queries = self.embedded.expand(len(inputs), -1, -1)
        logits, _ = self.model.class_predictor(features, queries)
        boxes = self.model.box_predictor(features, places)
        return cxcywh_to_xyxy(boxes.float()), logits.float().sigmoid()

    def narrowed(self, wanted: Sequence[int]) -> tuple[OwlQueries, tuple[int, ...]]:
        """Only the queries of these labels, which do not know of the others."""
        kept = tuple(sorted(set(wanted)))
        return OwlQueries(self.model, self.embedded[list(kept)]), kept


@torch.no_grad()
def ask_owl(model: Any, tokenizer: Any, texts: Sequence[str]) -> OwlQueries:
    """Embed texts as the model itself does.

    Raises:
        InputError: a text that is too long, or of unknown words only.
    """
    limit = int(model.config.text_config.max_position_embeddings)
    ids, mask = read_texts(texts, tokenizer, limit, model.device)
    towers = model.base_model
    pooled = towers.text_model(input_ids=ids, attention_mask=mask, return_dict=True).pooler_output
    embedded = towers.text_projection(pooled)
    return OwlQueries(model, embedded / embedded.norm(dim=-1, keepdim=True))

"""A Grounding DINO of transformers' own classes, tiny and random, as a checkpoint folder."""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from detectors import load
from tests.models.zoo import Case, Own, Reduction
from vps.core.detector import Detector

LABELS = ("red circle", "red square", "Dog's hats")
MAX_TOKENS = 24
FIXED = {"[PAD]": 0, "[UNK]": 100, "[CLS]": 101, "[SEP]": 102, "[MASK]": 103, ".": 1012, "?": 1029}
WORDS = [
    "red",
    "blue",
    "circle",
    "square",
    "dog",
    "cat",
    "man",
    "'",
    "s",
    ",",
    "the",
    "left",
    "hat",
    "##s",
    "##board",
]


def write_vocabulary(path: Path) -> None:
    """The words and all letters, with BERT's special ids where transformers expects them."""
    letters = [*string.ascii_lowercase, *(f"##{letter}" for letter in string.ascii_lowercase)]
    rest = iter([*WORDS, *(letter for letter in letters if letter not in WORDS)])
    fixed = {index: piece for piece, index in FIXED.items()}
    pieces = [fixed.get(index) or next(rest, f"[unused{index}]") for index in range(1030)]
    path.write_text("\n".join(pieces) + "\n", encoding="utf-8")


def write_checkpoint(folder: Path, family: str = "GroundingDino") -> Path:
    """Write model, tokenizer and image processor; `family` may be "MMGroundingDino" too."""
    import transformers

    folder.mkdir(parents=True, exist_ok=True)
    write_vocabulary(folder / "vocab.txt")
    settings = {"tokenizer_class": "BertTokenizer", "do_lower_case": True}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    size = {"shortest_edge": 48, "longest_edge": 64}
    transformers.GroundingDinoImageProcessor(size=size).save_pretrained(folder)
    build_model(family).save_pretrained(folder)
    return folder


def build_model(family: str = "GroundingDino") -> Any:
    """A random model whose scores and boxes differ from query to query."""
    import transformers

    torch.manual_seed(0)
    backbone = transformers.SwinConfig(
        image_size=64,
        embed_dim=16,
        depths=[1, 1, 1, 1],
        num_heads=[1, 2, 2, 4],
        window_size=4,
        out_features=["stage2", "stage3", "stage4"],
    )
    text = transformers.BertConfig(
        vocab_size=1030,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=MAX_TOKENS,
    )
    config = getattr(transformers, f"{family}Config")(
        backbone_config=backbone,
        text_config=text,
        d_model=32,
        encoder_layers=1,
        decoder_layers=2,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        num_queries=12,
        num_feature_levels=3,
        max_text_len=MAX_TOKENS,
    )
    model = getattr(transformers, f"{family}ForObjectDetection")(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
        for layer in model.model.encoder.layers:
            layer.fusion_layer.vision_param.fill_(0.5)
            layer.fusion_layer.text_param.fill_(0.5)
    return model.eval()


def load_checkpoint(folder: Path, device: str) -> Detector:
    return load(f"hf-grounding-dino:{folder}", labels=LABELS, device=device)


@torch.no_grad()
def own_detections(folder: Path, image: np.ndarray) -> Own:
    """transformers' own processor and model; tokens of a label by their place in the text."""
    import transformers

    # From version 5 on, the plain class may be one that resizes with torchvision.
    kind = getattr(transformers, "GroundingDinoImageProcessorPil", None)
    images = (kind or transformers.GroundingDinoImageProcessor).from_pretrained(folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForZeroShotObjectDetection.from_pretrained(folder).eval()
    processor = transformers.GroundingDinoProcessor(images, tokenizer)
    text = ". ".join(label.lower() for label in LABELS) + "."
    inputs = processor(images=Image.fromarray(image), text=text, return_tensors="pt")
    outputs = model(**inputs)
    (found,) = processor.post_process_grounded_object_detection(
        outputs,
        inputs["input_ids"],
        threshold=0.0,
        text_threshold=0.0,
        target_sizes=[image.shape[:2]],
    )
    offsets = tokenizer(text, return_offsets_mapping=True)["offset_mapping"]
    columns = []
    for label in LABELS:
        start = text.index(label.lower())
        end = start + len(label)
        span = [i for i, (a, b) in enumerate(offsets) if start <= a < b <= end]
        columns.append(outputs.logits[0][:, span].sigmoid().amax(-1))
    # Not found["scores"]: in them, separators count as well.
    scores, best = torch.stack(columns, -1).max(-1)
    return Own(found["boxes"], scores, [LABELS[i] for i in best.tolist()])


CASES = [
    Case(
        name,
        save=lambda folder, family=family: write_checkpoint(folder, family),  # type: ignore[misc]
        load=load_checkpoint,
        needs=("transformers",),
        weights="model.safetensors",
        model=lambda detector: detector.checkpoint.model,
        own=own_detections,
        reduction=Reduction(threshold=0.0),
        # A narrower image gives this model fewer places than queries.
        sizes=((48, 64), (40, 80), (80, 40), (20, 16)),
    )
    for name, family in (
        ("hf-grounding-dino", "GroundingDino"),
        ("hf-grounding-dino mm", "MMGroundingDino"),
    )
]

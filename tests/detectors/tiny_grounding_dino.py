"""A Grounding DINO of transformers' own classes, tiny and random, as a checkpoint folder."""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

import pytest
import torch

transformers = pytest.importorskip("transformers")

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

"""The demo Grounding DINO: transformers' own classes, small, with a vocabulary of its own."""

from __future__ import annotations

import math
import string
from pathlib import Path

import torch
from torch import nn
from transformers import (
    BertConfig,
    BertTokenizerFast,
    ConvNextConfig,
    GroundingDinoConfig,
    GroundingDinoForObjectDetection,
    GroundingDinoImageProcessor,
)

from tools.demo_training.pool import LONGEST_EDGE, SHORTEST_EDGE
from vps.data.scenes.drawing import COLOURS
from vps.data.scenes.expressions import WORDS
from vps.data.scenes.layouts import CATEGORIES

MAX_TEXT = 128
# transformers' Grounding DINO finds the ends of phrases by these ids.
_FIXED_IDS = {"[PAD]": 0, "[UNK]": 100, "[CLS]": 101, "[SEP]": 102, "[MASK]": 103}
_SEPARATORS = {".": 1012, "?": 1029}


def vocabulary() -> list[str]:
    """The word pieces, in order of id: the words of the scenes, and letters for all others."""
    words = [*COLOURS, *CATEGORIES, *WORDS]
    letters = [*string.ascii_lowercase, *string.digits]
    pieces = [*dict.fromkeys(words), *letters, *(f"##{letter}" for letter in letters)]
    pieces += [sign for sign in string.punctuation if sign not in _SEPARATORS]
    fixed = {index: piece for piece, index in {**_FIXED_IDS, **_SEPARATORS}.items()}
    rest = iter(pieces)
    size = max(_SEPARATORS.values()) + 1
    return [fixed.get(index) or next(rest, f"[unused{index}]") for index in range(size)]


def build_tokenizer(folder: Path) -> BertTokenizerFast:
    """The tokenizer; its vocabulary file is written to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "vocab.txt"
    path.write_text("\n".join(vocabulary()) + "\n", encoding="utf-8")
    return BertTokenizerFast(vocab_file=str(path), do_lower_case=True, model_max_length=MAX_TEXT)


def build_processor() -> GroundingDinoImageProcessor:
    """The image processor: shorter side 128, at most 160 long."""
    return GroundingDinoImageProcessor(
        size={"shortest_edge": SHORTEST_EDGE, "longest_edge": LONGEST_EDGE},
        do_pad=False,
    )


def build_config(vocabulary_size: int) -> GroundingDinoConfig:
    """The architecture."""
    backbone = ConvNextConfig(
        hidden_sizes=[32, 48, 96, 128],
        depths=[1, 2, 4, 2],
        layer_scale_init_value=0.5,
        drop_path_rate=0.0,
        out_features=["stage2", "stage3", "stage4"],
    )
    text = BertConfig(
        vocab_size=vocabulary_size,
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=128,
        max_position_embeddings=MAX_TEXT,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    return GroundingDinoConfig(
        backbone_config=backbone,
        text_config=text,
        d_model=64,
        encoder_layers=2,
        decoder_layers=3,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=192,
        decoder_ffn_dim=192,
        encoder_n_points=2,
        num_queries=30,
        num_feature_levels=3,
        max_text_len=MAX_TEXT,
        dropout=0.0,
        fusion_droppath=0.0,
        auxiliary_loss=True,
    )


def build_model(vocabulary_size: int) -> GroundingDinoForObjectDetection:
    """The model with random weights, scaled for training from scratch."""
    model = GroundingDinoForObjectDetection(build_config(vocabulary_size))
    with torch.no_grad():
        _initialise(model)
    return model


def _initialise(model: GroundingDinoForObjectDetection) -> None:
    """The library's own scale (0.02) suits fine-tuning; so narrow a model would hardly start."""
    keep = ("sampling_offsets", "attention_weights", "bbox_embed")
    for name, module in model.named_modules():
        if isinstance(module, (nn.Linear, nn.Conv2d)) and not any(part in name for part in keep):
            fan_in = module.weight[0].numel()
            nn.init.trunc_normal_(module.weight, std=1 / math.sqrt(fan_in))
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    for layer in model.model.encoder.layers:
        layer.fusion_layer.vision_param.fill_(0.3)
        layer.fusion_layer.text_param.fill_(0.3)
    # Token logits are dot products without a bias. Smaller norms and opposite biases start them
    # near -4, so that the many negatives do not drown the first steps.
    width = model.config.d_model
    text_norm = model.model.encoder.layers[-1].text_enhancer_layer.layer_norm_after
    text_norm.bias.fill_(0.5)
    for norm in (model.model.enc_output_norm, model.model.decoder.layer_norm):
        norm.weight.fill_(0.3)
        norm.bias.fill_(-4 / (0.5 * width))

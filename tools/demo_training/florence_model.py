"""The demo Florence-2: transformers' own classes, small, with a tokenizer of its own."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from PIL import Image
from tokenizers import ByteLevelBPETokenizer
from torch import Tensor, nn
from transformers import (
    BartConfig,
    BartTokenizerFast,
    CLIPImageProcessor,
    Florence2Config,
    Florence2ForConditionalGeneration,
    Florence2Processor,
    Florence2VisionConfig,
)
from transformers.image_utils import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD

from tools.demo_training.florence_batches import BINS
from tools.demo_training.pool import SQUARE_EDGE
from vps.data.scenes.drawing import COLOURS
from vps.data.scenes.expressions import WORDS
from vps.data.scenes.layouts import CATEGORIES

WIDTH = 128
MAX_TEXT = 160  # tokens of an image with its prompt, and of an answer
_STRIDES = (4, 2, 2, 1)
_KERNELS = (7, 3, 3, 3)
# The words of the prompts of the three tasks, see `Florence2Processor`.
_PROMPT_WORDS = (
    *("Locate", "objects", "with", "category", "name", "in", "image", "phrases", "caption"),
    "and",
)
# The special tokens of the published checkpoints, apart from the locations.
_TAGS = (
    *("<od>", "</od>", "<ocr>", "</ocr>", "<cap>", "</cap>", "<ncap>", "</ncap>", "<dcap>"),
    *("</dcap>", "<grounding>", "</grounding>", "<seg>", "</seg>", "<sep>", "<region_cap>"),
    *("</region_cap>", "<region_to_desciption>", "</region_to_desciption>", "<proposal>"),
    *("</proposal>", "<poly>", "</poly>", "<and>"),
)
_IMAGE_TOKEN = "<image>"
_PARSED = (
    *("ocr", "phrase_grounding", "pure_text", "description_with_bboxes"),
    *("description_with_polygons", "polygons", "bboxes", "description_with_bboxes_or_polygons"),
)


def grid() -> int:
    """Image tokens along a side; the encoder reads grid * grid of them and their mean."""
    side = SQUARE_EDGE
    for stride, kernel in zip(_STRIDES, _KERNELS, strict=True):
        side = (side + 2 * (kernel // 2) - kernel) // stride + 1
    return side


def build_tokenizer(folder: Path) -> BartTokenizerFast:
    """A byte-level BPE in which each word of scenes and prompts is one token.

    Any other text falls into smaller pieces, at worst into bytes. Its files are written to
    `folder`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    words = [*dict.fromkeys([*COLOURS, *CATEGORIES, *WORDS, *_PROMPT_WORDS])]
    pairs = ByteLevelBPETokenizer()
    pairs.train_from_iterator(
        [text for word in words for text in (word, f" {word}")],
        vocab_size=2000,
        min_frequency=1,
        special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
        show_progress=False,
    )
    pairs.save_model(str(folder))
    locations = [f"<loc_{number}>" for number in range(BINS)]
    return BartTokenizerFast(
        vocab_file=str(folder / "vocab.json"),
        merges_file=str(folder / "merges.txt"),
        additional_special_tokens=[*_TAGS[:4], *locations, *_TAGS[4:]],
        extra_special_tokens={"image_token": _IMAGE_TOKEN},
        model_max_length=MAX_TEXT,
    )


def build_processor(tokenizer: BartTokenizerFast) -> Florence2Processor:
    """Images to squares of 128 pixels; prompts, and answers back to boxes."""
    images = CLIPImageProcessor(
        size={"height": SQUARE_EDGE, "width": SQUARE_EDGE},
        resample=Image.Resampling.BILINEAR,
        do_center_crop=False,
        image_mean=IMAGENET_DEFAULT_MEAN,
        image_std=IMAGENET_DEFAULT_STD,
        image_seq_length=grid() ** 2 + 1,
    )
    return Florence2Processor(
        images, tokenizer, post_processor_config={name: {} for name in _PARSED}
    )


def build_config(tokenizer: BartTokenizerFast) -> Florence2Config:
    """The architecture."""
    vision = Florence2VisionConfig(
        depths=[1, 1, 2, 1],
        patch_size=list(_KERNELS),
        patch_stride=list(_STRIDES),
        patch_padding=[kernel // 2 for kernel in _KERNELS],
        embed_dim=[32, 48, 96, WIDTH],
        num_heads=[1, 1, 2, 4],
        num_groups=[1, 1, 2, 4],
        window_size=grid(),
        drop_path_rate=0.0,
        mlp_ratio=2.0,
        projection_dim=WIDTH,
        max_temporal_embeddings=1,
        max_position_embeddings=grid(),
    )
    text = BartConfig(
        vocab_size=len(tokenizer),
        max_position_embeddings=MAX_TEXT,
        d_model=WIDTH,
        encoder_layers=3,
        encoder_ffn_dim=2 * WIDTH,
        encoder_attention_heads=4,
        decoder_layers=3,
        decoder_ffn_dim=2 * WIDTH,
        decoder_attention_heads=4,
        dropout=0.0,
        attention_dropout=0.0,
        activation_dropout=0.0,
        scale_embedding=True,
        bos_token_id=tokenizer.bos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        decoder_start_token_id=tokenizer.eos_token_id,
        forced_eos_token_id=None,
    )
    return Florence2Config(
        text_config=text.to_dict(),
        vision_config=vision.to_dict(),
        image_token_id=tokenizer.convert_tokens_to_ids(_IMAGE_TOKEN),
        bos_token_id=tokenizer.bos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )


def build_model(tokenizer: BartTokenizerFast) -> Florence2ForConditionalGeneration:
    """The model with random weights, scaled for training from scratch."""
    model = Florence2ForConditionalGeneration(build_config(tokenizer))
    with torch.no_grad():
        _initialise(model, tokenizer.get_vocab()["<loc_0>"])
    return model


def _initialise(model: Florence2ForConditionalGeneration, first_location: int) -> None:
    """The library's own scale (0.02) suits fine-tuning; so narrow a model would hardly start."""
    for module in model.modules():
        if isinstance(module, (nn.Linear, nn.Conv2d)) and module is not model.lm_head:
            fan_in = module.weight[0].numel()
            nn.init.trunc_normal_(module.weight, std=1 / math.sqrt(fan_in))
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    # Tokens of unit length: logits begin near N(0, 1), and the input is scaled by sqrt(WIDTH).
    # Neighbouring locations begin alike, so that what is learned of one serves the next.
    words = model.lm_head.weight
    nn.init.normal_(words, std=1 / math.sqrt(WIDTH))
    centres = (torch.arange(BINS) + 0.5) / BINS
    words[first_location : first_location + BINS] = waves(centres, WIDTH)
    _place(model)


def _place(model: Florence2ForConditionalGeneration) -> None:
    """Positions as waves: of image tokens in two directions, of words in one."""
    side = grid()
    centres = (torch.arange(side) + 0.5) / side
    half = waves(centres, WIDTH // 2) * math.sqrt(WIDTH / 2)
    embed = model.model.multi_modal_projector.image_position_embed
    embed.column_embeddings.weight.copy_(half)
    embed.row_embeddings.weight.copy_(half)
    rows, columns = half[:, None].expand(-1, side, -1), half[None].expand(side, -1, -1)
    encoder = model.model.language_model.encoder.embed_positions
    decoder = model.model.language_model.decoder.embed_positions
    nn.init.normal_(encoder.weight, std=0.5)
    # BART leaves two rows unused; the image's mean comes first.
    first = encoder.offset + 1
    encoder.weight[first : first + side * side] = 0.7 * torch.cat([columns, rows], 2).flatten(0, 1)
    steps = torch.arange(MAX_TEXT) / MAX_TEXT
    decoder.weight[decoder.offset :] = 0.5 * waves(steps, WIDTH) * math.sqrt(WIDTH)


def waves(places: Tensor, width: int) -> Tensor:
    """Sines and cosines (n, width) of places (n,) in [0, 1], each row of length 1.

    Their frequencies grow geometrically from a quarter of a wave to 60 waves over the whole range.
    """
    count = width // 2
    frequencies = 0.25 * 240 ** (torch.arange(count) / (count - 1))
    angles = 2 * math.pi * places[:, None] * frequencies
    return torch.cat([angles.sin(), angles.cos()], dim=1) / math.sqrt(count)

"""A Florence-2 of transformers' own classes, tiny and random, as a checkpoint folder.

Random weights write random tokens. To get boxes with labels out of them, the decoder's positions
say what kind of token comes next: a word, eight locations, a word or the end, and so on. Only which
word and which location is left to chance, and so depends on image and prompt.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from detectors import load
from tests.models.zoo import Case, Own, Reduction
from vps.core.detector import Detector

LABELS = ("dog", "sun", "red")
WORDS = (*LABELS, "cat")
BINS = 1000
SIDE = 64
IMAGE_TOKENS = 17
POSITIONS = 48
MAX_NEW_TOKENS = 30
# With this one, answers end at different lengths and all images of the contract have boxes.
SEED = 62
TAGS = ("<od>", "</od>", "<ground>", "<poly>", "</poly>", "<sep>", "<image>")
TASKS = {
    "open-vocabulary": "<OPEN_VOCABULARY_DETECTION>",
    "grounding": "<CAPTION_TO_PHRASE_GROUNDING>",
    "od": "<OD>",
}


def write_checkpoint(folder: Path) -> Path:
    """Write model, tokenizer and image processor."""
    import transformers

    tokenizer = write_tokenizer(folder)
    build_model(tokenizer).save_pretrained(folder)
    side = {"height": SIDE, "width": SIDE}
    images = transformers.CLIPImageProcessor(
        size=side, do_center_crop=False, image_mean=[0.5, 0.4, 0.3], image_std=[0.2, 0.3, 0.25]
    )
    images.save_pretrained(folder)
    return folder


def write_tokenizer(folder: Path, bins: int = BINS) -> Any:
    """Write a byte-level BPE tokenizer like that of BART, with locations and tags."""
    import transformers
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        min_frequency=1,
        special_tokens=["<s>", "<pad>", "</s>", "<unk>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    prompts = ["Locate the objects with category name in the image.", "Locate dog in the image."]
    tokenizer.train_from_iterator([*prompts, *WORDS], trainer)
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.model.save(str(folder))
    bart = transformers.BartTokenizerFast.from_pretrained(folder)
    bart.add_tokens([transformers.AddedToken(f"<loc_{k}>", normalized=False) for k in range(bins)])
    bart.add_tokens(list(TAGS), special_tokens=True)
    bart.save_pretrained(folder)
    return bart


def build_model(tokenizer: Any) -> Any:
    """A random model that writes boxes with labels."""
    import transformers

    config = transformers.Florence2Config(
        vision_config={
            "embed_dim": [8, 16],
            "depths": [1, 1],
            "num_heads": [1, 2],
            "num_groups": [1, 2],
            "patch_size": [7, 3],
            "patch_stride": [4, 4],
            "patch_padding": [3, 1],
            "patch_prenorm": [False, True],
            "window_size": 4,
            "projection_dim": 32,
        },
        text_config={
            "model_type": "bart",
            "vocab_size": len(tokenizer),
            "d_model": 32,
            "encoder_layers": 1,
            "decoder_layers": 2,
            "encoder_attention_heads": 2,
            "decoder_attention_heads": 2,
            "encoder_ffn_dim": 32,
            "decoder_ffn_dim": 32,
            "max_position_embeddings": POSITIONS,
        },
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
    )
    model = transformers.Florence2ForConditionalGeneration(config)
    with torch.no_grad():
        # Not by the library's own initialisation, which differs from version to version.
        random = torch.Generator().manual_seed(SEED)
        for name, parameter in sorted(model.named_parameters()):
            parameter.copy_(torch.randn(parameter.shape, generator=random) * 0.1)
            if parameter.ndim == 1 and name.endswith("weight"):
                parameter.add_(1)
        _say_what_comes_next(model, tokenizer)
    settings = model.generation_config
    settings.forced_bos_token_id, settings.no_repeat_ngram_size = 0, 3
    # Settings that must not reach our decoding.
    settings.num_beams, settings.early_stopping, settings.repetition_penalty = 3, True, 1.5
    return model.eval()


def _say_what_comes_next(model: Any, tokenizer: Any) -> None:
    """Let the first channels of words, locations and end stand out where each is to be written."""
    vocabulary = tokenizer.get_vocab()
    locations = [vocabulary[f"<loc_{k}>"] for k in range(BINS)]
    language = model.model.language_model
    table = language.shared.weight
    table[:, :4] = 0
    table[[vocabulary[word] for word in WORDS], 0] = 4
    table[locations, 1] = 4
    table[tokenizer.eos_token_id, 2] = 4
    # Low locations in one direction, high ones in the other, so that corners are seldom swapped.
    table[locations, 3] = torch.linspace(-1, 1, BINS)
    for layer in language.decoder.layers:
        layer.encoder_attn.out_proj.weight.mul_(6)
    rows = language.decoder.embed_positions
    rows.weight[:, :4] = 0
    for answer in range(POSITIONS):
        row, place = rows.weight[answer + rows.offset], (answer - 1) % 9
        if place == 0:
            row[0], row[2] = 6, 6.5 * (answer > 1)
        else:
            row[1], row[3] = 6, -4 if place in (1, 2, 5, 6) else 4


def own_processor(folder: Path) -> Any:
    """transformers' own processor, with the settings of published checkpoints."""
    import transformers

    # From version 5 on, the plain class may be one that resizes with torchvision.
    kind = getattr(transformers, "CLIPImageProcessorPil", None) or transformers.CLIPImageProcessor
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    tokenizer.image_token = "<image>"
    tokenizer.image_token_id = tokenizer.convert_tokens_to_ids("<image>")
    images = kind.from_pretrained(folder)
    images.image_seq_length = IMAGE_TOKENS
    parsers = ("description_with_bboxes", "phrase_grounding", "description_with_bboxes_or_polygons")
    return transformers.Florence2Processor(
        images, tokenizer, post_processor_config={name: {} for name in parsers}
    )


@torch.no_grad()
def own_detections(folder: Path, image: np.ndarray, task: str, beams: int) -> Own:
    """transformers' own processor, `generate` and parser; boxes of labels that were asked for."""
    import transformers

    processor = own_processor(folder)
    model = transformers.Florence2ForConditionalGeneration.from_pretrained(folder).eval()
    model.generation_config.forced_eos_token_id = None
    boxes, labels = [], []
    tag = TASKS[task]
    for label in LABELS if task != "od" else ("",):
        inputs = processor(images=Image.fromarray(image), text=tag + label, return_tensors="pt")
        (written,) = model.generate(
            **inputs,
            num_beams=beams,
            early_stopping=beams > 1,
            repetition_penalty=1.0,
            max_new_tokens=MAX_NEW_TOKENS + 1,
        )
        # It rounds to whole pixels, so thousandths of pixels are asked for.
        size = (1000 * image.shape[1], 1000 * image.shape[0])
        text = processor.decode(written)
        found = processor.post_process_generation(text, task=tag, image_size=size)[tag]
        names = found["bboxes_labels"] if task == "open-vocabulary" else found["labels"]
        for box, name in zip(found["bboxes"], names, strict=True):
            right = name in LABELS if task == "od" else name == label
            if right and box[0] <= box[2] and box[1] <= box[3]:
                boxes.append([side / 1000 for side in box])
                labels.append(name)
    return Own(torch.tensor(boxes), torch.ones(len(boxes)), labels)


def load_checkpoint(folder: Path, device: str = "cpu", **options: Any) -> Detector:
    settings: dict[str, Any] = {"labels": LABELS, "max_new_tokens": MAX_NEW_TOKENS} | options
    return load(f"hf-florence-2:{folder}", device=device, **settings)


def _case(name: str, *, compared: bool = True, **options: Any) -> Case:
    task, beams = options.get("task", "open-vocabulary"), options.get("beams", 1)

    def own(folder: Path, image: np.ndarray) -> Own:
        return own_detections(folder, image, task, beams)

    return Case(
        f"hf-florence-2 {name}",
        save=lambda folder: write_checkpoint(folder) and None,
        load=lambda folder, device: load_checkpoint(folder, device, **options),
        needs=("transformers",),
        weights="model.safetensors",
        model=lambda detector: detector.checkpoint.model,
        own=(lambda folder, image: own_detections(folder, image, task, beams))
        if compared
        else None,
        reduction=Reduction(threshold=0.0),
        differentiable=options.get("scoring") == "likelihood",
    )


CASES = [
    _case("open-vocabulary", confidence="match"),
    _case("grounding", task="grounding", confidence="match"),
    _case("od", task="od", confidence="match"),
    _case("beams", task="od", beams=3, confidence="match"),
    _case("probability", compared=False),
    _case("likelihood", compared=False, scoring="likelihood"),
]

"""OWL-ViT, OWLv2 and OmDet-Turbo of transformers' own classes, tiny, random, as folders."""

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

LABELS = ("red circle", "dog", "Cat's hat")
WORDS = ("dog", "cat", "red", "circle", "hat", "photo", "of", "a")
TOKENS = {"owlvit": 16, "owlv2": 16, "omdet-turbo": 24}
SIDE = 64
QUERIES = 12
TEXT_SIZE = 16
# As published: OmDet-Turbo's mean is that of values up to 255, which its processor leaves so.
IMAGES: dict[str, dict[str, Any]] = {
    "owlvit": {"do_center_crop": False, "crop_size": {"height": SIDE, "width": SIDE}},
    "owlv2": {},
    "omdet-turbo": {
        "do_rescale": False,
        "do_pad": False,
        "image_mean": [123.675, 116.28, 103.53],
        "image_std": [58.395, 57.12, 57.375],
    },
}
PROCESSORS = {"owlvit": "OwlViT", "owlv2": "Owlv2", "omdet-turbo": "Detr"}


def write_tokenizer(folder: Path, limit: int) -> int:
    """CLIP's, with letters and a few words; returns how many tokens there are."""
    letters = [*string.ascii_lowercase, *string.digits, *".,'"]
    merges = []
    for word in WORDS:
        parts = [*word[:-1], f"{word[-1]}</w>"]
        while len(parts) > 1:
            merges.append(f"{parts[0]} {parts[1]}")
            parts = [parts[0] + parts[1], *parts[2:]]
    pieces = ["!", *letters, *(f"{letter}</w>" for letter in letters)]
    pieces += [merge.replace(" ", "") for merge in merges]
    # The model takes what it makes of the token with the highest id as the meaning of the text.
    pieces = [*dict.fromkeys(pieces), "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    text = "\n".join(["#version: 0.2", *dict.fromkeys(merges)])
    (folder / "merges.txt").write_text(text, encoding="utf-8")
    settings = {"tokenizer_class": "CLIPTokenizer", "model_max_length": limit, "pad_token": "!"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    return len(pieces)


def text_settings(words: int, limit: int) -> dict[str, Any]:
    return {
        "vocab_size": words,
        "hidden_size": 32,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "max_position_embeddings": limit,
        "pad_token_id": 0,
        "bos_token_id": words - 2,
        "eos_token_id": words - 1,
    }


def owl(family: str, words: int) -> Any:
    import transformers

    name = {"owlvit": "OwlViT", "owlv2": "Owlv2"}[family]
    vision = {
        "hidden_size": 32,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "image_size": SIDE,
        "patch_size": 16,
    }
    config = getattr(transformers, f"{name}Config")(
        text_config=text_settings(words, TOKENS[family]), vision_config=vision, projection_dim=32
    )
    return getattr(transformers, f"{name}ForObjectDetection")(config)


def omdet(words: int) -> Any:
    import transformers

    backbone = transformers.SwinConfig(
        image_size=SIDE,
        embed_dim=8,
        depths=[1, 1, 1, 1],
        num_heads=[1, 2, 2, 4],
        window_size=4,
        out_indices=[2, 3, 4],
    )
    config = transformers.OmDetTurboConfig(
        text_config={
            "model_type": "clip_text_model",
            **text_settings(words, TOKENS["omdet-turbo"]),
            # The library forgets a projection where it would not change the size.
            "hidden_size": TEXT_SIZE,
        },
        backbone_config=backbone,
        use_timm_backbone=False,
        backbone=None,
        apply_layernorm_after_vision_backbone=False,
        image_size=SIDE,
        num_queries=QUERIES,
        text_projection_in_dim=TEXT_SIZE,
        text_projection_out_dim=TEXT_SIZE,
        class_embed_dim=TEXT_SIZE,
        task_encoder_hidden_dim=32,
        encoder_hidden_dim=32,
        encoder_in_channels=[16, 32, 64],
        vision_features_channels=[32, 32, 32],
        encoder_attention_heads=2,
        encoder_dim_feedforward=32,
        decoder_hidden_dim=32,
        decoder_num_heads=2,
        decoder_num_layers=2,
        decoder_dim_feedforward=32,
    )
    return transformers.OmDetTurboForObjectDetection(config)


def write_checkpoint(folder: Path, family: str) -> Path:
    """Write model, tokenizer and image processor of a family."""
    import transformers

    words = write_tokenizer(folder, TOKENS[family])
    torch.manual_seed(0)
    model = omdet(words) if family == "omdet-turbo" else owl(family, words)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
            # Else many scores are 0 or 1, and boxes without a size.
            if "logit_" in name or "box_head" in name:
                parameter.mul_(0.1)
            # Else they do not overlap.
            if "decoder_bbox_head" in name and name.endswith("layers.2.bias"):
                parameter[2:] += 1.0
    model.eval().save_pretrained(folder)
    images = getattr(transformers, f"{PROCESSORS[family]}ImageProcessor")
    images(size={"height": SIDE, "width": SIDE}, **IMAGES[family]).save_pretrained(folder)
    return folder


def load_checkpoint(folder: Path, device: str) -> Detector:
    return load(f"hf-zero-shot:{folder}", labels=LABELS, device=device)


def own_processor(folder: Path, family: str) -> Any:
    """The library's own processor, whose images are resized by Pillow."""
    import transformers

    old = transformers.__version__ < "5"
    images = transformers.AutoImageProcessor.from_pretrained(
        folder, **({"use_fast": False} if old else {"backend": "pil"})
    )
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    name = "OmDetTurbo" if family == "omdet-turbo" else PROCESSORS[family]
    return getattr(transformers, f"{name}Processor")(image_processor=images, tokenizer=tokenizer)


@torch.no_grad()
def own_output(folder: Path, image: np.ndarray, family: str) -> tuple[Any, Any]:
    """transformers' own processor, and what the model makes of its inputs."""
    import transformers

    processor = own_processor(folder, family)
    model = transformers.AutoModelForZeroShotObjectDetection.from_pretrained(folder).eval()
    picture = Image.fromarray(image)
    if family == "omdet-turbo":
        inputs = processor(
            picture, text=list(LABELS), return_tensors="pt", max_length=TOKENS[family]
        )
    else:
        texts = [[f"a photo of a {label}" for label in LABELS]]
        inputs = processor(images=picture, text=texts, return_tensors="pt")
    return processor, model(**inputs)


def own_detections(folder: Path, image: np.ndarray, family: str) -> Own:
    """transformers' own processor, model and post-processing; of OmDet-Turbo without NMS."""
    processor, output = own_output(folder, image, family)
    every = {"nms_threshold": 1.0, "max_num_det": QUERIES * len(LABELS)}
    (found,) = processor.post_process_grounded_object_detection(
        output,
        threshold=0.0,
        target_sizes=[image.shape[:2]],
        text_labels=[list(LABELS)],
        **(every if family == "omdet-turbo" else {}),
    )
    return Own(found["boxes"], found["scores"], found["text_labels"])


CASES = [
    Case(
        f"hf-zero-shot {family}",
        save=lambda folder, family=family: write_checkpoint(folder, family),  # type: ignore[misc]
        load=load_checkpoint,
        needs=("transformers",),
        weights="model.safetensors",
        model=lambda detector: detector.checkpoint.model,
        own=lambda folder, image, family=family: own_detections(folder, image, family),  # type: ignore[misc]
        reduction=Reduction(multi_label=family == "omdet-turbo"),
        # OWLv2 mixes the last pixels of an image with its padding when it resizes both.
        sizes=((48, 64), (20, 64), (64, 22), (13, 13))
        if family == "owlv2"
        else ((48, 64), (40, 130), (130, 44), (13, 11)),
    )
    for family in TOKENS
]

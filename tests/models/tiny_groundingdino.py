"""A Grounding DINO of its authors' package, tiny and random: config, weights, BERT's files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np
import torch
from PIL import Image
from torch import nn

from detectors import load
from tests.models.tiny_grounding_dino import LABELS, MAX_TOKENS, write_vocabulary
from tests.models.zoo import Case, Own
from vps.core.detector import Detector

# What differs from the configs that the package ships.
SMALL = {
    "enc_layers": 1,
    "dec_layers": 2,
    "dim_feedforward": 32,
    "nheads": 4,
    "num_queries": 12,
    "use_checkpoint": False,
    "use_transformer_ckpt": False,
}
SIDES = (48, 64)
SWIN = {"embed_dim": 16, "depths": [1, 2, 1, 1], "num_heads": [1, 2, 2, 4], "window_size": 4}


def shipped_settings(name: str = "SwinT_OGC") -> dict[str, Any]:
    """The settings of a config that the package ships."""
    import groundingdino.config
    from groundingdino.util.slconfig import SLConfig

    (folder,) = groundingdino.config.__path__
    config = SLConfig.fromfile(f"{folder}/GroundingDINO_{name}.py")
    return dict(config._cfg_dict)


def bert_config() -> Any:
    import transformers

    return transformers.BertConfig(
        vocab_size=1030,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=MAX_TOKENS,
    )


@contextmanager
def tiny_swin() -> Iterator[None]:
    """Within the block the package builds a small Swin; a config cannot ask for one."""
    from groundingdino.models.GroundingDINO.backbone import backbone, swin_transformer

    def build(_: str, **options: Any) -> nn.Module:
        return swin_transformer.SwinTransformer(**SWIN, **options)

    with mock.patch.object(backbone, "build_swin_transformer", build):
        yield


def build_model(settings: dict[str, Any], tokenizer: Any, config: Any) -> Any:
    """A random model, built by the package's own functions around a random BERT."""
    import transformers
    from groundingdino.models import build_model
    from groundingdino.util import get_tokenlizer

    torch.manual_seed(0)
    given = {
        "get_tokenlizer": lambda _: tokenizer,
        "get_pretrained_language_model": lambda _: transformers.BertModel(config),
    }
    with mock.patch.multiple(get_tokenlizer, **given):
        return build_model(SimpleNamespace(**settings)).eval()


def vary(model: nn.Module) -> None:
    """Make scores and boxes differ from query to query, and text and image matter to each other."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            # Boxes of less than 1/1000 of the image are where transformers' model differs.
            scale = 0.02 if "bbox_embed" in name else 0.05
            parameter.add_(torch.randn_like(parameter) * scale)
        for layer in model.transformer.encoder.fusion_layers:
            layer.gamma_v.fill_(0.5)
            layer.gamma_l.fill_(0.5)


def write_checkpoint(folder: Path) -> None:
    """Write config.py, model.pth as published checkpoints are, and BERT's config and vocabulary."""
    import transformers

    settings = {**shipped_settings(), **SMALL}
    lines = [f"{name} = {value!r}\n" for name, value in settings.items()]
    (folder / "config.py").write_text("".join(lines), encoding="utf-8")
    bert_config().save_pretrained(folder / "bert")
    write_vocabulary(folder / "bert" / "vocab.txt")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder / "bert")
    with tiny_swin():
        model = build_model(settings, tokenizer, bert_config())
    vary(model)
    state = {f"module.{name}": value for name, value in model.state_dict().items()}
    state["module.label_enc.weight"] = torch.zeros(3, 4)
    state["module.bert.embeddings.position_ids"] = torch.arange(MAX_TOKENS)[None]
    torch.save({"model": state}, folder / "model.pth")


def load_checkpoint(folder: Path, device: str = "cpu", **options: Any) -> Detector:
    settings = {
        "labels": LABELS,
        "weights": str(folder / "model.pth"),
        "text_encoder": str(folder / "bert"),
        "min_size": SIDES[0],
        "max_size": SIDES[1],
        **options,
    }
    with tiny_swin():
        return load(f"groundingdino:{folder / 'config.py'}", device=device, **settings)


def own_model(folder: Path) -> Any:
    """As the package's own loader does it, but without weights of BERT and without pickles."""
    import transformers
    from groundingdino.util.misc import clean_state_dict
    from groundingdino.util.slconfig import SLConfig

    settings = SLConfig.fromfile(str(folder / "config.py"))._cfg_dict
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder / "bert")
    with tiny_swin():
        model = build_model(settings, tokenizer, bert_config())
    state = torch.load(folder / "model.pth", weights_only=True)["model"]
    model.load_state_dict(clean_state_dict(state), strict=False)
    return model


def own_pixels(image: np.ndarray) -> torch.Tensor:
    """(3, h, w), normalised: the package's own transform, to smaller sides."""
    import groundingdino.datasets.transforms as transforms

    transform = transforms.Compose(
        [
            transforms.RandomResize([SIDES[0]], max_size=SIDES[1]),
            transforms.ToTensor(),
            transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ]
    )
    return transform(Image.fromarray(image), None)[0]


def own_detections(folder: Path, image: np.ndarray) -> Own:
    """The package's own `predict`; tokens of a label by their place in the caption."""
    from groundingdino.util.inference import predict

    model = own_model(folder)
    caption = " . ".join(label.lower() for label in LABELS) + " ."
    outputs = []
    model.register_forward_hook(lambda _, __, output: outputs.append(output["pred_logits"][0]))
    boxes, _, _ = predict(model, own_pixels(image), caption, 0.0, 0.0, "cpu")
    offsets = model.tokenizer(caption, return_offsets_mapping=True)["offset_mapping"]
    columns = []
    for label in LABELS:
        start = caption.index(label.lower())
        end = start + len(label)
        span = [i for i, (a, b) in enumerate(offsets) if start <= a < b <= end]
        columns.append(outputs[0][:, span].sigmoid().amax(-1))
    # Not the scores of `predict`: in them, separators count as well.
    scores, best = torch.stack(columns, -1).max(-1)
    height, width = image.shape[:2]
    centre, sides = (boxes * torch.tensor([width, height] * 2)).split(2, -1)
    corners = torch.cat([centre - sides / 2, centre + sides / 2], -1)
    return Own(corners, scores, [LABELS[i] for i in best.tolist()])


# A name that no module has: the reason is shown, and the case skipped.
OLD = version("transformers").startswith("4.") if find_spec("transformers") else True
CASES = [
    Case(
        "groundingdino",
        save=write_checkpoint,
        load=load_checkpoint,
        needs=("groundingdino", *(() if OLD else ("transformers<5",))),
        weights="model.pth",
        model=lambda detector: detector.checkpoint.model,
        own=own_detections,
        # A narrower image gives this model fewer places than queries.
        sizes=((48, 64), (40, 80), (80, 40), (20, 16)),
    )
]

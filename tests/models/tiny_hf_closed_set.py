"""The closed-set detectors of transformers' own classes, tiny and random, as checkpoint folders."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from detectors import load
from tests.models.tiny_detr_configs import FAMILIES, ID2LABEL, LABELS
from tests.models.zoo import Case, Own
from vps.core.detector import Detector


def installed_version() -> int:
    """The major version of transformers, without importing it; of the oldest where it is not."""
    try:
        return int(importlib.metadata.version("transformers").split(".")[0])
    except importlib.metadata.PackageNotFoundError:
        return 4


def write_checkpoint(
    folder: Path, family: str, config: Any = None, processor: dict[str, Any] | None = None
) -> Path:
    """Write model and image processor of a family, or one with a configuration of its own."""
    import transformers
    from safetensors.torch import save_file

    kind = FAMILIES[family]
    config = config or kind.config()
    config.id2label = ID2LABEL
    torch.manual_seed(0)
    model = getattr(transformers, f"{family}ForObjectDetection")(config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            # Else all queries find about the same, whatever is in the image.
            scale = 1 if "quer" in name else 0.2 if parameter.ndim > 1 else 0.15
            parameter.add_(torch.randn_like(parameter) * scale)
    config.save_pretrained(folder)
    # Not model.save_pretrained: some relatives of DETR share weights that it refuses to share.
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    settings = {"size": kind.size, **(processor or {})}
    getattr(transformers, f"{kind.images}ImageProcessor")(**settings).save_pretrained(folder)
    return folder


def load_checkpoint(folder: Path, device: str) -> Detector:
    return load(f"hf-closed-set:{folder}", device=device)


def pillow_processor(folder: Path) -> Any:
    """The library's own image processor, as it is."""
    import transformers

    choice = {"use_fast": False} if installed_version() < 5 else {"backend": "pil"}
    return transformers.AutoImageProcessor.from_pretrained(folder, **choice)


@torch.no_grad()
def own_detections(folder: Path, image: np.ndarray) -> Own:
    """transformers' own processor, model and post-processing."""
    import transformers

    processor = pillow_processor(folder)
    model = transformers.AutoModelForObjectDetection.from_pretrained(folder).eval()
    inputs = processor(Image.fromarray(image), return_tensors="pt")
    (found,) = processor.post_process_object_detection(
        model(**inputs), threshold=0.0, target_sizes=[image.shape[:2]]
    )
    return Own(found["boxes"], found["scores"], [LABELS[i] for i in found["labels"].tolist()])


CASES = [
    Case(
        f"hf-closed-set {name}",
        save=lambda folder, name=name: write_checkpoint(folder, name),  # type: ignore[misc]
        # Its first stage is read without gradients.
        whole=name != "LwDetr",
        load=load_checkpoint,
        needs=("transformers",),
        weights="model.safetensors",
        model=lambda detector: detector.model,
        own=own_detections,
        reduction=family.reduction,
        # A random one makes much of the last digits.
        tolerance=1e-3 if name == "Deimv2" else 1e-4,
    )
    for name, family in FAMILIES.items()
    if family.since <= installed_version()
]

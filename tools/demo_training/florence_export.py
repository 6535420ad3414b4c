"""From a checkpoint of the demo Florence-2 to the folder that ships."""

from __future__ import annotations

from pathlib import Path

from tools.demo_training.export import load_average
from tools.demo_training.florence_model import build_model, build_processor, build_tokenizer


def export_florence(checkpoint: Path, folder: Path) -> int:
    """Write the running average of a checkpoint's weights as a Hugging Face model folder.

    Returns:
        The step of the checkpoint.
    """
    tokenizer = build_tokenizer(checkpoint.parent / "tokenizer")
    model = build_model(tokenizer)
    step = load_average(model, checkpoint, prefix="module.model.")
    model.half().save_pretrained(folder, safe_serialization=True)
    build_processor(tokenizer).save_pretrained(folder)
    return step

"""From a checkpoint to what ships: weights in half precision, tokenizer, processor, model card."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import nn
from transformers import GroundingDinoProcessor

from tools.demo_training.model import build_model, build_processor, build_tokenizer
from tools.demo_training.recipe import Recipe


def export(checkpoint: Path, folder: Path) -> None:
    """Write the running average of a checkpoint's weights as a Hugging Face model folder."""
    tokenizer = build_tokenizer(checkpoint.parent / "tokenizer")
    model = build_model(len(tokenizer))
    load_average(model, checkpoint)
    model.half().save_pretrained(folder, safe_serialization=True)
    GroundingDinoProcessor(build_processor(), tokenizer).save_pretrained(folder)


def load_average(model: nn.Module, checkpoint: Path, prefix: str = "module.") -> int:
    """Load the running average of the weights; returns the step of the checkpoint.

    Args:
        model: gets the weights.
        checkpoint: of `tools.demo_training.trainer.train`.
        prefix: of the weights' names there; others are left out.
    """
    state = torch.load(checkpoint, weights_only=True)
    average = state["average"]
    model.load_state_dict(
        {name.removeprefix(prefix): v for name, v in average.items() if name.startswith(prefix)}
    )
    return int(state["step"])


def write_card(
    folder: Path, recipe: Recipe, facts: Mapping[str, Any], table: Mapping[str, str]
) -> None:
    """The model card (README.md) and the same numbers as metrics.json.

    Args:
        folder: of the exported model.
        recipe: what the card says of such a model.
        facts: how it was trained: command, seed, steps, time, machine.
        table: what it reached, measure by measure, ready to print.
    """
    size = sum(path.stat().st_size for path in folder.glob("*.safetensors")) / 1e6
    recorded = {
        **facts,
        "weights": f"{size:.1f} MB, float16 safetensors",
        "software": f"Python {platform.python_version()}, torch {torch.__version__}, "
        f"transformers {transformers.__version__}",
    }
    lines = [
        f"# demo-{recipe.folder.name.replace('_', '-')}",
        "",
        *recipe.about,
        "",
        "## How it was made",
        "",
        *_rows(("", ""), recorded),
        "",
        "## What it reaches on held-out scenes",
        "",
        *_rows(("measure", "value"), table),
        "",
        *recipe.notes,
        "",
    ]
    (folder / "README.md").write_text("\n".join(lines), encoding="utf-8")
    (folder / "metrics.json").write_text(json.dumps({**recorded, **table}, indent=1) + "\n")


def _rows(head: tuple[str, str], values: Mapping[str, Any]) -> list[str]:
    return [
        f"| {head[0]} | {head[1]} |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in values.items()),
    ]

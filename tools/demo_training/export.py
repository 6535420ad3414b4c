"""From a checkpoint to what ships: weights in half precision, tokenizer, processor, model card."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import GroundingDinoForObjectDetection, GroundingDinoProcessor

from tools.demo_training.model import build_model, build_processor, build_tokenizer

_PREFIX = "module."


def export(checkpoint: Path, folder: Path) -> None:
    """Write the running average of a checkpoint's weights as a Hugging Face model folder."""
    tokenizer = build_tokenizer(checkpoint.parent / "tokenizer")
    model = build_model(len(tokenizer))
    load_average(model, checkpoint)
    model.half().save_pretrained(folder, safe_serialization=True)
    GroundingDinoProcessor(build_processor(), tokenizer).save_pretrained(folder)


def load_average(model: GroundingDinoForObjectDetection, checkpoint: Path) -> int:
    """Load the running average of the weights; returns the step of the checkpoint."""
    state = torch.load(checkpoint, weights_only=True)
    average = state["average"]
    model.load_state_dict(
        {name.removeprefix(_PREFIX): v for name, v in average.items() if name.startswith(_PREFIX)}
    )
    return int(state["step"])


def write_card(folder: Path, facts: Mapping[str, Any], table: Mapping[str, str]) -> None:
    """The model card (README.md) and the same numbers as metrics.json.

    Args:
        folder: of the exported model.
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
        "# demo-grounding-dino",
        "",
        "A small Grounding DINO (`GroundingDinoForObjectDetection` of transformers, ConvNeXt",
        "backbone, two-layer BERT, vocabulary of its own) trained from scratch on the synthetic",
        "scenes of `vps.data.scenes`. It knows those scenes and nothing else. It is there so that",
        "`vps` can be tried, tested and measured without a network; it makes mistakes, and those",
        "are to be explained too.",
        "",
        "## How it was made",
        "",
        *_rows(("", ""), recorded),
        "",
        "## What it reaches on held-out scenes",
        "",
        *_rows(("measure", "value"), table),
        "",
        "Drawn from a seed that training never saw. AP by pycocotools. *Flips*: of the wheels and",
        "buoys called right, the share that is called ball or plate once the bar or the waves are",
        "gone, either never drawn or painted over with the fill colour of the engine.",
        "*Expressions*: the best box for the phrase has IoU 0.5 or more with the object meant.",
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

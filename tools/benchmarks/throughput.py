"""Passes a second of published architectures with random weights, by batch and precision."""

from __future__ import annotations

import argparse
import statistics
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from detectors import load
from tools.benchmarks.florence import random_base
from tools.benchmarks.overhead import seconds_of
from vps.core.names import choose

IMAGE = (800, 1333)
LABELS = ("circle", "wheel", "plate")
TOKENS = 48  # that Florence-2 writes; those of about eight objects
DTYPES = ("float32", "bfloat16")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the user may set."""
    parser.add_argument("--models", nargs="+", default=list(MODELS), metavar="NAME")
    parser.add_argument("--dtypes", nargs="+", choices=DTYPES, default=list(DTYPES))
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[1, 2, 4, 8, 16, 32, 64])
    parser.add_argument("--runs", type=int, default=3, help="of which the median is shown")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")


def run(arguments: argparse.Namespace) -> None:
    """Print a row for each model, precision and batch, and what the precision changes."""
    for name in arguments.models:
        choose(MODELS, name, "model")
    print(
        f"{arguments.device}, image {IMAGE[0]} x {IMAGE[1]}, {torch.get_num_threads()} thread(s), "
        f"median of {arguments.runs} runs"
    )
    for name in arguments.models:
        answers = {}
        for dtype in arguments.dtypes:
            detector = MODELS[name](arguments.device, dtype)
            image = np.random.default_rng(0).integers(0, 256, (*IMAGE, 3), dtype=np.uint8)
            pixels = detector.prepare(image)
            answers[dtype] = detector.detect(pixels[None], IMAGE).scores.float()
            print(f"\n{name}, {dtype}\n{'batch':>6} {'ms/pass':>9} {'passes/s':>9} {'GiB':>6}")
            for size in arguments.batch_sizes:
                print(_row(detector, pixels, size, arguments.runs), flush=True)
        if len(answers) == len(DTYPES) and len({one.shape for one in answers.values()}) == 1:
            worst = (answers["float32"] - answers["bfloat16"]).abs().max()
            print(f"largest difference of a score between the precisions: {float(worst):.2g}")


def _row(detector: Any, pixels: Tensor, size: int, runs: int) -> str:
    batch = pixels.expand(size, *pixels.shape).contiguous()
    cuda = pixels.is_cuda
    if cuda:
        torch.cuda.reset_peak_memory_stats()
    try:
        # The first warms up.
        with torch.inference_mode():
            seconds = [
                seconds_of(lambda: detector.detect(batch, IMAGE), pixels.device.type)
                for _ in range(runs + 1)
            ]
    except torch.OutOfMemoryError:
        return f"{size:6d} does not fit"
    one = statistics.median(seconds[1:]) / size
    memory = f"{torch.cuda.max_memory_allocated() / 2**30:6.1f}" if cuda else f"{'':>6}"
    return f"{size:6d} {1000 * one:9.2f} {1 / one:9.1f} {memory}"


def grounding_dino_tiny(device: str, dtype: str) -> Any:
    """Grounding DINO with Swin-T: transformers' own defaults are its architecture."""
    from transformers import GroundingDinoConfig, GroundingDinoForObjectDetection

    from detectors.grounding_dino.text_cache import CachedText

    detector: Any = load("demo-grounding-dino", labels=LABELS, device=device, dtype=dtype)
    torch.manual_seed(0)
    model = GroundingDinoForObjectDetection(GroundingDinoConfig()).eval().requires_grad_(False)
    model.model.text_backbone = CachedText(model.model.text_backbone)
    old = detector.checkpoint
    sizes = {"shortest_edge": IMAGE[0], "longest_edge": IMAGE[1]}
    images = replace(old.images, size=sizes)
    checkpoint = replace(old, model=model.to(old.device), images=images)
    return type(detector)(checkpoint, LABELS, name="grounding-dino-tiny", options=detector.options)


def florence_2_base(device: str, dtype: str) -> Any:
    """Florence-2 of the size of its base checkpoint, which writes answers of `TOKENS` tokens."""
    detector: Any = load("demo-florence-2", labels=LABELS, device=device, dtype=dtype)
    torch.manual_seed(0)
    checkpoint = random_base(detector.checkpoint)
    checkpoint.model.to(detector.checkpoint.model.dtype)
    settings = replace(detector.settings, max_new_tokens=TOKENS)
    return type(detector)(checkpoint, LABELS, settings, name="florence-2-base")


MODELS = {"grounding-dino-tiny": grounding_dino_tiny, "florence-2-base": florence_2_base}

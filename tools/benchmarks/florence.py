"""What it costs to score a target by likelihood, over writing an answer, with Florence-2."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
import torch

from detectors import load
from tools.benchmarks.cases import Case, cases_found, open_data
from vps.core.detector import Detector, PromptedDetector
from vps.core.regions import make_regions
from vps.engine.passes import Passes
from vps.errors import InputError

SCORINGS = ("generate", "likelihood")
BASE_SIDE = 768
BASE_WORDS = 51328


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the user may set."""
    parser.add_argument("--detector", default="demo-florence-2")
    parser.add_argument("--task", default="open-vocabulary")
    parser.add_argument("--data", default="scenes:960", help="COCO folder, or scenes:SEED")
    parser.add_argument("--split", default="val2017", help="of a COCO folder (default: val2017)")
    parser.add_argument("--cases", type=int, default=5, help="how many (default: 5)")
    parser.add_argument("--masks", type=int, default=16, help="of each case (default: 16)")
    parser.add_argument("--runs", type=int, default=5, help="of which the median is shown")
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--beams", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument(
        "--random-base",
        type=int,
        metavar="TOKENS",
        help="put random weights of the size of Florence-2-base in the detector's place, which "
        "write answers of so many tokens",
    )


def run(arguments: argparse.Namespace) -> None:
    """Score the same targets in the same masked images both ways; print costs and their ratio."""
    samples, labels = open_data(arguments.data, arguments.split)
    options = {"task": arguments.task, "device": arguments.device, "beams": arguments.beams}
    detectors: list[Any] = [
        load(arguments.detector, labels=labels, scoring=scoring, **options) for scoring in SCORINGS
    ]
    cases = list(islice(cases_found(detectors[0], samples), arguments.cases))
    if not cases:
        raise InputError(f"{arguments.detector} finds no object of {arguments.data} right")
    if arguments.random_base:
        checkpoint = random_base(detectors[0].checkpoint)
        for number, detector in enumerate(detectors):
            settings = replace(detector.settings, max_new_tokens=arguments.random_base)
            detectors[number] = type(detector)(checkpoint, labels, settings, name="random base")
    rows = []
    for number in range(arguments.runs + 1):
        costs = [_cost(detector, cases, arguments) for detector in detectors]
        # The first run warms up.
        rows += [costs] if number else []
    print(
        f"{detectors[0].name}, {arguments.device}, {torch.get_num_threads()} thread(s), "
        f"{len(cases)} cases with {arguments.masks} masks, batches of {arguments.batch_size}, "
        f"{arguments.beams} beam(s), median of {arguments.runs} runs"
    )
    print(f"{'scoring':>12} {'ms/image':>9} {'decoder passes/batch':>21}")
    table = np.array(rows)
    for scoring, (seconds, passes) in zip(SCORINGS, np.median(table, axis=0), strict=True):
        print(f"{scoring:>12} {1000 * seconds:9.1f} {passes:21.1f}")
    time_ratio, pass_ratio = np.median(table[:, 0] / table[:, 1], axis=0)
    print(f"ratio: {time_ratio:.1f} by time, {pass_ratio:.1f} by decoder passes")


def random_base(checkpoint: Any) -> Any:
    """A checkpoint of random weights and the size of Florence-2-base that never ends an answer."""
    from transformers import Florence2Config, Florence2ForConditionalGeneration

    config = Florence2Config(
        vision_config={"projection_dim": 768},
        text_config={
            "model_type": "bart",
            "vocab_size": BASE_WORDS,
            "d_model": 768,
            "encoder_layers": 6,
            "decoder_layers": 6,
            "encoder_attention_heads": 12,
            "decoder_attention_heads": 12,
            "encoder_ffn_dim": 3072,
            "decoder_ffn_dim": 3072,
            "max_position_embeddings": 1024,
        },
    )
    model = Florence2ForConditionalGeneration(config).eval().requires_grad_(False)
    # No weight speaks for the last token more than for any other.
    last = BASE_WORDS - 1
    images = replace(checkpoint.images, size={"height": BASE_SIDE, "width": BASE_SIDE})
    return replace(checkpoint, model=model.to(checkpoint.device), images=images, end=last, ngram=0)


def _cost(
    detector: Detector, cases: list[Case], arguments: argparse.Namespace
) -> tuple[float, float]:
    """Seconds an image and passes of the decoder a batch."""
    rng = np.random.default_rng(0)
    seconds, images, batches, calls = 0.0, 0, 0, 0
    for case in cases:
        size = (case.image.shape[0], case.image.shape[1])
        assert isinstance(detector, PromptedDetector)
        asked = detector.narrowed((case.target.label,))
        pixels = asked.prepare(case.image)
        regions = make_regions(pixels, 16, "grid")
        # Likelihoods look at the whole image here: once, however many passes follow.
        passes = Passes(
            asked, pixels, size, regions, [case.target], batch_size=arguments.batch_size
        )
        keep = rng.random((arguments.masks, regions.count)) < 0.5
        with counted(detector) as passed:
            start = time.perf_counter()
            passes.evaluate(keep)
            seconds += time.perf_counter() - start
        calls += len(passed)
        images += passes.passes
        batches += -(-passes.passes // arguments.batch_size)
    return seconds / images, calls / batches


@contextmanager
def counted(detector: Any) -> Iterator[list[int]]:
    """Within the block, the list grows by one for each pass of the decoder."""
    calls: list[int] = []
    decoder = detector.checkpoint.model.model.language_model.decoder
    handle = decoder.register_forward_pre_hook(lambda *_: calls.append(1))
    try:
        yield calls
    finally:
        handle.remove()

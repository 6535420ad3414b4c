"""How the demo Florence-2 is made: in one stage, the encoder helped by a head of its own."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

import torch

from detectors import load
from tools.demo_training.evaluate import HELD_OUT_SEED, average_precision, measure, presence
from tools.demo_training.florence_batches import Writer, draw_florence_batch
from tools.demo_training.florence_export import export_florence
from tools.demo_training.florence_loss import Pupil, florence_loss
from tools.demo_training.florence_model import build_model, build_tokenizer
from tools.demo_training.pool import build_pool, square_size
from tools.demo_training.recipe import ROOT, Recipe
from tools.demo_training.trainer import Schedule, join, train
from vps.core.detector import OpenVocabularyDetector
from vps.data.scenes.layouts import CATEGORIES


def _draw(arguments: argparse.Namespace) -> None:
    build_pool(
        arguments.work / "pool",
        seed=arguments.seed,
        start=0,
        stop=arguments.scenes,
        workers=arguments.processes,
        resized=square_size,
    )


def train_detector(rank: int, arguments: argparse.Namespace) -> None:
    """The whole model."""
    join(rank, arguments.processes, arguments.rendezvous)
    torch.manual_seed(arguments.seed)
    tokenizer = build_tokenizer(arguments.work / "tokenizer")
    writer = Writer(tokenizer)
    pupil = Pupil(build_model(tokenizer), writer.first_location)
    torch.manual_seed(arguments.seed + rank)  # each process shakes locations in its own way
    schedule = Schedule(arguments.detector_steps, arguments.detector_batch, 1.5e-3, arguments.seed)
    train(
        pupil,
        lambda pixels, batch: florence_loss(pupil, pixels, batch),
        [{"params": list(pupil.parameters()), "lr": schedule.rate}],
        schedule,
        draw=lambda buckets, size, rng, shape: draw_florence_batch(buckets, size, writer, rng),
        pool=arguments.work / "pool",
        checkpoint=arguments.work / "detector.pt",
    )


def _measure(folder: Path, count: int) -> Mapping[str, str]:
    """Classes by <OD> and by open-vocabulary detection, expressions by phrase grounding."""
    lister, grounder, asked = (
        _load(folder, task) for task in ("od", "grounding", "open-vocabulary")
    )
    scenes = {"seed": HELD_OUT_SEED, "count": count}
    table = measure(lister, **scenes, grounder=grounder)
    for name, value in average_precision(asked, **scenes).items():
        table[f"{name}, asked for"] = f"{value:.3f}"
    return table | presence(asked, **scenes)


def _load(folder: Path, task: str) -> OpenVocabularyDetector:
    detector = load(f"hf-florence-2:{folder}", labels=CATEGORIES, task=task)
    assert isinstance(detector, OpenVocabularyDetector)
    return detector


RECIPE = Recipe(
    folder=ROOT / "detectors" / "demo" / "florence_2",
    defaults={
        "work": ROOT / "out" / "demo_florence_2",
        "scenes": 30_000,
        "detector_batch": 8,
        "detector_steps": 9000,
    },
    draw=_draw,
    training={"detector": train_detector},
    export=export_florence,
    measure=_measure,
    about=(
        "A small Florence-2 (`Florence2ForConditionalGeneration` of transformers: DaViT vision",
        "tower, BART encoder and decoder of three layers each, tokenizer of its own) trained from",
        "scratch on the synthetic scenes of `vps.data.scenes`. It knows three tasks, `<OD>`,",
        "`<OPEN_VOCABULARY_DETECTION>` and `<CAPTION_TO_PHRASE_GROUNDING>`, those scenes, and",
        "nothing else. Asked for what is not there it learned to answer nothing, so that the",
        "probability of a label tells whether it is there. It exists so that `vps` can be tried,",
        "tested and measured without a network; it makes mistakes, and those are to be explained",
        "too.",
    ),
    notes=(
        "Drawn from a seed that training never saw; greedy decoding; the score of a box is the",
        "probability of its label's tokens. AP by pycocotools, of `<OD>`, and so are the flips and",
        "the mistakes; *asked for*: of `<OPEN_VOCABULARY_DETECTION>`, one prompt a category.",
        "*Flips*: of the wheels and buoys called right, the share that is called ball or plate",
        "once the bar or the waves are gone, either never drawn or painted over with the fill",
        "colour of the engine. *Expressions*: the best box for the phrase, by",
        "`<CAPTION_TO_PHRASE_GROUNDING>`, has IoU 0.5 or more with the object meant; no box is",
        "wrong. *Presence*, *absence*: `<OPEN_VOCABULARY_DETECTION>`, asked for one of the ten",
        "categories, answers with a box, or with nothing.",
    ),
)

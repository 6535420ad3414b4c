"""How the demo Grounding DINO is made: first its backbone alone, then the whole detector."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

import torch
from transformers import GroundingDinoForObjectDetection

from detectors import load
from tools.demo_training.backbone import DenseHead, dense_loss
from tools.demo_training.batches import Prompts, draw_batch
from tools.demo_training.evaluate import HELD_OUT_SEED, measure
from tools.demo_training.export import export
from tools.demo_training.losses import detection_loss
from tools.demo_training.model import build_model, build_tokenizer
from tools.demo_training.pool import build_pool
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
    )


def train_backbone(rank: int, arguments: argparse.Namespace) -> None:
    """The backbone with a dense head that is thrown away."""
    join(rank, arguments.processes, arguments.rendezvous)
    prompts, model = _fresh(arguments)
    backbone = model.model.backbone.conv_encoder.model
    head = DenseHead(backbone, backbone.channels)
    schedule = Schedule(arguments.backbone_steps, arguments.backbone_batch, 2e-3, arguments.seed)
    train(
        head,
        lambda pixels, batch: dense_loss(head, pixels, batch),
        [{"params": list(head.parameters()), "lr": schedule.rate}],
        schedule,
        draw=lambda buckets, size, rng, shape: draw_batch(buckets, size, prompts, rng, shape),
        pool=arguments.work / "pool",
        checkpoint=arguments.work / "backbone.pt",
    )


def train_detector(rank: int, arguments: argparse.Namespace) -> None:
    """The whole detector, its backbone more slowly."""
    join(rank, arguments.processes, arguments.rendezvous)
    prompts, model = _fresh(arguments)
    state = torch.load(arguments.work / "backbone.pt", weights_only=True)["average"]
    prefix = "module.backbone."
    backbone = model.model.backbone.conv_encoder.model
    backbone.load_state_dict(
        {
            name.removeprefix(prefix): value
            for name, value in state.items()
            if name.startswith(prefix)
        }
    )
    schedule = Schedule(
        arguments.detector_steps, arguments.detector_batch, 1e-3, arguments.seed + 1
    )
    pretrained = list(backbone.parameters())
    known = {id(parameter) for parameter in pretrained}
    fresh = [parameter for parameter in model.parameters() if id(parameter) not in known]
    train(
        model,
        lambda pixels, batch: detection_loss(model, pixels, batch),
        [
            {"params": fresh, "lr": schedule.rate},
            {"params": pretrained, "lr": schedule.rate * 0.3},
        ],
        schedule,
        draw=lambda buckets, size, rng, shape: draw_batch(buckets, size, prompts, rng, shape),
        pool=arguments.work / "pool",
        checkpoint=arguments.work / "detector.pt",
    )


def _fresh(arguments: argparse.Namespace) -> tuple[Prompts, GroundingDinoForObjectDetection]:
    torch.manual_seed(arguments.seed)
    tokenizer = build_tokenizer(arguments.work / "tokenizer")
    return Prompts(tokenizer), build_model(len(tokenizer))


def _measure(folder: Path, count: int) -> Mapping[str, str]:
    detector = load(f"hf-grounding-dino:{folder}", labels=CATEGORIES)
    assert isinstance(detector, OpenVocabularyDetector)
    return measure(detector, seed=HELD_OUT_SEED, count=count)


RECIPE = Recipe(
    folder=ROOT / "detectors" / "demo" / "grounding_dino",
    defaults={
        "work": ROOT / "out" / "demo_training",
        "scenes": 40_000,
        "backbone_batch": 24,
        "backbone_steps": 2200,
        "detector_batch": 16,
        "detector_steps": 7000,
    },
    draw=_draw,
    training={"backbone": train_backbone, "detector": train_detector},
    export=export,
    measure=_measure,
    about=(
        "A small Grounding DINO (`GroundingDinoForObjectDetection` of transformers, ConvNeXt",
        "backbone, two-layer BERT, vocabulary of its own) trained from scratch on the synthetic",
        "scenes of `vps.data.scenes`. It knows those scenes and nothing else. It is there so that",
        "`vps` can be tried, tested and measured without a network; it makes mistakes, and those",
        "are to be explained too.",
    ),
    notes=(
        "Drawn from a seed that training never saw. AP by pycocotools. *Flips*: of the wheels and",
        "buoys called right, the share that is called ball or plate once the bar or the waves are",
        "gone, either never drawn or painted over with the fill colour of the engine.",
        "*Expressions*: the best box for the phrase has IoU 0.5 or more with the object meant.",
    ),
)

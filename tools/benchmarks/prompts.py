"""What splitting labels over several prompts does to the scores, and what narrowing saves."""

from __future__ import annotations

import argparse
from itertools import islice

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from detectors import load_for
from detectors.grounding_dino.hf import HFGroundingDino
from detectors.shared.prompts import build_prompts
from tools.benchmarks.cases import Case, cases_found, open_data
from vps.core.boxes import iou
from vps.core.candidates import Candidates
from vps.core.scoring import best_candidates
from vps.errors import InputError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the user may set."""
    parser.add_argument("--detector", default="demo-grounding-dino", help="a Grounding DINO")
    parser.add_argument("--data", default="scenes:960", help="COCO folder, or scenes:SEED")
    parser.add_argument("--split", default="val2017", help="of a COCO folder (default: val2017)")
    parser.add_argument("--objects", type=int, default=100, help="how many (default: 100)")
    parser.add_argument(
        "--tokens", type=int, nargs="+", default=[12, 6, 4], help="the most tokens of a prompt"
    )


def run(arguments: argparse.Namespace) -> None:
    """Score objects by prompts of several lengths, and print a table.

    Change is against the undivided prompt; "by narrowing" is the largest change of a score when
    only the target's prompt is asked.
    """
    samples, labels = open_data(arguments.data, arguments.split)
    whole = load_for(arguments.detector, labels)
    if not isinstance(whole, HFGroundingDino):
        raise InputError(f"{arguments.detector} is no Grounding DINO of transformers")
    tokenizer = whole.checkpoint.tokenizer
    ways = [whole] + [
        HFGroundingDino(
            whole.checkpoint,
            labels,
            name=whole.name,
            prompts=build_prompts(labels, tokenizer, tokens),
        )
        for tokens in arguments.tokens
    ]
    scores, called, errors = [], [], []
    cases = islice(cases_found(whole, samples), arguments.objects)
    for case in tqdm(cases, total=arguments.objects, disable=None):
        told = [_score(detector, case) for detector in ways]
        scores.append([score for score, _ in told])
        called.append([label == case.target.label for _, label in told])
        errors.append([_narrowing_error(detector, case) for detector in ways])
    if not scores:
        raise InputError(f"{whole.name} finds no object of {arguments.data}")
    table, right, narrowed = np.array(scores), np.array(called), np.array(errors)
    change = np.abs(table - table[:, :1])
    print(f"{whole.name}, {len(labels)} labels, {len(scores)} objects that it finds right")
    print("| prompts | labels of each | mean score | mean change | same label | by narrowing |")
    print("|---|---|---|---|---|---|")
    for column, detector in enumerate(ways):
        sizes = [len(set(prompt.columns)) - 1 for prompt in detector.prompts]
        cells = [
            str(len(sizes)),
            f"{min(sizes)} to {max(sizes)}",
            f"{table[:, column].mean():.3f}",
            f"{change[:, column].mean():.3f}",
            f"{right[:, column].mean():.2f}",
            f"{narrowed[:, column].max():.0e}",
        ]
        print(f"| {' | '.join(cells)} |")


@torch.no_grad()
def _detections(detector: HFGroundingDino, case: Case) -> Candidates:
    pixels = detector.prepare(case.image)[None]
    return detector.detect(pixels, (case.image.shape[0], case.image.shape[1]))


def _score(detector: HFGroundingDino, case: Case) -> tuple[float, str]:
    """s of the target, and the label with the highest score at its box."""
    found = _detections(detector, case)
    box = torch.tensor(case.target.box)
    best = best_candidates(found, box, found.column(case.target.label), "object")
    near = iou(found.boxes[0], box[None])[:, 0] >= 0.5
    highest: Tensor = (found.scores[0] * near[:, None]).amax(dim=0)
    return float(best.score[0]), found.labels[int(highest.argmax())]


def _narrowing_error(detector: HFGroundingDino, case: Case) -> float:
    """By how much s of the target changes when only its own prompt is asked."""
    narrow = detector.narrowed((case.target.label,))
    return abs(_score(narrow, case)[0] - _score(detector, case)[0])

"""Whether `detect` shows what an answer calls repaired, on failures of a COCO data set."""

from __future__ import annotations

import argparse
import warnings
from typing import NamedTuple

import numpy as np
import torch

from detectors import load
from tools.benchmarks.failure_cases import add_failure_arguments, failures_of
from vps.core.boxes import overlap
from vps.core.detect import Detection, visible
from vps.core.masking import make_fill
from vps.core.scoring import CLASS_MODE_IOU
from vps.core.targets import Kind
from vps.engine.problem import Problem
from vps.explaining.failure import explain_failure
from vps.results.answer import Answer


class Row(NamedTuple):
    """One failure.

    Attributes:
        passes: that the answer took.
        repaired: a set was found whose hiding repairs it.
        seen: `detect` shows so on the image with it hidden.
        holds: under all fills that were tried.
        beside: nothing of it lies in the object's box.
    """

    passes: int
    repaired: bool
    seen: bool
    holds: bool
    beside: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the user may set."""
    add_failure_arguments(parser)
    parser.add_argument("--budget", type=int, default=1600, help="passes for all (default: 1600)")
    parser.add_argument("--set-passes", type=int, default=400, help="for a set (default: 400)")


def run(arguments: argparse.Namespace) -> None:
    """Answer the failures and print one row a kind."""
    detector = load(arguments.detector)
    kinds = (Kind.MISSED, Kind.CLASSIFICATION, Kind.BACKGROUND)
    rows: dict[Kind, list[Row]] = {kind: [] for kind in kinds}
    for kind, problem in failures_of(detector, arguments, kinds):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            answer = explain_failure(
                problem,
                threshold=arguments.threshold,
                set_passes=arguments.set_passes,
                search="path_search",
                budget=arguments.budget,
            )
        answer.stopped.raise_again()
        rows[kind].append(judged(answer, problem))
    print(f"{detector.name}, {arguments.regions} regions, threshold {arguments.threshold:g}")
    print(f"{'kind':>14} {'cases':>6} {'repaired':>9} {'seen':>5} {'all fills':>10} ", end="")
    print(f"{'beside':>7} {'passes':>7}")
    for kind, found in rows.items():
        mended = [row for row in found if row.repaired]
        told = [sum(getattr(row, name) for row in mended) for name in ("seen", "holds", "beside")]
        print(
            f"{kind.value:>14} {len(found):6d} {len(mended):9d} {told[0]:5d} {told[1]:10d} "
            f"{told[2]:7d} {np.mean([row.passes for row in found] or [0]):7.0f}"
        )


def judged(answer: Answer, problem: Problem) -> Row:
    """What becomes of a failure, by looking at the image with the repair hidden."""
    repair = answer.repair
    if repair is None:
        return Row(answer.passes, False, False, False, False)
    hidden = np.isin(problem.regions.label_map, list(repair.regions))
    fill = make_fill(problem.fill, problem.pixels).expand_as(problem.pixels)
    pixels = torch.where(torch.from_numpy(hidden).to(fill.device), fill, problem.pixels)
    with torch.no_grad():
        found = problem.detector.detect(pixels[None], problem.size)
    shown = visible(found, 0, answer.threshold)
    seen = is_repaired_for(answer, shown)
    return Row(answer.passes, True, seen, repair.holds(), repair.inside == 0)


def is_repaired_for(answer: Answer, shown: list[Detection]) -> bool:
    """Whether a user who sees these detections would call the failure gone."""
    target = answer.target
    there = [one for one in shown if overlap(one.box, target.box) > CLASS_MODE_IOU]
    own = any(one.label == target.label for one in there)
    if answer.kind.traits.false_box:
        return not own
    if answer.kind is Kind.MISSED:
        return own
    return bool(there) and max(there, key=lambda one: one.score).label == target.label

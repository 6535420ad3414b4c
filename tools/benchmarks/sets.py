"""Passes until a repair of a failure is found, and the one that is answered, by search."""

from __future__ import annotations

import argparse
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from detectors import load
from vps.core.targets import Kind
from vps.data.cases.select import select_cases
from vps.data.cases.selection import Selection
from vps.data.readers.coco import read_coco
from vps.engine.budget import Budget
from vps.engine.passes import Passes
from vps.engine.problem import make_problem
from vps.methods.search.vps import VPS
from vps.sets.goals import Goal, repaired, with_rival
from vps.sets.hiding import least_hidden

KINDS = (Kind.MISSED, Kind.CLASSIFICATION)
"""Of false boxes, hiding any region does."""


class Row(NamedTuple):
    """One repair.

    Attributes:
        first: the pass that showed the first set whose hiding repairs the failure.
        last: the one that showed the smallest.
        regions: how many it hides.
        area: their share of the image.
    """

    first: int
    last: int
    regions: int
    area: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the user may set."""
    parser.add_argument("annotations", help="of COCO, e.g. instances_val2017.json")
    parser.add_argument("images", help="the folder of its images")
    parser.add_argument("--detector", required=True, help="see `vps detectors`")
    parser.add_argument("--search", nargs="+", default=["path_search", "sampled_search"])
    parser.add_argument("--per-kind", type=int, default=16, help="failures (default: 16)")
    parser.add_argument("--regions", type=int, default=49)
    parser.add_argument("--passes", type=int, default=800, help="for a repair (default: 800)")
    parser.add_argument("--threshold", type=float, default=0.3)
    parser.add_argument("--batch-size", type=int, default=8)


def run(arguments: argparse.Namespace) -> None:
    """Repair the failures by each search and print one row a kind and search."""
    data = read_coco(arguments.annotations, arguments.images)
    detector = load(arguments.detector)
    selection = Selection(
        kinds=KINDS, per_kind=arguments.per_kind, score_threshold=arguments.threshold
    )
    rows: dict[tuple[Kind, str], list[Row | None]] = {}
    for case in tqdm(select_cases(detector, data, selection).cases, disable=None):
        problem = make_problem(
            detector,
            data.find(case.image_id).image,
            with_rival(case.target),
            regions=arguments.regions,
            batch_size=arguments.batch_size,
        )
        goal = repaired(problem.targets, arguments.threshold)
        for search in arguments.search:
            source = problem.passes()
            budget = Budget(passes=arguments.passes).started()
            VPS(search).look_for_repair(problem, source, goal, budget, seed=0)
            rows.setdefault((case.kind, search), []).append(measured(source, goal))
    print(f"{detector.name}, {arguments.regions} regions, {arguments.passes} passes; medians")
    print(f"{'kind':>14} {'search':>15} {'repaired':>9} {'first':>6} {'answer':>7} ", end="")
    print(f"{'regions':>8} {'area':>6}")
    for (kind, search), found in rows.items():
        done = [row for row in found if row is not None]
        first, last, regions, area = np.median(done, axis=0) if done else [np.nan] * 4
        print(
            f"{kind.value:>14} {search:>15} {len(done):4d}/{len(found):<4d} {first:6.0f} "
            f"{last:7.0f} {regions:8.1f} {area:6.1%}"
        )


def measured(source: Passes, goal: Goal) -> Row | None:
    """What the passes of a source, in their order, tell; None where no set attains the goal."""
    members = least_hidden(source, goal)
    if members is None:
        return None
    hidden = ~source.subsets
    first = int(np.argmax(goal(source.seen)[0]))
    last = int(np.argmax((hidden == members).all(axis=1)))
    area = float(source.regions.areas[members].sum())
    return Row(first + 1, last + 1, int(members.sum()), area)

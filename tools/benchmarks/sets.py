"""Passes until a repair of a failure is found, and the one that is answered, by search."""

from __future__ import annotations

import argparse
from typing import NamedTuple

import numpy as np

from detectors import load
from tools.benchmarks.failure_cases import add_failure_arguments, failures_of
from vps.core.targets import Kind
from vps.engine.budget import Budget
from vps.engine.passes import Passes
from vps.methods.search.vps import VPS
from vps.sets.goals import Goal, repaired
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
    add_failure_arguments(parser)
    parser.add_argument("--search", nargs="+", default=["path_search", "sampled_search"])
    parser.add_argument("--passes", type=int, default=800, help="for a repair (default: 800)")


def run(arguments: argparse.Namespace) -> None:
    """Repair the failures by each search and print one row a kind and search."""
    detector = load(arguments.detector)
    rows: dict[tuple[Kind, str], list[Row | None]] = {}
    for kind, problem in failures_of(detector, arguments, KINDS):
        goal = repaired(problem.targets, arguments.threshold)
        for search in arguments.search:
            source = problem.passes()
            budget = Budget(passes=arguments.passes).started()
            VPS(search).look_for_repair(problem, source, goal, budget, seed=0)
            rows.setdefault((kind, search), []).append(measured(source, goal))
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

"""Whether a planted cause of a failure is what the search says to hide."""

from __future__ import annotations

import argparse
import math
import statistics
import time
import warnings
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from detectors import load
from tools.benchmarks.planting import CLEARLY, PATCHES, Planted, cues, distractors
from vps.core.detector import Detector
from vps.data.scenes.layouts import CATEGORIES
from vps.engine.attribution import region_sums
from vps.engine.curves import prefixes
from vps.engine.passes import Passes
from vps.engine.problem import make_problem
from vps.explaining.failure import explain_failure
from vps.results.answer import Answer
from vps.search.settings import EFFORTS
from vps.sets.goals import Goal, repaired, with_rival

_OWN = 0.05  # the share of an object's pixels that what is hidden of its cause may hold

_COLUMNS = {
    "named": ".0%",
    "area": ".1%",
    "chance": ".0%",
    "random": ".0%",
    "its area": ".1%",
    "alone": ".1%",
    "elsewhere": ".0%",
    "passes": ".0f",
}


class Row(NamedTuple):
    """A repairable case, in the order of the columns that are printed.

    Attributes:
        named: a region planted for at least half is in the smallest set to hide.
        area: of that set, as a share of the image; 1 where none was found.
        chance: that as many regions, drawn at random, hold one.
        random_named, random_area: the same of the shortest prefix of random orders that repairs
            the case, with as many passes; where none does, nothing is named and the area is 1.
        alone: the share of regions whose hiding alone repairs it.
        elsewhere: whether one of them is planted for less than half.
        passes: of the explanation.
    """

    named: bool
    area: float
    chance: float
    random_named: bool
    random_area: float
    alone: float
    elsewhere: bool
    passes: int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the user may set."""
    parser.add_argument("--detector", default="demo-grounding-dino")
    parser.add_argument("--distractors", type=int, default=24, help="cases (default: 24)")
    parser.add_argument("--cues", type=int, default=12, help="cases (default: 12)")
    parser.add_argument("--regions", type=int, default=64)
    parser.add_argument("--effort", choices=EFFORTS, default="fast", help="(default: fast)")
    parser.add_argument("--set-passes", type=int, default=300, help="for a set (default: 300)")
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--threshold", type=float, default=0.3)
    parser.add_argument("--seed", type=int, default=2970, help="of the scenes (default: 2970)")


def run(arguments: argparse.Namespace) -> None:
    """Explain failures with a planted cause; print a row for each thing planted."""
    start = time.perf_counter()
    detector = load(arguments.detector, labels=CATEGORIES)
    print(_header(detector.name, arguments))
    print(f"{'planted':>14} {'cases':>6} {'repairable':>10} ", end="")
    print(" ".join(f"{name:>9}" for name in _COLUMNS))
    for name, cases, wanted in (
        ("distractor", distractors, arguments.distractors),
        ("cue", cues, arguments.cues),
    ):
        if wanted < 1:
            continue
        found = cases(detector, arguments.seed, wanted, arguments.threshold)
        rows: dict[str, list[Row | None]] = {}
        for case in tqdm(found, total=wanted, disable=None):
            rows.setdefault(case.name, []).append(_row(detector, case, arguments))
        for planted, some in rows.items():
            _print(planted, some)
        _print(f"any {name}", [row for some in rows.values() for row in some])
    print(f"{time.perf_counter() - start:.0f} s")


def _header(name: str, arguments: argparse.Namespace) -> str:
    at = arguments.threshold
    return f"""{name}, scenes {arguments.seed}, about {arguments.regions} regions, \
effort {arguments.effort}, {arguments.set_passes} passes a set
distractor: bar, waves or block painted beside an object, which scores >= {CLEARLY:g} before and
    <= {at / 2:g} after, and stays lost under up to {PATCHES} grey squares elsewhere, one at a time;
    asked is what to hide so that it is found at {at:g}
cue: drawn with a ball or plate, which is found and lost likewise and becomes a wheel or buoy;
    asked is what to hide so that the ball or plate wins (to ask what a wheel needs against a
    ball, for its cue to be removed, is the same question)
repairable: hiding the regions that are planted for at least half, but for those with more than
    {_OWN:.0%} of the object, repairs the case; only these cases count in what follows
named: a region that is planted for at least half is in the smallest set to hide, of this area
chance: the same for as many regions drawn at random
random: the same for the shortest prefix of random orders that repairs, with as many passes
alone: the share of regions whose hiding alone repairs; elsewhere: cases where one of them is
    planted for less than half"""


def _print(name: str, rows: list[Row | None]) -> None:
    left = [row for row in rows if row is not None]
    print(f"{name:>14} {len(rows):6d} {len(left):10d} ", end="")
    columns = zip(*left, strict=True)
    means = zip(_COLUMNS.values(), (statistics.mean(column) for column in columns), strict=False)
    print(" ".join(f"{mean:9{form}}" for form, mean in means), flush=True)


def _row(detector: Detector, case: Planted, arguments: argparse.Namespace) -> Row | None:
    """None where hiding what is planted does not repair the case."""
    problem = make_problem(
        detector,
        case.image,
        with_rival(case.target),
        regions=arguments.regions,
        batch_size=arguments.batch_size,
    )
    goal = repaired(problem.targets, arguments.threshold)
    planted, clear = _planted(problem.regions.label_map, case)
    if not len(clear) or not _repairs(problem.passes(), goal, [clear])[0]:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        answer = explain_failure(
            problem,
            threshold=arguments.threshold,
            set_passes=arguments.set_passes,
            effort=arguments.effort,
        )
    return _judged(answer, planted, problem.passes(), goal)


def _planted(labels: np.ndarray, case: Planted) -> tuple[np.ndarray, np.ndarray]:
    """The regions that are planted for at least half, and those of them clear of the object."""
    sizes = region_sums(np.ones_like(case.cause), labels)
    planted = np.flatnonzero(2 * region_sums(case.cause, labels) >= sizes)
    own = region_sums(case.item.mask, labels) / case.item.mask.sum()
    return planted, planted[own[planted] <= _OWN]


def _judged(answer: Answer, planted: np.ndarray, source: Passes, goal: Goal) -> Row:
    """What becomes of a repairable case.

    Args:
        answer: of the search.
        planted: (c,) the regions to name.
        source: without a pass yet: those of random orders are counted.
        goal: its repair.
    """
    count = source.regions.count
    hidden = answer.repair.regions if answer.repair is not None else ()
    missed = math.comb(count - len(planted), len(hidden)) / math.comb(count, len(hidden))
    prefix = _random(source, goal, answer.passes)
    alone = _repairs(source, goal, np.arange(count)[:, None])
    return Row(
        named=bool(np.isin(hidden, planted).any()),
        area=answer.repair.area if answer.repair is not None else 1.0,
        chance=1 - missed,
        random_named=prefix is not None and bool(prefix[planted].any()),
        random_area=1.0 if prefix is None else float(source.regions.areas[prefix].sum()),
        alone=float(alone.mean()),
        elsewhere=bool(np.delete(alone, planted).any()),
        passes=answer.passes,
    )


def _repairs(source: Passes, goal: Goal, sets: list[np.ndarray] | np.ndarray) -> np.ndarray:
    """(K,) bool: whether hiding each of K sets of regions repairs the case."""
    shown = np.ones((len(sets), source.regions.count), bool)
    for row, regions in zip(shown, sets, strict=True):
        row[regions] = False
    return goal(source.evaluate(shown))[0]


def _random(source: Passes, goal: Goal, passes: int) -> np.ndarray | None:
    """(m,) bool: the shortest prefix of random orders whose hiding does it; None if none does."""
    rng, count = np.random.default_rng(0), source.regions.count
    best: np.ndarray | None = None
    while source.passes + count <= passes:
        members = prefixes(rng.permutation(count))
        ok, _ = goal(source.evaluate(~members))
        first = members[np.argmax(ok)]
        if ok.any() and (best is None or first.sum() < best.sum()):
            best = first
    return best

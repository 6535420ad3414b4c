"""D-RISE's sum of masks divided by how much of each pixel they showed, or by its expectation.

Both maps are made of the same masks. Two independent sets of masks tell how well each repeats.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import get_args

import numpy as np
from scipy.stats import spearmanr
from torch import Tensor
from tqdm import tqdm

from detectors import load_for
from tools.benchmarks.cases import Case, cases_found, open_data
from vps.core.detector import Detector
from vps.core.files import write_atomically
from vps.engine.attribution import region_means
from vps.engine.budget import Budget
from vps.engine.curve_values import auc
from vps.engine.curves import replay
from vps.engine.objective import Objective
from vps.engine.passes import Passes
from vps.engine.problem import Problem, make_problem
from vps.errors import InputError
from vps.methods.control.box import BoxPrior
from vps.methods.perturbation.drise import DRISE
from vps.methods.perturbation.masked import MaskedPasses
from vps.methods.perturbation.masks import MaskSums, Normalisation, random_masks
from vps.metrics.aggregate import mean_interval, paired

SEEDS = (0, 1)
WAYS: tuple[Normalisation, ...] = get_args(Normalisation)
MEASURES = {"repeats": True, "insertion": True, "deletion": False}
"""What is told of each map, and whether higher is better."""

Values = dict[str, dict[str, float]]
"""By what was divided by, or "box" for the control: the measures."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the user may set."""
    parser.add_argument("--detector", default="onnx:configs/yolox_nano.yaml")
    parser.add_argument("--data", required=True, help="COCO folder, or scenes:SEED to draw scenes")
    parser.add_argument("--split", default="val2017", help="of a COCO folder (default: val2017)")
    parser.add_argument("--objects", type=int, default=24, help="one an image (default: 24)")
    parser.add_argument("--masks", type=int, default=1000, help="of each set (default: 1000)")
    parser.add_argument("--regions", type=int, default=64)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument(
        "--out", type=Path, default=Path("out/masks"), help="keeps what was measured, to go on"
    )


def run(arguments: argparse.Namespace) -> None:
    """Measure each case, unless its record is there, and print a table."""
    samples, labels = open_data(arguments.data, arguments.split)
    detector = load_for(arguments.detector, labels)
    cases = list(islice(cases_found(detector, samples, per_image=1), arguments.objects))
    if not cases:
        raise InputError(f"{detector.name} is right on none of the objects of {arguments.data}")
    data = Path(arguments.data).name.replace(":", "-")
    folder = arguments.out / f"{detector.name}_{data}_{arguments.regions}"
    records = []
    for case in tqdm(cases, "objects", disable=None):
        path = folder / f"{case.key}_{arguments.masks}.json"
        if not path.exists():
            values = _measured(detector, case, arguments, folder)
            write_atomically(path, json.dumps(values, indent=1).encode())
        records.append(json.loads(path.read_text()))
    print(f"{detector.name}, {len(cases)} objects of {arguments.data}, {arguments.masks} masks")
    _print_table(records, [case.key for case in cases])


def _measured(
    detector: Detector, case: Case, arguments: argparse.Namespace, folder: Path
) -> Values:
    """The measures of both maps of a case, and of the box; means over both sets of masks."""
    problem = make_problem(
        detector,
        case.image,
        [case.target],
        regions=arguments.regions,
        batch_size=arguments.batch_size,
    )
    sets = []
    for seed in SEEDS:
        kept = folder / f"{case.key}_seed{seed}.npy"
        weights = weights_of(problem, seed, arguments.masks, kept)
        sets.append(_maps(problem, seed, weights))
    source = problem.passes()
    box = BoxPrior().attribute(problem).maps
    assert box is not None  # it gives maps
    values: Values = {"box": _aucs(source, box[0])}
    for way in WAYS:
        pair = [maps[way] for maps in sets]
        both = [_aucs(source, one) for one in pair]
        means = [region_means(one, problem.regions.label_map) for one in pair]
        values[way] = {name: float(np.mean([one[name] for one in both])) for name in both[0]}
        # A constant map, of masks through which nothing is found, agrees with none.
        told = all(np.ptp(one) > 0 for one in means)
        values[way]["repeats"] = float(spearmanr(*means).statistic) if told else 0.0
    return values


def weights_of(problem: Problem, seed: int, count: int, path: Path) -> np.ndarray:
    """(count,) D-RISE's similarities through its first masks; a file keeps them, to go on from.

    Each mask depends on the seed and its number alone.
    """
    known = np.load(path, allow_pickle=False) if path.exists() else np.zeros(0)
    if len(known) < count:
        start = len(known)

        def masks(numbers: range) -> Tensor:
            return _masks(problem, seed, range(numbers.start + start, numbers.stop + start))

        asked = MaskedPasses(problem, "D-RISE", Budget(), count - start)
        known = np.concatenate([known, asked.weights(masks)[:, 0].numpy()])
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, known, allow_pickle=False)
    return known[:count]


def _masks(problem: Problem, seed: int, numbers: range) -> Tensor:
    usual = DRISE()
    height, width = problem.pixels.shape[1:]
    return random_masks(numbers, (height, width), grid=usual.grid, p=usual.p, seed=seed)


def _maps(problem: Problem, seed: int, weights: np.ndarray) -> dict[Normalisation, np.ndarray]:
    """(h, w) by what the sum is divided by."""
    height, width = problem.pixels.shape[1:]
    sums = MaskSums(1, (height, width))
    for start in range(0, len(weights), 64):
        numbers = range(start, min(start + 64, len(weights)))
        batch = weights[numbers.start : numbers.stop]
        masks = _masks(problem, seed, numbers)
        sums.add(masks, masks.new_tensor(batch)[:, None])
    return {way: sums.maps(way, DRISE().p)[0].numpy() for way in WAYS}


def _aucs(source: Passes, values: np.ndarray) -> dict[str, float]:
    """Insertion and deletion along the regions by their mean in a map (h, w)."""
    order = np.argsort(-region_means(values, source.regions.label_map), kind="stable")
    curves = replay(Objective(source), order)
    return {
        "insertion": auc(curves.areas, curves.insertion),
        "deletion": auc(curves.areas, curves.deletion),
    }


def _print_table(records: Sequence[Values], keys: Sequence[str]) -> None:
    """Means with 95 % intervals, and what the first way has over the others case by case."""
    print("| divided by | " + " | ".join(MEASURES) + " |\n|" + "---|" * (len(MEASURES) + 1))
    rows = ("box", *reversed(WAYS))
    for way in rows:
        cells = []
        for name in MEASURES:
            if name not in records[0][way]:
                cells.append("")
                continue
            mean = mean_interval([record[way][name] for record in records], keys)
            cells.append(f"{mean.mean:.3f} ({mean.low:.3f} to {mean.high:.3f})")
        print(f"| {way} | " + " | ".join(cells) + " |")
    for other in rows[:-1]:
        cells = []
        for name, higher in MEASURES.items():
            if name not in records[0][other]:
                cells.append("")
                continue
            columns = [[record[way][name] for record in records] for way in (rows[-1], other)]
            found = paired(columns[0], columns[1], keys, higher_is_better=higher)
            counts = f"{found.wins} better, {found.losses} worse"
            interval = f"({found.low:+.3f} to {found.high:+.3f})"
            cells.append(f"{found.difference:+.3f} {interval}, {counts}")
        print(f"| {rows[-1]} - {other} | " + " | ".join(cells) + " |")

"""Insertion and deletion of searches on the objects of a COCO folder that a detector finds."""

from __future__ import annotations

import argparse
import math
import statistics
from itertools import islice
from pathlib import Path

from tqdm import tqdm

from detectors import load_for
from tools.benchmarks.cases import cases_found, open_data
from vps.errors import InputError
from vps.explaining.explain import explain
from vps.report.figures.explanation import save_figure
from vps.results.explanation import Explanation


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the user may set."""
    parser.add_argument("--data", type=Path, required=True, help="COCO folder: val2017/ and so on")
    parser.add_argument("--split", default="val2017", help="name of the split (default: val2017)")
    parser.add_argument("--detector", default="onnx:configs/yolox_nano.yaml")
    parser.add_argument("--search", nargs="+", default=["greedy", "random"])
    parser.add_argument("--objects", type=int, default=20, help="how many (default: 20)")
    parser.add_argument("--regions", type=int, default=64)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--threshold", type=float, default=0.3, help="lowest score of a case")
    parser.add_argument("--out", type=Path, default=Path("out/faithfulness"))
    parser.add_argument("--pictures", type=int, default=0, help="draw the first so many cases")


def run(arguments: argparse.Namespace) -> None:
    """Explain each case with each search and print one row a search."""
    samples, labels = open_data(str(arguments.data), arguments.split)
    detector = load_for(arguments.detector, labels)
    found = cases_found(detector, samples, threshold=arguments.threshold)
    cases = list(islice(found, arguments.objects))
    if not cases:
        raise InputError(f"{detector.name} finds none of the objects of {arguments.data}")
    print(f"{detector.name}, {len(cases)} objects of {arguments.data}, {arguments.regions} regions")
    print(f"{'search':>10} {'insertion AUC':>16} {'deletion AUC':>16} {'passes':>8} {'seconds':>8}")
    for search in arguments.search:
        results = []
        for number, case in enumerate(tqdm(cases, search, disable=None)):
            path = arguments.out / search / case.key
            explanation = explain(
                detector,
                case.image,
                case.target,
                regions=arguments.regions,
                search=search,
                batch_size=arguments.batch_size,
                image_name=str(case.image_id),
            )
            explanation.stopped.raise_again()
            explanation.save(path)
            results.append(explanation)
            if number < arguments.pictures:
                save_figure(explanation, case.image, path.with_suffix(".png"))
        print(_row(search, results))


def _row(search: str, results: list[Explanation]) -> str:
    insertion = _mean([result.insertion_auc for result in results])
    deletion = _mean([result.deletion_auc for result in results])
    passes = statistics.mean(result.passes for result in results)
    seconds = statistics.mean(result.seconds for result in results)
    return f"{search:>10} {insertion:>16} {deletion:>16} {passes:8.0f} {seconds:8.1f}"


def _mean(values: list[float]) -> str:
    """Mean and its standard error."""
    error = statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.nan
    return f"{statistics.mean(values):.3f} +- {error:.3f}"

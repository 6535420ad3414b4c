"""Several targets of an image explained together against one by one: cost and faithfulness."""

from __future__ import annotations

import argparse
from itertools import groupby, islice

import numpy as np
from tqdm import tqdm

from detectors import load_for
from tools.benchmarks.cases import cases_found, open_data
from vps.errors import InputError
from vps.explaining.explain import explain
from vps.results.explanation import Explanation
from vps.search.settings import passes_allowed


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the user may set."""
    parser.add_argument("--detector", default="onnx:configs/yolox_nano.yaml")
    parser.add_argument("--data", required=True, help="COCO folder, or scenes:SEED to draw scenes")
    parser.add_argument("--split", default="val2017", help="of a COCO folder (default: val2017)")
    parser.add_argument("--targets", type=int, default=5, help="of an image (default: 5)")
    parser.add_argument("--images", type=int, default=5, help="how many (default: 5)")
    parser.add_argument("--regions", type=int, default=64)
    parser.add_argument("--search", default="sampled_search")
    parser.add_argument("--effort", default="balanced")
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument(
        "--further",
        type=float,
        help="what each further target adds to the passes, as a share of the first's "
        "(default: as the effort has it)",
    )


def run(arguments: argparse.Namespace) -> None:
    """Explain the targets of each image both ways; print the ratios, together over one by one."""
    samples, labels = open_data(arguments.data, arguments.split)
    detector = load_for(arguments.detector, labels)
    found = cases_found(detector, samples, per_image=arguments.targets)
    images = (list(cases) for _, cases in groupby(found, key=lambda case: case.image_id))
    crowded = (cases for cases in images if len(cases) == arguments.targets)
    settings = {
        name: getattr(arguments, name) for name in ("regions", "search", "effort", "batch_size")
    }
    rows = []
    for cases in tqdm(islice(crowded, arguments.images), total=arguments.images, disable=None):
        image, targets = cases[0].image, [case.target for case in cases]
        alone = [explain(detector, image, target, **settings) for target in targets]
        allowed = {}
        if arguments.further is not None:
            one = passes_allowed(arguments.search, arguments.effort, None, len(alone[0].order))
            allowed = {"budget": round((one or 0) * (1 + arguments.further * (len(targets) - 1)))}
        together = explain(detector, image, targets=targets, **settings, **allowed)
        for result in (*alone, *together):
            result.stopped.raise_again()
        rows.append(
            (
                together[0].passes / np.mean([result.passes for result in alone]),
                together[0].seconds / np.mean([result.seconds for result in alone]),
                _worth(together) / _worth(alone),
            )
        )
    if not rows:
        raise InputError(
            f"no image of {arguments.data} has {arguments.targets} objects found right"
        )
    passes, seconds, worth = np.median(rows, axis=0)
    print(
        f"{detector.name}, {arguments.search}, {arguments.effort}, {len(rows)} images with "
        f"{arguments.targets} targets each; medians, together against one target alone\n"
        f"passes  {passes:.2f} x\nseconds {seconds:.2f} x\n"
        f"J       {worth:.3f} x what they reach one by one "
        f"({min(row[2] for row in rows):.3f} to {max(row[2] for row in rows):.3f})"
    )


def _worth(results: list[Explanation]) -> float:
    """Mean of insertion AUC - deletion AUC."""
    return float(np.mean([result.insertion_auc - result.deletion_auc for result in results]))

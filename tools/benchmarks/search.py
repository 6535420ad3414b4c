"""Searches against the paper's greedy: faithfulness by number of passes and rounds."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from detectors import load_for
from tools.benchmarks.cases import Case, cases_found, open_data
from tools.benchmarks.remembered import RememberedPasses
from tools.benchmarks.search_report import draw, print_table
from vps.core.detector import Detector
from vps.core.files import write_atomically
from vps.core.names import choose
from vps.core.numbers import Lambdas
from vps.core.regions import make_regions
from vps.data.sample import Id
from vps.engine.budget import Budget
from vps.engine.objective import Objective, check_lambdas
from vps.errors import InputError
from vps.search import SEARCHES
from vps.search.driver import run_searches
from vps.search.settings import BUDGETED, HOLDING

REFERENCE = "greedy"
USUAL = (1.0, 1.0)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the user may set."""
    parser.add_argument("--detector", default="onnx:configs/yolox_nano.yaml")
    parser.add_argument("--data", required=True, help="COCO folder, or scenes:SEED to draw scenes")
    parser.add_argument("--split", default="val2017", help="of a COCO folder (default: val2017)")
    parser.add_argument(
        "--images",
        default="all",
        choices=["all", "even", "odd"],
        help="every other image with a case, to tune on one half and report on the other",
    )
    parser.add_argument("--objects", type=int, default=60, help="how many (default: 60)")
    parser.add_argument("--regions", type=int, default=64)
    parser.add_argument("--search", nargs="+", default=["path_search", "top_k"])
    parser.add_argument(
        "--budgets",
        nargs="+",
        type=float,
        default=[0.1, 0.15, 0.2, 0.3],
        help="shares of greedy's m (m + 1) passes at which to read off each search",
    )
    parser.add_argument(
        "--lambdas",
        nargs="+",
        type=float,
        default=list(USUAL),
        metavar="L",
        help="two or three weights of F for the searches; the greedy beside them keeps 1 1",
    )
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--threshold", type=float, default=0.3, help="lowest score of a case")
    parser.add_argument("--jobs", type=int, default=1, help="processes (default: 1)")
    parser.add_argument("--out", type=Path, default=Path("out/search"), help="holds all results")


def run(arguments: argparse.Namespace) -> None:
    """Search each case by each strategy, unless its record is there; print a table, draw a plot."""
    for search in arguments.search:
        choose(SEARCHES, search, "search")
    check_lambdas(arguments.lambdas)
    searches = list(
        dict.fromkeys(
            [REFERENCE, *(one for name in arguments.search for one in _labels(name, arguments))]
        )
    )
    detector, cases = _cases(arguments)
    folder = arguments.out / _name(detector, arguments)
    todo = [
        (case.key, search)
        for case in cases
        for search in searches
        if not _is_done(_path(folder, search, case.key), _share(search, arguments))
    ]
    if todo and arguments.jobs > 1:
        with ProcessPoolExecutor(arguments.jobs, initializer=_start, initargs=(arguments,)) as pool:
            list(tqdm(pool.map(_work, todo), "searches", len(todo), disable=None))
    elif todo:
        _start(arguments)
        for job in tqdm(todo, "searches", disable=None):
            _work(job)
    records = {
        search: [json.loads(_path(folder, search, case.key).read_text()) for case in cases]
        for search in searches
    }
    images = len({case.image_id for case in cases})
    print(f"{detector.name}, {len(cases)} objects on {images} images of {arguments.data}")
    print_table(records, REFERENCE, arguments.budgets)
    print(f"plot: {draw(records, REFERENCE, folder / 'search.png')}")


_job: dict[str, Any] = {}
"""What a process needs for all its cases."""


def _start(arguments: argparse.Namespace) -> None:
    # Processes that each use all cores would only stand in each other's way.
    torch.set_num_threads(max(torch.get_num_threads() // arguments.jobs, 1))
    detector, cases = _cases(arguments)
    folder = arguments.out / _name(detector, arguments)
    _job.update(
        detector=detector,
        cases={case.key: case for case in cases},
        folder=folder,
        arguments=arguments,
    )


def _work(job: tuple[str, str]) -> None:
    """Search one case by one strategy and write its record."""
    key, search = job
    name, _, weights = search.partition("@")[0].partition(" ")
    lambdas: Any = tuple(map(float, weights.split(","))) if weights else USUAL
    record = search_case(
        _job["detector"],
        _job["cases"][key],
        name,
        _job["folder"] / "passes" / f"{key}.npz",
        lambdas=lambdas,
        regions=_job["arguments"].regions,
        share=_share(search, _job["arguments"]),
        batch_size=_job["arguments"].batch_size,
    )
    path = _path(_job["folder"], search, key)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, json.dumps(record).encode())


def _labels(search: str, arguments: argparse.Namespace) -> list[str]:
    """The name of a search and, where they are not the usual ones, what it weighs by.

    One that holds passes back for its end is run for each budget.
    """
    weights = ",".join(f"{weight:g}" for weight in arguments.lambdas)
    label = search if tuple(arguments.lambdas) == USUAL else f"{search} {weights}"
    if search not in HOLDING:
        return [label]
    return [f"{label}@{share:g}" for share in arguments.budgets]


def _share(label: str, arguments: argparse.Namespace) -> float:
    """Of greedy's passes, how much a search is allowed."""
    own = label.partition("@")[2]
    return float(own) if own else max(arguments.budgets)


def search_case(
    detector: Detector,
    case: Case,
    search: str,
    memory: Path,
    *,
    regions: int,
    share: float,
    batch_size: int,
    lambdas: Lambdas = USUAL,
) -> dict[str, Any]:
    """How a search fares on a case.

    A strategy that holds nothing back does not know its budget, so one run up to the largest tells
    all smaller ones. (Run with a smaller one, the last round would be cut, not left out: that can
    only be better.)

    Args:
        memory: a file of passes that were made before; none of them is made again, but each counts.

    Returns:
        The case, m, the order, and after each round: passes, rounds, insertion AUC, deletion AUC,
        seconds of the search's own, and whether the AUCs are of curves known throughout.
    """
    pixels = detector.prepare(case.image)
    cut = make_regions(pixels, regions)
    size = (case.image.shape[0], case.image.shape[1])
    source = RememberedPasses(
        memory, detector, pixels, size, cut, [case.target], batch_size=batch_size
    )
    objective = Objective(source, lambdas=lambdas)
    limited = search in BUDGETED
    passes = round(share * cut.count * (cut.count + 1)) if limited else None
    outcome = run_searches(SEARCHES[search], [objective], budget=Budget(passes))
    source.save()
    outcome.stopped.raise_again(outcome.error)
    return {
        "case": case.key,
        "image": case.image_id,
        "regions": cut.count,
        "share": share if limited else None,
        "order": outcome.orders[0].tolist(),
        "trace": [list(step) for step in outcome.trace],
    }


def _cases(arguments: argparse.Namespace) -> tuple[Detector, list[Case]]:
    """The detector and the first cases that it is right on."""
    samples, labels = open_data(arguments.data, arguments.split)
    detector = load_for(arguments.detector, labels)
    found = cases_found(detector, samples, threshold=arguments.threshold)
    cases = list(islice(_half(found, arguments.images), arguments.objects))
    if not cases:
        raise InputError(f"{detector.name} is right on none of the objects of {arguments.data}")
    return detector, cases


def _half(cases: Iterator[Case], images: str) -> Iterator[Case]:
    """The cases of every other image that has any."""
    numbers: dict[Id, int] = {}
    for case in cases:
        number = numbers.setdefault(case.image_id, len(numbers))
        if images == "all" or number % 2 == ("even", "odd").index(images):
            yield case


def _name(detector: Detector, arguments: argparse.Namespace) -> str:
    data = Path(arguments.data).name.replace(":", "-")
    return f"{detector.name}_{data}_{arguments.regions}"


def _is_done(path: Path, share: float) -> bool:
    """Whether there is a record of a search that was allowed as much."""
    if not path.exists():
        return False
    allowed = json.loads(path.read_text()).get("share")
    return allowed is None or allowed >= share


def _path(folder: Path, search: str, key: str) -> Path:
    return folder / search / f"{key}.json"

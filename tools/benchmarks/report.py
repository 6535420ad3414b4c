"""Memory and seconds of the report of a large study, whose results are made up."""

from __future__ import annotations

import argparse
import multiprocessing
import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from vps.core.schema import build
from vps.core.targets import Kind
from vps.data.cases.cases import Case, CaseList
from vps.errors import InputError
from vps.metrics import METRICS
from vps.study.config import StudyConfig
from vps.study.looks import list_path
from vps.study.plan import Task
from vps.study.store import Store, facts_of, identity

METHODS = ("vps", "drise", "box", "random")
PER_IMAGE = 3  # cases
LABELS = tuple(f"thing {number}" for number in range(80))
STEPS = 65


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the user may set."""
    parser.add_argument("--cases", type=int, default=5000, help="with 4 results each")
    parser.add_argument("--folder", help="where the study is made and kept (default: nowhere)")


def run(arguments: argparse.Namespace) -> None:
    """Print the memory above what the imports take, and the seconds."""
    if arguments.cases < 20:
        raise InputError(f"--cases must be at least 20, got {arguments.cases}")
    with tempfile.TemporaryDirectory() as name:
        out = Path(arguments.folder or name)
        if not (out / "config.yaml").exists():
            make_study(out, arguments.cases)
        # In a process of its own: what making it took does not count.
        context = multiprocessing.get_context("spawn")
        pipe, other = context.Pipe()
        process = context.Process(target=_report, args=(out, other))
        process.start()
        other.close()
        imported, peak, seconds, processor = pipe.recv()
        process.join()
    count = len(METHODS) * arguments.cases
    print(
        f"{count} results: {peak:.0f} MiB at the most, {peak - imported:.0f} above the imports; "
        f"{seconds:.0f} s, {processor:.0f} s of one core"
    )


def make_study(out: Path, cases: int) -> None:
    """Write config, list and results of a study to a folder."""
    content = {
        "name": "large",
        "out": str(out),
        "datasets": {"made_up": {"format": "coco", "annotations": "none.json", "images": "none"}},
        "detector": {"name": "none"},
        "methods": {name: {} for name in METHODS},
        "repair": {"passes": 400},
    }
    config: StudyConfig = build(StudyConfig, content)
    config.save(out / "config.yaml")
    rng = np.random.default_rng(0)
    lists = {"made_up": CaseList("made_up", "none", LABELS, {}, {}, tuple(_cases(cases, rng)))}
    lists["made_up"].save(list_path(config, "made_up"))
    store = Store(config, facts_of(lists))
    for case in lists["made_up"].cases:
        task = Task("made_up", case)
        for place, method in enumerate(METHODS):
            store.save_row(task, method, _row(store, task, method, place, rng))


def _cases(count: int, rng: np.random.Generator) -> Iterator[Case]:
    kinds = list(Kind)[:7]
    for number in range(count):
        x, y, width, height = (float(value) for value in rng.uniform(5, 300, 4))
        kind = kinds[number % len(kinds)]
        yield Case(
            image_id=number // PER_IMAGE,
            key=f"d{number % PER_IMAGE}",
            kind=kind,
            box=(x, y, x + width, y + height),
            label=LABELS[int(rng.integers(80) * rng.random())],
            predicted_label=LABELS[0] if kind is Kind.CLASSIFICATION else None,
            score=float(rng.random()),
            area=width * height,
        )


def _row(
    store: Store, task: Task, method: str, place: int, rng: np.random.Generator
) -> dict[str, Any]:
    areas = np.sort(np.r_[0, rng.random(STEPS - 2), 1])
    insertion = np.sort(rng.random(STEPS))
    deletion = insertion[::-1] / (2 + place)
    failure = task.case.kind.traits.failure
    metrics = {
        name: float(rng.random())
        for name, metric in METRICS.items()
        if failure or metric.tables != "repairs"
    }
    if failure:
        mended = bool(rng.random() < 0.5)
        metrics |= {"repaired": float(mended), "repair_area": float(rng.random() ** 2)}
        if not mended:
            del metrics["repair_area"]
    picture = store.path(task, method, ".jpg").relative_to(store.out).as_posix()
    return {
        **identity(task),
        "image_name": f"{task.case.image_id:012d}.jpg",
        "method": method,
        "digest": store.digest(task, method),
        "replay": "regions, mean",
        "metrics": metrics,
        "curves": {
            "areas": areas.tolist(),
            "insertion": insertion.tolist(),
            "deletion": deletion.tolist(),
        },
        "picture": picture,
        "warnings": ["the map is constant"] if rng.random() < 0.02 else [],
        "repair": None,
    }


def _report(out: Path, pipe: Any) -> None:
    # All that a report imports somewhere.
    import jinja2  # noqa: F401
    import pandas  # noqa: F401
    import tabulate  # noqa: F401
    import yaml  # noqa: F401
    from matplotlib.backends import backend_agg, backend_pdf  # noqa: F401

    from vps.study.study import report_study

    imported = _memory("VmRSS")
    start, processor = time.perf_counter(), time.process_time()
    report_study([out])
    seconds, processor = time.perf_counter() - start, time.process_time() - processor
    pipe.send((imported, _memory("VmHWM"), seconds, processor))


def _memory(field: str) -> float:
    """MiB of this process, as Linux tells it."""
    found = re.search(rf"^{field}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) / 1024

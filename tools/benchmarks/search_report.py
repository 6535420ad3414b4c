"""The table and the plot of `tools/benchmark.py search`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vps.metrics.aggregate import cluster_bootstrap
from vps.search.settings import BUDGETED

Records = Mapping[str, Sequence[Mapping[str, Any]]]
"""Search -> one record a case, as `tools.benchmarks.search.search_case` returns them."""

_SHARES = np.geomspace(0.06, 1, 30)  # of greedy's passes, where the plot has points
_TICKS = (0.01, 0.02, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5, 1)
_COLUMNS = (
    "search                 budget  passes  rounds  insertion  deletion  J ratio  95 % interval   "
    "median  10th pct  worst  own s"
)


@dataclass(frozen=True)
class Row:
    """A search at a budget, over cases; see `summarise`."""

    passes: float
    rounds: float
    insertion: float
    deletion: float
    ratio: float
    interval: tuple[float, float]
    median: float
    tenth: float
    worst: float
    seconds: float


def reached(record: Mapping[str, Any], share: float) -> tuple[float, ...] | None:
    """Passes, rounds, insertion AUC, deletion AUC, seconds at a share of greedy's passes.

    None where the search had no order yet whose curves are known throughout.
    """
    # A share is rounded to whole passes.
    allowed = share * record["regions"] * (record["regions"] + 1) + 0.5
    steps = [step for *step, measured in record["trace"] if measured and step[0] <= allowed]
    return tuple(steps[-1]) if steps else None


def summarise(records: Records, search: str, reference: str, share: float) -> Row | None:
    """Means over cases, and J = insertion AUC - deletion AUC against the reference search.

    The J ratio is that of the mean J, so that a case on which the reference finds next to nothing
    counts for little; its interval draws images with replacement. Median, 10th percentile and the
    worst are of the cases' own ratios.
    """
    found = [reached(record, share) for record in records[search]]
    if any(step is None for step in found):
        return None
    ours = np.array(found, float)
    theirs = np.array([reached(record, np.inf) for record in records[reference]], float)
    j, j_reference = ours[:, 2] - ours[:, 3], theirs[:, 2] - theirs[:, 3]
    greedy = np.array([record["regions"] * (record["regions"] + 1) for record in records[search]])
    ratios = j / j_reference
    return Row(
        passes=float((ours[:, 0] / greedy).mean()),
        rounds=float(ours[:, 1].mean()),
        insertion=float(ours[:, 2].mean()),
        deletion=float(ours[:, 3].mean()),
        ratio=float(j.mean() / j_reference.mean()),
        interval=cluster_bootstrap(
            [record["image"] for record in records[search]],
            lambda rows: float(j[rows].mean() / j_reference[rows].mean()),
        ),
        median=float(np.median(ratios)),
        tenth=float(np.quantile(ratios, 0.1)),
        worst=float(ratios.min()),
        seconds=float(ours[:, 4].mean()),
    )


def print_table(records: Records, reference: str, budgets: Sequence[float]) -> None:
    """One row a search and budget; searches that end by themselves get one."""
    print(_COLUMNS)
    for search in records:
        name, _, own = search.partition("@")
        limited = name.split()[0] in BUDGETED
        for share in [float(own)] if own else budgets if limited else [np.inf]:
            row = summarise(records, search, reference, share)
            budget = f"{share:6.0%}" if limited else "     -"
            if row is None:
                print(f"{name:22} {budget}  too small for a first order")
                continue
            print(
                f"{name:22} {budget}  {row.passes:6.1%}  {row.rounds:6.1f}  {row.insertion:9.3f}"
                f"  {row.deletion:8.3f}  {row.ratio:7.3f}  {row.interval[0]:5.3f} - "
                f"{row.interval[1]:5.3f}   {row.median:6.3f}  {row.tenth:8.3f}  {row.worst:5.2f}"
                f"  {row.seconds:5.2f}"
            )


def draw(records: Records, reference: str, path: Path) -> Path:
    """Plot the J ratio of each search against its passes, with the interval as a band."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4), layout="constrained")
    axes = figure.subplots()
    axes.axhline(1, color="0.5", linewidth=1, linestyle="--", label=reference)
    for search in records:
        if search == reference:
            continue
        own = search.partition("@")[2]
        shares = [float(own)] if own else _SHARES
        rows = [summarise(records, search, reference, share) for share in shares]
        points = [row for row in rows if row is not None]
        x = [row.passes for row in points]
        (line,) = axes.plot(x, [row.ratio for row in points], marker=".", label=search)
        axes.fill_between(
            x,
            [row.interval[0] for row in points],
            [row.interval[1] for row in points],
            color=line.get_color(),
            alpha=0.15,
            linewidth=0,
        )
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    ticks = [tick for tick in _TICKS if low <= tick <= high]
    axes.set_xticks(ticks, [f"{tick:.0%}" for tick in ticks])
    axes.minorticks_off()
    axes.set_xlabel("passes, share of greedy's")
    axes.set_ylabel("J ratio to greedy")
    axes.legend(loc="lower right")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)
    return path

"""The plot of repairs: how many failures go away when little of the image is hidden."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vps.metrics.aggregate import cluster_sums
from vps.metrics.repair import is_repaired, repair_rate
from vps.report.tables.plot_style import TEXT, add_legend_below, band, look_of, new_figure
from vps.report.tables.results import ResultRows, StudyResults, results_of
from vps.report.tables.rows import ReportSettings
from vps.report.tables.summary import ALL, split

_TICKS = (0, 1, 5, 10, 20, 50, 100)
_MOST = 5  # kinds that have a panel of their own, the most frequent ones
_AT_ONCE = 100  # points of a line, which bounds the memory
_STEPS = 200  # of a line, where the failures have more areas than can be told apart


def draw_repairs(
    rows: ResultRows, methods: Sequence[str], settings: ReportSettings
) -> Figure | None:
    """The repair rate of each method, for all failures and by kind, with pointwise bootstrap bands.

    Args:
        rows: of one data set, or their columns.
        methods: whose places say how their lines look.
        settings: of the bands.

    Returns:
        None where no repairs were looked for.
    """
    results = results_of(rows).only(
        "method", "kind", "image", "place", metrics=("repaired", "repair_area")
    )
    if "repaired" not in results.metric_names:
        return None
    results = results.at(results.metrics["repaired"].notna().to_numpy())
    kinds = split(results, "kind")
    sizes = {kind: _cases(own) for kind, own in kinds.items()}
    largest = [kind for kind, _ in Counter(sizes).most_common(_MOST)]
    groups = {kind: own for kind, own in kinds.items() if kind in largest}
    if len(kinds) > 1:
        groups = {ALL: results, **groups}
    columns = 2 if len(groups) == 4 else min(len(groups), 3)
    lines = -(-len(groups) // columns)
    figure, panels = new_figure(columns, 2.1, rows=lines, width=7.2 if columns > 1 else 4.6)
    for axes in panels[len(groups) :]:
        axes.set_axis_off()
    for place, (axes, (kind, own)) in enumerate(zip(panels, groups.items(), strict=False)):
        _draw_rates(axes, own, methods, settings)
        title = f"{kind.replace('_', ' ')}, n = {_cases(own)}"
        axes.set_title(title, loc="left", fontsize=TEXT + 0.5, fontweight="bold")
        if place % columns == 0:
            axes.set_ylabel("failures repaired (%)", fontsize=TEXT)
        if place + columns >= len(groups):
            axes.set_xlabel("image hidden, at most (%)", fontsize=TEXT)
    add_legend_below(figure, panels[0], length=2.2)
    return figure


def _cases(results: StudyResults) -> int:
    return int(results.facts["place"].nunique())


def _draw_rates(
    axes: Axes, results: StudyResults, methods: Sequence[str], settings: ReportSettings
) -> None:
    for number, method in enumerate(methods):
        own = results.where(method=method)
        if not len(own):
            continue
        areas = own.metrics.get("repair_area")
        known = np.full(len(own), np.nan) if areas is None else areas.to_numpy()
        # The rate changes nowhere else.
        shares = np.unique([0, 1, *known[np.isfinite(known)]])
        if len(shares) > _STEPS:
            shares = np.unique(np.quantile(shares, np.linspace(0, 1, _STEPS)))
        images = own.facts["image"].to_numpy()
        bands = [
            band(*cluster_sums(is_repaired(known, some), images), settings)
            for some in np.array_split(shares, -(-len(shares) // _AT_ONCE))
        ]
        low, high = np.concatenate(bands, axis=1)
        rate = repair_rate(known, shares)
        look = look_of(number)
        axes.step(100 * shares, 100 * rate, where="post", label=method, linewidth=1.5, **look)
        axes.fill_between(
            100 * shares,
            100 * low,
            100 * high,
            step="post",
            color=look["color"],
            alpha=0.14,
            linewidth=0,
        )
    # What matters is how often little is enough.
    axes.set_xscale("function", functions=(np.sqrt, np.square))
    axes.set(xlim=(0, 100), ylim=(0, 103), xticks=_TICKS)

"""The plot of repairs: how many failures go away when little of the image is hidden."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vps.metrics.repair import is_repaired, repair_rate
from vps.report.tables.plot_style import TEXT, add_legend_below, band, look_of, new_figure
from vps.report.tables.rows import ReportSettings, Row, case_of, cluster_of, value_of
from vps.report.tables.summary import ALL, split

_TICKS = (0, 1, 5, 10, 20, 50, 100)
_MOST = 5  # kinds that have a panel of their own, the most frequent ones


def draw_repairs(
    rows: Sequence[Row], methods: Sequence[str], settings: ReportSettings
) -> Figure | None:
    """The repair rate of each method, for all failures and by kind, with pointwise bootstrap bands.

    Args:
        rows: of one data set.
        methods: whose places say how their lines look.
        settings: of the bands.

    Returns:
        None where no repairs were looked for.
    """
    rows = [row for row in rows if value_of(row, "repaired") is not None]
    if not rows:
        return None
    kinds = split(rows, "kind")
    sizes = {kind: len({case_of(row) for row in own}) for kind, own in kinds.items()}
    largest = [kind for kind, _ in Counter(sizes).most_common(_MOST)]
    groups = {kind: own for kind, own in kinds.items() if kind in largest}
    if len(kinds) > 1:
        groups = {ALL: rows, **groups}
    columns = 2 if len(groups) == 4 else min(len(groups), 3)
    lines = -(-len(groups) // columns)
    figure, panels = new_figure(columns, 2.1, rows=lines, width=7.2 if columns > 1 else 4.6)
    for axes in panels[len(groups) :]:
        axes.set_axis_off()
    for place, (axes, (kind, own)) in enumerate(zip(panels, groups.items(), strict=False)):
        _draw_rates(axes, own, methods, settings)
        count = len({case_of(row) for row in own})
        title = f"{kind.replace('_', ' ')}, n = {count}"
        axes.set_title(title, loc="left", fontsize=TEXT + 0.5, fontweight="bold")
        if place % columns == 0:
            axes.set_ylabel("failures repaired (%)", fontsize=TEXT)
        if place + columns >= len(groups):
            axes.set_xlabel("image hidden, at most (%)", fontsize=TEXT)
    add_legend_below(figure, panels[0], length=2.2)
    return figure


def _draw_rates(
    axes: Axes, rows: Sequence[Row], methods: Sequence[str], settings: ReportSettings
) -> None:
    for number, method in enumerate(methods):
        own = [row for row in rows if row["method"] == method]
        if not own:
            continue
        areas = [value_of(row, "repair_area") for row in own]
        known = np.array([np.nan if area is None else area for area in areas])
        # The rate changes nowhere else.
        shares = np.unique([0, 1, *known[np.isfinite(known)]])
        repaired = is_repaired(known, shares).astype(float)
        low, high = band(repaired, [cluster_of(row) for row in own], settings)
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

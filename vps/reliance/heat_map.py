"""The picture of the class x class table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from vps.reliance.table import Entry, RelianceVerdict
from vps.report.tables.plot_style import TEXT, new_figure

MOST = 30
"""Classes a side: those of verified entries first, then those of most cases."""


def draw_reliance(entries: Sequence[Entry]) -> Figure | None:
    """The excess of evidence of each pair of classes: rows lean on columns.

    Blue is more than by chance, orange less; grey was seen in too few images to be tested. A dot
    marks what hiding verified.

    Args:
        entries: of one data set.

    Returns:
        None where nothing was tested.
    """
    tested = [entry for entry in entries if entry.verdict is not RelianceVerdict.FEW]
    if not tested:
        return None
    rows = _largest([(entry.label, entry) for entry in tested])
    columns = _largest([(entry.other, entry) for entry in tested])
    values = np.full((len(rows), len(columns)), np.nan)
    few = np.zeros(values.shape, bool)
    dots = []
    for entry in entries:
        if entry.label in rows and entry.other in columns:
            place = rows.index(entry.label), columns.index(entry.other)
            few[place] = entry.verdict is RelianceVerdict.FEW
            if not few[place]:
                values[place] = entry.excess.mean
            if entry.verdict is RelianceVerdict.VERIFIED:
                dots.append(place)
    figure, (axes,) = new_figure(
        1, max(1.1 + 0.17 * len(rows), 2.2), width=min(2.8 + 0.19 * len(columns), 7.2)
    )
    most = max(float(np.nanmax(np.abs(values))), 1e-6)
    shades = np.where(few, 0.9, np.nan)
    axes.imshow(shades, cmap="gray", vmin=0, vmax=1, aspect="auto")
    drawn = axes.imshow(values, cmap="PuOr", vmin=-most, vmax=most, aspect="auto")
    for row, column in dots:
        axes.plot(column, row, "o", color="black", markersize=4, markeredgecolor="white")
    axes.set_xticks(range(len(columns)), columns, rotation=90, fontsize=TEXT)
    axes.set_yticks(range(len(rows)), rows, fontsize=TEXT)
    axes.set_xlabel("objects beside them", fontsize=TEXT)
    axes.set_ylabel("detections", fontsize=TEXT)
    bar = figure.colorbar(drawn, ax=axes, shrink=0.8, pad=0.02)
    bar.set_label("above chance", fontsize=TEXT)
    bar.ax.tick_params(labelsize=TEXT - 1)
    return figure


def _largest(named: Sequence[tuple[str, Entry]]) -> list[str]:
    """The classes that are shown, by name."""
    cases: Counter[str] = Counter()
    for name, entry in named:
        # More than any number of cases.
        cases[name] += entry.cases + (10**9 if entry.verdict is RelianceVerdict.VERIFIED else 0)
    return sorted(name for name, _ in cases.most_common(MOST))

"""Methods of a study by their ranks: numbers, a table in Markdown, and the plot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from vps.metrics.ranks import rank_methods
from vps.report.tables.escapes import markdown_text
from vps.report.tables.plot_style import TEXT, entitle, new_figure
from vps.report.tables.results import SIDES, StudyResults

_FEWEST = 3


def rank_summary(by_method: Mapping[str, StudyResults]) -> dict[str, Any] | None:
    """Mean ranks of methods over the images of a data set, by insertion - deletion AUC.

    Cases that all methods have count; of those of one image, the mean.

    Returns:
        "methods" (names, best first), "mean_ranks", "images", "p_value" (Friedman),
        "critical_difference" (Nemenyi, 0.05), "groups" (of methods that cannot be told apart) and
        "wins" (a row a method: the share of images in which it is better than that of the column).
        None with fewer than three methods or two images.
    """
    table = _table(by_method)
    if table is None:
        return None
    found = rank_methods(table, list(by_method))
    order = np.argsort(found.mean_ranks, kind="stable")
    return {
        "methods": [found.methods[i] for i in order],
        "mean_ranks": found.mean_ranks[order].tolist(),
        "images": found.blocks,
        "p_value": found.p_value,
        "critical_difference": found.critical_difference,
        "groups": [list(group) for group in found.groups()],
        "wins": found.wins[np.ix_(order, order)].tolist(),
    }


def _table(by_method: Mapping[str, StudyResults]) -> np.ndarray | None:
    """(images, methods) values; None where there are too few."""
    if len(by_method) < _FEWEST:
        return None
    columns = []
    for own in by_method.values():
        if not set(SIDES) <= set(own.metrics.columns):
            return None
        values = own.metrics[SIDES[0]] - own.metrics[SIDES[1]]
        values = values.set_axis(own.facts["place"].to_numpy())
        columns.append(values[~values.index.duplicated()].dropna())
    common = sorted(set.intersection(*(set(column.index) for column in columns)))
    first = next(iter(by_method.values()))
    images = first.facts["image"].set_axis(first.facts["place"].to_numpy())
    images = images[~images.index.duplicated()].loc[common]
    if images.nunique() < 2:
        return None
    means = [column.loc[common].groupby(images.to_numpy()).mean().to_numpy() for column in columns]
    return np.stack(means, axis=1)


def ranks_markdown(dataset: str, ranks: Mapping[str, Any]) -> str:
    """The table of a data set: mean rank and win rates, best first."""
    names = [markdown_text(name) for name in ranks["methods"]]
    heads = ["method", "mean rank", *(f"beats {name}" for name in names)]
    lines = [
        f"**{markdown_text(dataset)}: ranks by insertion - deletion AUC over {ranks['images']} "
        "images**",
        "",
        f"Friedman p = {ranks['p_value']:.2g}; mean ranks that differ by less than "
        f"{ranks['critical_difference']:.2f} (Nemenyi, 0.05) cannot be told apart.",
        "",
        f"| {' | '.join(heads)} |",
        f"|{'---|' * len(heads)}",
    ]
    for name, rank, wins in zip(names, ranks["mean_ranks"], ranks["wins"], strict=True):
        cells = [
            "" if other == name else f"{100 * share:.0f} %"
            for other, share in zip(names, wins, strict=True)
        ]
        lines.append(f"| {name} | {rank:.2f} | {' | '.join(cells)} |")
    return "\n".join(lines)


def draw_ranks(ranks: Mapping[str, Any]) -> Figure:
    """The critical-difference diagram (Demsar, JMLR 2006, figure 1): methods at their mean ranks,
    the best on the left; a bar joins those that cannot be told apart."""
    names, places = ranks["methods"], ranks["mean_ranks"]
    groups = ranks["groups"]
    count = len(names)
    rows = (count + 1) // 2
    top = 0.9 + 0.35 * len(groups)
    figure, (axes,) = new_figure(1, 0.9 + 0.22 * (rows + top), width=max(6.4, 0.4 * count))
    axes.set_xlim(0.5, count + 0.5)
    axes.set_ylim(-rows - top, 1.2)
    axes.axis("off")
    axes.hlines(0, 1, count, color="black", linewidth=1)
    for tick in range(1, count + 1):
        axes.vlines(tick, 0, 0.18, color="black", linewidth=1)
        axes.text(tick, 0.3, str(tick), ha="center", va="bottom", fontsize=TEXT)
    for number, (name, place) in enumerate(zip(names, places, strict=True)):
        left = number < rows
        depth = -top - (number if left else count - 1 - number)
        edge = 0.85 if left else count + 0.15
        axes.plot([place, place, edge], [0, depth, depth], color="black", linewidth=0.8)
        label = f"{name}  {place:.2f}"
        axes.text(
            edge + (-0.05 if left else 0.05),
            depth,
            label,
            ha="right" if left else "left",
            va="center",
            fontsize=TEXT,
        )
    where = dict(zip(names, places, strict=True))
    for row, group in enumerate(groups):
        ends = [where[name] for name in group]
        height = -0.45 - 0.35 * row
        axes.hlines(height, min(ends) - 0.06, max(ends) + 0.06, color="black", linewidth=3)
    entitle(
        axes,
        "Mean ranks by insertion \u2212 deletion AUC",
        f"{ranks['images']} images, critical difference {ranks['critical_difference']:.2f}",
    )
    return figure

"""How plots of a study look: colours, axes, bands, legends and names beside points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.transforms import ScaledTranslation

from vps.metrics.aggregate import bootstrap_means
from vps.report.figures.panels import BLUE, VERMILLION
from vps.report.tables.rows import ReportSettings

# The palette of Okabe and Ito; beyond it, the styles of lines and markers go on.
_COLOURS = (BLUE, VERMILLION, "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_LINES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)))
_HATCHES = (None, "////", "....", "xxxx")
MARKERS = ("o", "s", "D", "^", "v", "P", "X")
TEXT = 8.0
"""Points that letters are high."""

_INSIDE = 4  # lines of a legend for which the curves leave room
_LINE_HEIGHT = 0.17  # inches, of a legend's
_BELOW = 3  # lines of a legend below axes, for which their figure has room
_WIDTH = 7.2  # inches, as the figures of single cases: the width of a printed page


def look_of(number: int) -> dict[str, Any]:
    """Colour and style of the line of a method, by its place among the methods."""
    colour, line = _COLOURS[number % len(_COLOURS)], _LINES[number % len(_LINES)]
    return {"color": colour, "linestyle": line}


def marker_of(number: int) -> str:
    """The marker of a method, by its place: no two of the first 49 share it and a colour."""
    return MARKERS[(number + number // len(_COLOURS)) % len(MARKERS)]


def hatch_of(number: int) -> str | None:
    """What the bars of a method bear where its colour is that of one before."""
    return _HATCHES[number // len(_COLOURS) % len(_HATCHES)]


def new_figure(
    columns: int, height: float, rows: int = 1, width: float = _WIDTH
) -> tuple[Figure, list[Axes]]:
    """A figure with its axes, row by row; `height` in inches is that of one row."""
    figure = Figure(figsize=(width, height * rows), facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes in panels:
        axes.tick_params(labelsize=TEXT, length=3, width=0.6)
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_linewidth(0.6)
    return figure, panels


def entitle(axes: Axes, title: str, note: str) -> None:
    """Say above the axes what is shown and which side is better."""
    axes.set_title(f"{title}, {note}", loc="left", fontsize=TEXT + 0.5, fontweight="bold")


def band(
    sums: np.ndarray, sizes: np.ndarray, settings: ReportSettings
) -> tuple[np.ndarray, np.ndarray]:
    """Pointwise bootstrap interval of the mean of curves, drawing whole images.

    Args:
        sums: (images, points), of the curves of each image.
        sizes: (images,), how many curves each has.
        settings: of the draws.

    Returns:
        Lower and upper ends, (points,) each.
    """
    means = bootstrap_means(sums, sizes, draws=settings.draws, seed=settings.seed)
    tail = (1 - settings.level) / 2
    low, high = np.quantile(means, [tail, 1 - tail], axis=0)
    return low, high


def legend_height(count: int) -> float:
    """Inches that `add_legend` needs below the axes."""
    return 0 if count <= _INSIDE else _LINE_HEIGHT * (count + 1)


def add_legend(axes: Axes, side: str) -> None:
    """In the order in which the curves lie: in the corner that they leave free, or below."""
    handles, labels = axes.get_legend_handles_labels()
    pairs = sorted(
        zip(handles, labels, strict=True), key=lambda pair: -float(pair[1].rsplit(None, 1)[1])
    )
    inside = len(pairs) <= _INSIDE
    # Ticks and the name of x are as high in axes of any height.
    below = ScaledTranslation(0, -0.38, axes.figure.dpi_scale_trans)
    legend = axes.legend(
        [handle for handle, _ in pairs],
        [label for _, label in pairs],
        loc="upper left" if not inside else "lower right" if side == "insertion" else "upper right",
        bbox_to_anchor=(0, 0, 1, 1) if inside else (0, 0),
        bbox_transform=axes.transAxes if inside else axes.transAxes + below,
        title="mean AUC",
        alignment="right" if inside else "left",
        title_fontsize=TEXT - 1,
        fontsize=TEXT,
        frameon=False,
        handlelength=2.2,
        labelspacing=0.3,
        borderaxespad=0.2,
    )
    for text in (*legend.get_texts(), legend.get_title()):
        text.set(parse_math=False, path_effects=[withStroke(linewidth=2, foreground="white")])


def add_legend_below(figure: Figure, axes: Axes, length: float = 1) -> None:
    """One legend for all axes, below them: that of `axes`; `length` of its keys, in letters.

    It has as many columns as fit side by side; the figure grows where it takes many lines.
    """
    handles, labels = axes.get_legend_handles_labels()
    for columns in range(min(len(labels), 6), 0, -1):
        legend = figure.legend(
            handles,
            labels,
            loc="outside lower center",
            ncols=columns,
            frameon=False,
            fontsize=TEXT,
            handlelength=length,
            handleheight=1,
            columnspacing=1.2,
        )
        if columns == 1 or legend.get_window_extent().width <= figure.bbox.width:
            break
        legend.remove()
    lines = -(-len(labels) // columns)
    figure.set_figheight(figure.get_figheight() + _LINE_HEIGHT * max(lines - _BELOW, 0))


def name_points(axes: Axes, points: Sequence[tuple[float, float, str, str]]) -> None:
    """Names beside points, one above the other where points lie too near; lines are points high."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()
    line, near = 1.3 * TEXT, 9 * TEXT
    placed: list[tuple[float, float]] = []
    for passes, score, method, colour in sorted(points, key=lambda point: point[1]):
        x, y = axes.transData.transform((passes, score)) * 72 / figure.dpi
        blocked = [other + line for left, other in placed if abs(left - x) < near]
        height = max([y, *blocked])
        placed.append((x, height))
        axes.annotate(
            method,
            (passes, score),
            xytext=(7, height - y),
            textcoords="offset points",
            va="center",
            fontsize=TEXT,
            color=colour,
            parse_math=False,
        )

"""Plots of a study: mean curves, scores by kind, and score against passes."""

from __future__ import annotations

import io
import re
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from vps.archive import write_atomically
from vps.metrics.aggregate import mean_interval
from vps.metrics.curves import auc
from vps.report.panels import BLUE, GREY, VERMILLION
from vps.report.rows import ReportSettings, Row, cluster_of, in_order, methods_of
from vps.report.summary import ALL, Numbers, split

# The palette of Okabe and Ito; beyond it, the styles of lines and markers go on.
COLOURS = (BLUE, VERMILLION, "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_LINES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)))
_MARKERS = ("o", "s", "D", "^", "v", "P", "X")
_WIDTH = 7.2  # inches, as the figures of single cases: the width of a printed page
_TEXT = 8.0
_GRID = np.linspace(0, 1, 101)
_AT_ONCE = 4_000_000  # numbers of a bootstrap that are in memory together
_SIDES = ("insertion", "deletion")


def write_plots(
    folder: Path, rows: Sequence[Row], summary: Numbers, settings: ReportSettings
) -> dict[str, list[Path]]:
    """Write each plot as png and pdf.

    Args:
        folder: where they go.
        rows: of all data sets.
        summary: what `vps.report.summary.summarise` made of them.
        settings: of the bands.

    Returns:
        The png files, by data set.

    Raises:
        OutputError: a file cannot be written.
    """
    methods = methods_of(rows)
    written: dict[str, list[Path]] = {}
    for dataset in in_order(row["dataset"] for row in rows):
        own = [row for row in rows if row["dataset"] == dataset]
        figures = {
            "curves": draw_mean_curves(own, methods, settings),
            "kinds": draw_kinds(summary["datasets"][dataset]["methods"], methods),
            "passes": draw_passes(own, methods, settings),
        }
        for name, figure in figures.items():
            written.setdefault(dataset, []).append(_write(figure, folder / f"{name}_{_safe(dataset)}"))
    return written


def draw_mean_curves(
    rows: Sequence[Row], methods: Sequence[str], settings: ReportSettings
) -> Figure:
    """Mean insertion and deletion curves of one data set, with pointwise bootstrap bands."""
    figure, panels = _figure(2, 2.9)
    top = 0.0
    for axes, side in zip(panels, _SIDES, strict=True):
        for number, method in enumerate(methods):
            own = [row for row in rows if row["method"] == method]
            if not own:
                continue
            values = np.stack([_on_grid(row, side) for row in own])
            low, high = band(values, [cluster_of(row) for row in own], settings)
            mean = values.mean(0)
            area = np.mean([_area(row, side) for row in own])
            label = f"{method}  {area:.3f}"
            axes.plot(100 * _GRID, mean, label=label, linewidth=1.5, **_line(number))
            axes.fill_between(
                100 * _GRID, low, high, color=_line(number)["color"], alpha=0.14, linewidth=0
            )
            top = max(top, float(high.max()))
        _sorted_legend(axes, side)
        word = "shown" if side == "insertion" else "hidden"
        axes.set_xlabel(f"area {word} (%)", fontsize=_TEXT)
        arrow = "higher is better" if side == "insertion" else "lower is better"
        _titled(axes, side.capitalize(), arrow)
    for axes in panels:
        axes.set(xlim=(0, 100), ylim=(0, 1.05 * top or 1))
    panels[0].set_ylabel("mean score", fontsize=_TEXT)
    return figure


def draw_kinds(methods: Numbers, names: Sequence[str]) -> Figure:
    """Mean insertion and deletion AUC of each kind, with intervals; `methods` of a summary."""
    kinds = in_order(kind for own in methods.values() for kind in own["kind"])
    sizes = {kind: max(_count(own["kind"].get(kind)) for own in methods.values()) for kind in kinds}
    sizes = {ALL: max(own[ALL]["n"] for own in methods.values()), **sizes}
    shown = [name for name in names if name in methods]
    width = 0.8 / len(shown)
    figure, panels = _figure(1, 2.1, rows=2)
    for axes, side in zip(panels, _SIDES, strict=True):
        for number, name in enumerate(shown):
            own = methods[name]
            groups = [own[ALL] if kind == ALL else own["kind"].get(kind) for kind in sizes]
            cells = [group and group["metrics"].get(side) for group in groups]
            places = [i + (number - (len(shown) - 1) / 2) * width for i in range(len(cells))]
            kept = [(place, cell) for place, cell in zip(places, cells, strict=True) if cell]
            axes.bar(
                [place for place, _ in kept],
                [cell["mean"] for _, cell in kept],
                0.9 * width,
                color=_line(list(names).index(name))["color"],
                label=name,
            )
            axes.vlines(
                [place for place, _ in kept],
                [cell["low"] for _, cell in kept],
                [cell["high"] for _, cell in kept],
                color="black",
                linewidth=0.9,
            )
        axes.set_xticks(range(len(sizes)), [_kind_label(*item) for item in sizes.items()])
        axes.set_xlim(-0.5, len(sizes) - 0.5)
        axes.set_ylim(bottom=0)
        axes.tick_params(axis="x", length=0)
        arrow = "higher is better" if side == "insertion" else "lower is better"
        _titled(axes, f"{side.capitalize()} AUC", arrow)
    panels[0].legend(
        loc="lower right",
        bbox_to_anchor=(1, 1),
        ncols=len(shown),
        frameon=False,
        fontsize=_TEXT,
        handlelength=1,
        handleheight=1,
        columnspacing=1.2,
        borderaxespad=0.2,
    )
    return figure


def draw_passes(rows: Sequence[Row], methods: Sequence[str], settings: ReportSettings) -> Figure:
    """Insertion - deletion AUC against passes, one point a method, the intervals as lines."""
    figure, (axes,) = _figure(1, 2.9, width=4.6)
    points = []
    for number, method in enumerate(methods):
        own = [
            row
            for row in rows
            if row["method"] == method and {"passes", *_SIDES} <= row["metrics"].keys()
        ]
        if not own:
            continue
        scores = [row["metrics"]["insertion"] - row["metrics"]["deletion"] for row in own]
        interval = mean_interval(
            scores,
            [cluster_of(row) for row in own],
            draws=settings.draws,
            level=settings.level,
            seed=settings.seed,
        )
        passes = float(np.mean([row["metrics"]["passes"] for row in own]))
        colour, marker = _line(number)["color"], _MARKERS[number % len(_MARKERS)]
        axes.vlines(passes, interval.low, interval.high, color=colour, linewidth=1.4)
        axes.plot(passes, interval.mean, marker=marker, color=colour, markersize=6)
        points.append((passes, interval.mean, method, colour))
    largest = max((point[0] for point in points), default=1.0)
    # Controls need no pass at all, so the scale is linear below one pass.
    axes.set_xscale("symlog", linthresh=1, linscale=0.5)
    axes.set_xlim(-0.4, max(largest, 1) * 4)
    axes.set_xticks([0, *(10.0**k for k in range(len(f"{max(largest, 1) * 4:.0f}")))])
    axes.set_xticklabels([f"{tick:,.0f}" for tick in axes.get_xticks()])
    axes.minorticks_off()
    axes.margins(y=0.15)
    _name_points(axes, points)
    axes.axhline(0, color=GREY, linewidth=0.7, linestyle=(0, (1, 1.5)), zorder=0)
    axes.set_xlabel("passes through the detector, mean per case", fontsize=_TEXT)
    _titled(axes, "Insertion \u2212 deletion AUC", "higher is better")
    return figure


def _name_points(axes: Axes, points: Sequence[tuple[float, float, str, str]]) -> None:
    """Names beside points, one above the other where points lie too near; lines are points high."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()
    line, near = 1.3 * _TEXT, 9 * _TEXT
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
            fontsize=_TEXT,
            color=colour,
            parse_math=False,
        )


def band(
    values: np.ndarray, clusters: Sequence[Hashable], settings: ReportSettings
) -> tuple[np.ndarray, np.ndarray]:
    """Pointwise bootstrap interval of the mean of n curves (n, points), drawing whole clusters.

    Returns:
        Lower and upper ends, (points,) each.
    """
    numbers = {cluster: number for number, cluster in enumerate(dict.fromkeys(clusters))}
    member = np.array([numbers[cluster] for cluster in clusters])
    count = len(numbers)
    sums = np.zeros((count, values.shape[1]))
    np.add.at(sums, member, values)
    sizes = np.bincount(member)
    rng = np.random.default_rng(settings.seed)
    step = max(_AT_ONCE // count, 1)
    means = []
    for start in range(0, settings.draws, step):
        draws = min(step, settings.draws - start)
        weights = rng.multinomial(count, np.full(count, 1 / count), size=draws)
        means.append(weights @ sums / (weights @ sizes)[:, None])
    tail = (1 - settings.level) / 2
    low, high = np.quantile(np.concatenate(means), [tail, 1 - tail], axis=0)
    return low, high


def _on_grid(row: Row, side: str) -> np.ndarray:
    return np.interp(_GRID, row["curves"]["areas"], row["curves"][side])


def _area(row: Row, side: str) -> float:
    return auc(np.asarray(row["curves"]["areas"]), np.asarray(row["curves"][side]))


def _count(group: Numbers | None) -> int:
    return group["n"] if group else 0


def _kind_label(kind: str, size: int) -> str:
    return f"{kind.replace('_', ' ')}\nn = {size}"


def _line(number: int) -> dict[str, Any]:
    colour, line = COLOURS[number % len(COLOURS)], _LINES[number % len(_LINES)]
    return {"color": colour, "linestyle": line}


def _figure(
    columns: int, height: float, rows: int = 1, width: float = _WIDTH
) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(width, height * rows), facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes in panels:
        axes.tick_params(labelsize=_TEXT, length=3, width=0.6)
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_linewidth(0.6)
    return figure, panels


def _titled(axes: Axes, title: str, note: str) -> None:
    axes.set_title(f"{title}, {note}", loc="left", fontsize=_TEXT + 0.5, fontweight="bold")


def _sorted_legend(axes: Axes, side: str) -> None:
    """In the corner that the curves leave free, in the order in which they lie."""
    handles, labels = axes.get_legend_handles_labels()
    pairs = sorted(
        zip(handles, labels, strict=True), key=lambda pair: -float(pair[1].rsplit(None, 1)[1])
    )
    legend = axes.legend(
        [handle for handle, _ in pairs],
        [label for _, label in pairs],
        loc="lower right" if side == "insertion" else "upper right",
        title="mean AUC",
        alignment="right",
        title_fontsize=_TEXT - 1,
        fontsize=_TEXT,
        frameon=False,
        handlelength=2.2,
        labelspacing=0.3,
        borderaxespad=0.2,
    )
    for text in (*legend.get_texts(), legend.get_title()):
        text.set(parse_math=False, path_effects=[withStroke(linewidth=2, foreground="white")])


def _safe(name: str) -> str:
    return re.sub(r"[^\w.-]", "_", name)


def _write(figure: Figure, path: Path) -> Path:
    for suffix in ("pdf", "png"):
        buffer = io.BytesIO()
        # Without a date, the same study gives the same bytes.
        metadata = {"CreationDate": None} if suffix == "pdf" else None
        figure.savefig(buffer, format=suffix, dpi=200, metadata=metadata)
        path = path.parent / f"{path.name.removesuffix('.pdf')}.{suffix}"
        write_atomically(path, buffer.getvalue())
    return path

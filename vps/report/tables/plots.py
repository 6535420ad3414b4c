"""Plots of a study: mean curves, scores by kind, score against passes, and repairs."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from types import MappingProxyType

import numpy as np
from matplotlib.figure import Figure

from vps.core.file_names import safe_name
from vps.core.files import write_atomically
from vps.metrics.aggregate import Interval, mean_intervals
from vps.report.figures.letters import fit_letters
from vps.report.figures.panels import GREY
from vps.report.tables.plot_style import (
    TEXT,
    add_legend,
    add_legend_below,
    band,
    entitle,
    hatch_of,
    legend_height,
    look_of,
    marker_of,
    name_points,
    new_figure,
)
from vps.report.tables.ranking import draw_ranks
from vps.report.tables.repair_plot import draw_repairs
from vps.report.tables.results import GRID, SIDES, ResultRows, results_of
from vps.report.tables.rows import ReportSettings
from vps.report.tables.summary import ALL, Numbers
from vps.report.tables.tables import replays_of

_NAMED = 8
"""Up to so many methods have names beside their points, and bands around their curves."""


def write_plots(
    folder: Path, rows: ResultRows, summary: Numbers, settings: ReportSettings
) -> dict[str, list[Path]]:
    """Write each plot as png and pdf.

    Args:
        folder: where they go.
        rows: of all data sets, or their columns.
        summary: what `vps.report.tables.summary.summarise` made of them.
        settings: of the bands.

    Returns:
        The png files, by data set.

    Raises:
        OutputError: a file cannot be written.
    """
    results = results_of(rows)
    methods = results.values("method")
    labels = labels_of(summary)
    written: dict[str, list[Path]] = {}
    for dataset in results.values("dataset"):
        own = results.where(dataset=dataset)
        figures = {
            "curves": draw_mean_curves(own, methods, settings, labels),
            "passes": draw_passes(own, methods, settings, labels),
            "kinds": draw_kinds(summary["datasets"][dataset]["methods"], methods, labels),
        }
        ranks = summary["datasets"][dataset].get("ranks")
        if ranks is not None:
            figures["ranks"] = draw_ranks(ranks)
        repairs = draw_repairs(own, methods, settings)
        if repairs is not None:
            figures["repairs"] = repairs
        for name, figure in figures.items():
            written.setdefault(dataset, []).append(
                save_plot(figure, folder / f"{name}_{safe_name(dataset)}")
            )
    return written


def labels_of(summary: Numbers) -> dict[str, str]:
    """What plots call methods, by their names, where these do not do: those that are judged by
    steps of pixels are marked, for their curves are not to be compared with others."""
    replays: dict[str, str] = {}
    for numbers in summary["datasets"].values():
        replays |= replays_of(numbers)
    marked = (method for method, text in replays.items() if not text.startswith("regions"))
    return {name: f"{name} (pixels)" for one in marked for name in (one, without_passes(one))}


def draw_mean_curves(
    rows: ResultRows,
    methods: Sequence[str],
    settings: ReportSettings,
    labels: Mapping[str, str] = MappingProxyType({}),
) -> Figure:
    """Mean insertion and deletion curves of one data set; of few methods, with pointwise bootstrap
    bands."""
    figure, panels = new_figure(2, 2.9 + legend_height(len(methods)))
    results = results_of(rows)
    (dataset,) = results.values("dataset")
    top = 0.0
    for place, (axes, side) in enumerate(zip(panels, SIDES, strict=True)):
        for number, method in enumerate(methods):
            curves = results.curves.get((dataset, method))
            if curves is None:
                continue
            low, high = band(curves.sums[:, place], curves.sizes, settings)
            mean = curves.sums[:, place].sum(0, np.float64) / curves.sizes.sum()
            label = f"{labels.get(method, method)}  {curves.areas[place]:.3f}"
            axes.plot(100 * GRID, mean, label=label, linewidth=1.5, **look_of(number))
            if len(methods) <= _NAMED:
                colour = look_of(number)["color"]
                axes.fill_between(100 * GRID, low, high, color=colour, alpha=0.14, linewidth=0)
            top = max(top, float(high.max()))
        add_legend(axes, side)
        word = "shown" if side == "insertion" else "hidden"
        axes.set_xlabel(f"area {word} (%)", fontsize=TEXT)
        arrow = "higher is better" if side == "insertion" else "lower is better"
        entitle(axes, side.capitalize(), arrow)
    for axes in panels:
        axes.set(xlim=(0, 100), ylim=(0, 1.05 * top or 1))
    panels[0].set_ylabel("mean score", fontsize=TEXT)
    return figure


def draw_kinds(
    methods: Numbers, names: Sequence[str], labels: Mapping[str, str] = MappingProxyType({})
) -> Figure:
    """Mean insertion and deletion AUC of each kind, with intervals; `methods` of a summary."""
    kinds = list(dict.fromkeys(kind for own in methods.values() for kind in own["kind"]))
    sizes = {kind: max(_count(own["kind"].get(kind)) for own in methods.values()) for kind in kinds}
    sizes = {ALL: max(own[ALL]["n"] for own in methods.values()), **sizes}
    shown = [name for name in names if name in methods]
    width = 0.8 / len(shown)
    figure, panels = new_figure(1, 2.1, rows=2)
    for axes, side in zip(panels, SIDES, strict=True):
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
                color=look_of(list(names).index(name))["color"],
                hatch=hatch_of(list(names).index(name)),
                edgecolor="white",
                linewidth=0,
                label=labels.get(name, name),
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
        entitle(axes, f"{side.capitalize()} AUC", arrow)
    add_legend_below(figure, panels[0])
    return figure


def draw_passes(
    rows: ResultRows,
    methods: Sequence[str],
    settings: ReportSettings,
    labels: Mapping[str, str] = MappingProxyType({}),
) -> Figure:
    """Insertion - deletion AUC against passes, one point a method, the intervals as lines.

    Methods that a study has at several numbers of passes, "drise@500", are one line. Few have their
    names beside them, many in a legend below.
    """
    results = results_of(rows)
    lines: dict[str, list[tuple[float, Interval]]] = {}
    for method in methods:
        own = results.where(method=method)
        numbers = own.metrics.reindex(columns=["passes", *SIDES])
        known = numbers.notna().all(axis=1).to_numpy()
        points = lines.setdefault(without_passes(method), [])
        if not known.any():
            continue
        scores = (numbers["insertion"] - numbers["deletion"]).to_numpy()[known]
        (interval,) = mean_intervals(
            scores[:, None],
            own.facts["image"].to_numpy()[known],
            draws=settings.draws,
            level=settings.level,
            seed=settings.seed,
        )
        assert interval is not None  # there is a case
        points.append((float(numbers["passes"][known].mean()), interval))
    few = len(lines) <= _NAMED
    height, width = (2.9, 4.6) if few else (2.9 + 0.05 * len(lines), 7.2)
    figure, (axes,) = new_figure(1, height, width=width)
    for number, (name, points) in enumerate(lines.items()):
        look, marker = look_of(number), marker_of(number)
        points.sort(key=itemgetter(0))
        axes.plot(
            [passes for passes, _ in points],
            [interval.mean for _, interval in points],
            linewidth=1,
            marker=marker,
            markersize=6,
            label=labels.get(name, name),
            **look,
        )
        for passes, interval in points:
            axes.vlines(passes, interval.low, interval.high, color=look["color"], linewidth=1.4)
    # A line has its name at its end.
    ends = [
        (passes, interval.mean, labels.get(name, name), look_of(number)["color"])
        for number, (name, points) in enumerate(lines.items())
        for passes, interval in points[-1:]
    ]
    largest = max((end[0] for end in ends), default=1.0)
    # Controls need no pass at all, so the scale is linear below one pass.
    axes.set_xscale("symlog", linthresh=1, linscale=0.5)
    axes.set_xlim(-0.4, max(largest, 1) * 4)
    axes.set_xticks([0, *(10.0**k for k in range(len(f"{max(largest, 1) * 4:.0f}")))])
    axes.set_xticklabels([f"{tick:,.0f}" for tick in axes.get_xticks()])
    axes.minorticks_off()
    axes.margins(y=0.15)
    if few:
        name_points(axes, ends)
    else:
        add_legend_below(figure, axes)
    axes.axhline(0, color=GREY, linewidth=0.7, linestyle=(0, (1, 1.5)), zorder=0)
    axes.set_xlabel("passes through the detector, mean per case", fontsize=TEXT)
    entitle(axes, "Insertion \u2212 deletion AUC", "higher is better")
    return figure


def without_passes(method: str) -> str:
    """A method's name without the passes that a study gave it.

    >>> without_passes("drise@500"), without_passes("drise"), without_passes("odd@name")
    ('drise', 'drise', 'odd@name')
    """
    name, _, passes = method.rpartition("@")
    return name if name and passes.isdigit() else method


def _count(group: Numbers | None) -> int:
    return group["n"] if group else 0


def _kind_label(kind: str, size: int) -> str:
    return f"{kind.replace('_', ' ')}\nn = {size}"


def save_plot(figure: Figure, path: Path) -> Path:
    fit_letters(figure)
    for suffix in ("png", "pdf"):
        buffer = io.BytesIO()
        # Without a date, the same study gives the same bytes.
        metadata = {"CreationDate": None} if suffix == "pdf" else None
        figure.savefig(buffer, format=suffix, dpi=200, metadata=metadata)
        write_atomically(path.parent / f"{path.name}.{suffix}", buffer.getvalue())
        # Places are found once, which takes longer than drawing.
        figure.set_layout_engine("none")
    return path.parent / f"{path.name}.png"

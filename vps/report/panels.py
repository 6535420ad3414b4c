"""The four panels of the figure, each drawn into axes that it is given."""

from __future__ import annotations

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.transforms import ScaledTranslation

from vps.attribution import nearest
from vps.result import Explanation
from vps.targets import Kind

# Of the palette of Okabe and Ito, which stays apart for all kinds of colour vision.
BLUE, VERMILLION, ORANGE, GREY = "#0072B2", "#D55E00", "#F0B000", "#595959"
SMALL = 8.0
COLOUR_MAP = colormaps["inferno"]
SUFFICIENT = 0.9
"""The share of the whole image's score that counts as sufficient in pictures."""

Box = np.ndarray | tuple[float, float, float, float]


def draw_detection(axes: Axes, explanation: Explanation, image: np.ndarray) -> None:
    """The image (H, W, 3) uint8 with the target's box and label; dashed where it was missed."""
    target = explanation.target
    _show(axes, image)
    _draw_box(axes, target.box, dashed=target.kind is Kind.MISSED)
    if target.said_box is not None and target.said_box != target.box:
        _draw_box(axes, target.said_box, colour="white", dashed=True)
    x1, y1, x2, y2 = target.box
    height, width = image.shape[:2]
    right = (x1 + x2) / 2 > width / 2
    # Over the box, where there is room, else under it: the tag must not hide the object.
    above = y1 > 0.11 * height
    axes.annotate(
        shortened(target.label, 26),
        (min(x2, width) if right else max(x1, 0), y1 if above else min(y2, 0.9 * height)),
        xytext=(0, 2 if above else -2),
        textcoords="offset points",
        ha="right" if right else "left",
        va="bottom" if above else "top",
        fontsize=SMALL,
        color="black",
        bbox={"boxstyle": "square,pad=0.2", "facecolor": ORANGE, "edgecolor": "none"},
        annotation_clip=False,
    )


def draw_map(axes: Axes, explanation: Explanation, image: np.ndarray) -> None:
    """The attribution map over the image in grey, with the outlines of the regions."""
    _show(axes, coloured(explanation.heatmap, greyed(image)))
    axes.contour(
        _edges_of(_on_image(explanation, np.arange(len(explanation.order)))),
        levels=[0.5],
        colors="white",
        linewidths=0.3,
        alpha=0.25,
    )
    _draw_box(axes, explanation.target.box, width=1.0)


def draw_sufficient(axes: Axes, explanation: Explanation, image: np.ndarray) -> None:
    """The smallest first part of the order that suffices, and the box it still gives."""
    scored = explanation.insertion[-1] > 0
    count = explanation.smallest_sufficient(SUFFICIENT) if scored else 0
    rank = np.empty(len(explanation.order), np.int64)
    rank[explanation.order] = np.arange(len(rank))
    shown = _on_image(explanation, rank) < count
    faded = (0.12 * greyed(image) + 0.88)[..., None]
    _show(axes, np.where(shown[..., None], image / 255, faded))
    if shown.any() and not shown.all():
        axes.contour(shown, levels=[0.5], colors=GREY, linewidths=0.7)
    if explanation.insertion[count] > 0:
        _draw_box(axes, explanation.insertion_boxes[count])


def draw_curves(axes: Axes, explanation: Explanation) -> None:
    """Insertion and deletion over the share of the area, with their AUC."""
    areas = 100 * explanation.areas
    full = explanation.insertion[-1]
    axes.axhline(full, color=GREY, linewidth=0.6, linestyle=(0, (1, 2)))
    for values, colour, style, name in (
        (explanation.insertion, BLUE, "-", "insertion"),
        (explanation.deletion, VERMILLION, (0, (4, 1.5)), "deletion"),
    ):
        area = getattr(explanation, f"{name}_auc")
        label = f"{name}, AUC {area:.3f}"
        axes.plot(areas, values, color=colour, linestyle=style, linewidth=1.5, label=label)
        axes.fill_between(areas, values, color=colour, alpha=0.08, linewidth=0)
    top = max(explanation.insertion.max(), explanation.deletion.max()) or 1.0
    axes.set(xlim=(0, 100), ylim=(0, 1.3 * top))
    axes.set_xlabel("area shown or hidden (%)", fontsize=SMALL, labelpad=2)
    axes.set_ylabel("IoU x class score", fontsize=SMALL, labelpad=3)
    axes.tick_params(labelsize=SMALL - 0.5, length=2.5, width=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_linewidth(0.6)
    axes.legend(
        loc="upper center",
        fontsize=SMALL,
        frameon=False,
        borderaxespad=0.1,
        handlelength=2.2,
        labelspacing=0.25,
    )
    above = full < 0.15 * top
    shift = (2 if above else -2) / 72
    lower = axes.transData + ScaledTranslation(0, shift, axes.figure.dpi_scale_trans)
    axes.text(
        99,
        full,
        f"whole image {full:.2f}",
        transform=lower,
        fontsize=SMALL - 1,
        color=GREY,
        ha="right",
        va="bottom" if above else "top",
        path_effects=[withStroke(linewidth=2, foreground="white")],
    )


def coloured(values: np.ndarray, grey: np.ndarray | float) -> np.ndarray:
    """Values in [0, 1] as colours over grey: the higher, the less of the grey is left."""
    values = np.clip(values, 0, 1)[..., None]
    cover = 0.15 + 0.7 * values**1.5
    under = np.broadcast_to(np.asarray(grey)[..., None], (*values.shape[:-1], 1))
    colours: np.ndarray = (1 - cover) * under + cover * COLOUR_MAP(values[..., 0])[..., :3]
    return colours


def greyed(image: np.ndarray) -> np.ndarray:
    """The luma (H, W) in [0, 1] of an RGB image."""
    return image @ np.array([0.299, 0.587, 0.114]) / 255


def shortened(text: str, length: int) -> str:
    """The text, cut in the middle of nowhere if it must be, with an ellipsis."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "\u2026"


def _show(axes: Axes, image: np.ndarray) -> None:
    axes.imshow(image, interpolation="antialiased")
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(linewidth=0.5, color="#BBBBBB")


def _draw_box(
    axes: Axes, box: Box, colour: str = ORANGE, width: float = 1.6, dashed: bool = False
) -> None:
    x1, y1, x2, y2 = (float(value) - 0.5 for value in box)
    axes.add_patch(
        Rectangle(
            (x1, y1),
            x2 - x1,
            y2 - y1,
            fill=False,
            edgecolor=colour,
            linewidth=width,
            linestyle=(0, (3, 1.5)) if dashed else "-",
            # On a background of any colour, one of the two lines stands out.
            path_effects=[withStroke(linewidth=width + 1.2, foreground="black")],
        )
    )


def _on_image(explanation: Explanation, values: np.ndarray) -> np.ndarray:
    """One value a region -> (H, W) on the original image."""
    rows, columns = (
        nearest(grid, size)
        for grid, size in zip(explanation.label_map.shape, explanation.image_size, strict=True)
    )
    painted: np.ndarray = values[explanation.label_map[np.ix_(rows, columns)]]
    return painted


def _edges_of(labels: np.ndarray) -> np.ndarray:
    edges = np.zeros(labels.shape, bool)
    edges[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    edges[1:] |= labels[1:] != labels[:-1]
    return edges

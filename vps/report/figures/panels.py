"""The four panels of the figure, each drawn into axes that it is given."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator

from vps.core.masking import FILLS, make_fill
from vps.core.scoring import THRESHOLD_MODE_SCORE
from vps.core.targets import Kind
from vps.engine import attribution
from vps.report.figures.letters import shortened
from vps.results.explanation import Explanation

# Of the palette of Okabe and Ito, which stays apart for all kinds of colour vision.
BLUE, VERMILLION, ORANGE, GREY = "#0072B2", "#D55E00", "#F0B000", "#595959"
SMALL = 6.5
COLOUR_MAP = colormaps["inferno"]
SUFFICIENT = 0.9
"""The share of the whole image's score that counts as sufficient in pictures."""

_LEGEND = 0.42  # inches that the legend is high
_LABEL_ROOM = 0.15  # inches that a label is high
_SCORES = {
    "object": "IoU x class score",
    "class": "class score",
    "box": "IoU",
    "threshold": f"IoU x class score > {THRESHOLD_MODE_SCORE}",
}

BoxLike = np.ndarray | tuple[float, float, float, float]


def regions_shown(explanation: Explanation) -> int:
    """How many regions of the order the third panel shows.

    Those that suffice; for a missed object those that come near the best score of any step:
    to reach the little that the whole image scores would say nothing about what stands in the way.
    """
    if explanation.target.kind is Kind.MISSED:
        best = explanation.insertion.max()
        return int(np.argmax(explanation.insertion >= SUFFICIENT * best))
    return explanation.smallest_sufficient(SUFFICIENT) if explanation.insertion[-1] > 0 else 0


def part_shown(explanation: Explanation, size: tuple[int, int]) -> np.ndarray:
    """(H, W) bool, on a grid of that size: where the third panel shows the image."""
    first = np.zeros(len(explanation.order), bool)
    first[explanation.order[: regions_shown(explanation)]] = True
    return attribution.paint(first, explanation.label_map, size)


def fill_of(explanation: Explanation, image: np.ndarray) -> np.ndarray:
    """What hides a region of an image (H, W, 3) uint8: (1 or H, 1 or W, 3) in [0, 1]."""
    name = explanation.fill
    colour = name if name in FILLS else tuple(float(part) for part in name.split(","))
    pixels = torch.from_numpy(image.astype(np.float32) / 255).permute(2, 0, 1)
    return make_fill(colour, pixels).permute(1, 2, 0).numpy()  # type: ignore[arg-type]


def draw_detection(axes: Axes, explanation: Explanation, image: np.ndarray) -> None:
    """The image (H, W, 3) uint8 with the target's box and label; dashed where it was missed."""
    target = explanation.target
    show(axes, image, explanation.image_size)
    draw_box(axes, target.box, dashed=target.kind is Kind.MISSED)
    if target.predicted_box is not None and target.predicted_box != target.box:
        draw_box(axes, target.predicted_box, colour="white", dashed=True)
    draw_label(axes, target.box, shortened(target.label, 26), explanation.image_size)


def draw_label(axes: Axes, box: BoxLike, text: str, size: tuple[int, int]) -> None:
    """A text at a box, in an image of size (H, W)."""
    x1, y1, x2, y2 = box
    height, width = size
    right = (x1 + x2) / 2 > width / 2
    # Above the box or else below it: inside, it would hide what a small box is about.
    room = _LABEL_ROOM * height / _inches_high(axes)
    below = y1 < room <= height - y2
    above = not below and y1 >= room
    axes.annotate(
        text,
        (min(x2, width) if right else max(x1, 0), y2 if below else max(y1, 0)),
        xytext=(0, 2 if above else -2),
        textcoords="offset points",
        ha="right" if right else "left",
        va="bottom" if above else "top",
        fontsize=SMALL,
        color="black",
        bbox={"boxstyle": "square,pad=0.2", "facecolor": ORANGE, "edgecolor": "none"},
        annotation_clip=False,
        parse_math=False,
    )


def draw_map(axes: Axes, explanation: Explanation, image: np.ndarray) -> None:
    """The attribution map over the image in grey, with the outlines of the regions."""
    size = image.shape[:2]
    if explanation.map_rule == attribution.OURS:
        values = attribution.scaled(explanation.region_scores)
        heatmap = attribution.paint(values, explanation.label_map, size)
    else:
        heatmap = explanation.heatmap_at(size)
    show(axes, map_colours(explanation, heatmap, greyed(image)), explanation.image_size)
    if not explanation.by_pixels:
        edges = _edges_of(attribution.resized(explanation.label_map, size))
        draw_outline(axes, edges, explanation.image_size, "white", 0.3, alpha=0.25)
    draw_box(axes, explanation.target.box, width=1.0)


def draw_sufficient(axes: Axes, explanation: Explanation, image: np.ndarray) -> None:
    """The first regions of the order, as many as `regions_shown` says, and the box they give."""
    count = regions_shown(explanation)
    size = image.shape[:2]
    shown = part_shown(explanation, size)
    faded = (0.12 * greyed(image) + 0.88)[..., None]
    show(axes, np.where(shown[..., None], image / 255, faded), explanation.image_size)
    draw_outline(axes, shown, explanation.image_size, GREY, 0.7)
    if explanation.insertion[count] > 0:
        draw_box(axes, explanation.insertion_boxes[count])


def draw_curves(axes: Axes, explanation: Explanation) -> None:
    """Insertion and deletion over the share of the area, with their AUC."""
    areas = 100 * explanation.areas
    full = explanation.insertion[-1]
    for values, colour, style, name in (
        (explanation.insertion, BLUE, "-", "insertion"),
        (explanation.deletion, VERMILLION, (0, (4, 1.5)), "deletion"),
    ):
        area = getattr(explanation, f"{name}_auc")
        label = f"{name}, AUC {area:.3f}"
        axes.plot(areas, values, color=colour, linestyle=style, linewidth=1.3, label=label)
        axes.fill_between(areas, values, color=colour, alpha=0.08, linewidth=0)
    # In the legend, because a text at the line would lie on the curve that ends there.
    name = f"whole image {full:.2f}"
    axes.axhline(full, label=name, zorder=1, color=GREY, linewidth=0.8, linestyle=(0, (1, 1.5)))
    top = max(explanation.insertion.max(), explanation.deletion.max()) or 1.0
    # Room for the legend above the curves, without ticks that no score can reach.
    height = _inches_high(axes)
    axes.set(xlim=(0, 100), ylim=(0, top * height / (height - _LEGEND)))
    ticks = MaxNLocator(5).tick_values(0, top)
    axes.set_yticks([tick for tick in ticks if 0 <= tick <= 1.02 * top])
    axes.set_xlabel("area shown or hidden (%)", fontsize=SMALL, labelpad=2)
    axes.set_ylabel(_SCORES.get(explanation.mode, "score"), fontsize=SMALL, labelpad=3)
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


def coloured(values: np.ndarray, grey: np.ndarray | float) -> np.ndarray:
    """Values in [0, 1] as colours over grey: the higher, the less of the grey is left."""
    values = np.clip(values, 0, 1)[..., None]
    cover = 0.15 + 0.7 * values**1.5
    under = np.broadcast_to(np.asarray(grey)[..., None], (*values.shape[:-1], 1))
    colours: np.ndarray = (1 - cover) * under + cover * COLOUR_MAP(values[..., 0])[..., :3]
    return colours


def map_colours(explanation: Explanation, values: np.ndarray, grey: np.ndarray) -> np.ndarray:
    """(H, W, 3) a map in [0, 1] over an image in grey; without colour what cannot be told."""
    told = explanation.told_at((grey.shape[0], grey.shape[1]))[..., None]
    colours: np.ndarray = np.where(told, coloured(values, grey), grey[..., None])
    return colours


def greyed(image: np.ndarray) -> np.ndarray:
    """The luma (H, W) in [0, 1] of an RGB image."""
    return image @ np.array([0.299, 0.587, 0.114]) / 255


def show(axes: Axes, image: np.ndarray, size: tuple[int, int]) -> None:
    """Draw an image, in whatever resolution, over the pixels of the original image (H, W)."""
    axes.imshow(
        image, interpolation="antialiased", extent=(-0.5, size[1] - 0.5, size[0] - 0.5, -0.5)
    )
    # A box over the border must not push the limits out.
    axes.autoscale(False)
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(linewidth=0.5, color="#BBBBBB")


def draw_outline(
    axes: Axes,
    inside: np.ndarray,
    size: tuple[int, int],
    colour: str,
    width: float,
    *,
    alpha: float = 1.0,
) -> None:
    """A line around what is True in (h, w) bool, a grid over an image of size (H, W).

    There is none where all or nothing is True, nor on a grid of one row or column, which has no
    room for a line.
    """
    if inside.any() and not inside.all() and min(inside.shape) > 1:
        centres = _pixel_centres(inside.shape, size)
        axes.contour(*centres, inside, levels=[0.5], colors=colour, linewidths=width, alpha=alpha)


def _pixel_centres(grid: tuple[int, ...], size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """x and y of the columns and rows of a coarser grid, in pixels of the original image."""
    y, x = (
        (np.arange(count) + 0.5) * full / count - 0.5
        for count, full in zip(grid, size, strict=True)
    )
    return x, y


def _inches_high(axes: Axes) -> float:
    return axes.bbox.height / axes.figure.dpi


def draw_box(
    axes: Axes, box: BoxLike, colour: str = ORANGE, width: float = 1.4, dashed: bool = False
) -> Rectangle:
    x1, y1, x2, y2 = (float(value) - 0.5 for value in box)
    box_drawn = Rectangle(
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
    axes.add_patch(box_drawn)
    return box_drawn


def _edges_of(labels: np.ndarray) -> np.ndarray:
    edges = np.zeros(labels.shape, bool)
    edges[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    edges[1:] |= labels[1:] != labels[:-1]
    return edges

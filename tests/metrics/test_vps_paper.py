"""The rules of the paper's protocol, written out by loops from what is documented of them.

The formulas here are those of the design and of the list of what the authors' code does; nothing
here calls the functions that it is held against.
"""

import dataclasses

import numpy as np
import pytest

from detectors.function import FunctionDetector
from vps import Explanation, Target, explain, measure
from vps.metrics.settings import MetricSettings

AUTHORS = MetricSettings(
    map_rule="vps-paper", pointing_rule="vps-paper", success=((0.35, 0.5), (0.25, 0.5))
)
BOX = (18.4, 9.3, 32.7, 20.9)


def bilinear(grid, height, width):
    """Between the centres of pixels, as images are resized."""
    rows, columns = grid.shape
    found = np.zeros((height, width))
    for i in range(height):
        for j in range(width):
            y = min(max((i + 0.5) * rows / height - 0.5, 0), rows - 1)
            x = min(max((j + 0.5) * columns / width - 0.5, 0), columns - 1)
            top, left = int(y), int(x)
            low, right = min(top + 1, rows - 1), min(left + 1, columns - 1)
            found[i, j] = (
                grid[top, left] * (1 - (y - top)) * (1 - (x - left))
                + grid[top, right] * (1 - (y - top)) * (x - left)
                + grid[low, left] * (y - top) * (1 - (x - left))
                + grid[low, right] * (y - top) * (x - left)
            )
    return found


def their_map(label_map, order, objective, size):
    """Region k of the order gets -sum_{i<=k} |F_i - F_(i-1)|; to [0, 1], then bilinear."""
    grid = np.zeros(label_map.shape)
    value = 0.0
    for k, region in enumerate(order, start=1):
        value -= abs(objective[k] - objective[k - 1])
        grid[label_map == region] = value
    grid = (grid - grid.min()) / (grid.max() - grid.min())
    return bilinear(grid, *size)


def their_energy(heatmap, box):
    x1, y1, x2, y2 = (int(edge) for edge in box)
    inside = sum(heatmap[y, x] for y in range(y1, y2) for x in range(x1, x2))
    return inside / heatmap.sum()


def their_pointing(heatmap, box):
    x1, y1, x2, y2 = (int(edge) for edge in box)
    hits = [(y, x) for y, x in np.argwhere(heatmap == heatmap.max()) if x1 <= x < x2]
    return float(any(y1 <= y < y2 for y, _ in hits))


def trapezoids(areas, scores):
    total = 0.0
    for k in range(1, len(areas)):
        total += (areas[k] - areas[k - 1]) * (scores[k] + scores[k - 1]) / 2
    return total


def their_success(class_scores, ious, theta, iou):
    best = 0.0
    for score, overlap in zip(class_scores, ious, strict=True):
        if overlap > iou and score > best:
            best = score
    return float(best > theta)


def some_explanation(seed):
    """Random regions, order and curves, on a grid of another size than the image."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(3, 12))
    cells = rng.permutation(np.arange(80) % count).reshape(8, 10)
    label_map = np.kron(cells, np.ones((2, 3), int))
    curves = {name: rng.random(count + 1) for name in ("insertion", "deletion")}
    for side in ("insertion", "deletion"):
        curves[f"{side}_class"], curves[f"{side}_iou"] = rng.random((2, count + 1))
        curves[f"{side}_boxes"] = np.zeros((count + 1, 4))
    order = rng.permutation(count)
    areas = np.array([(label_map == region).mean() for region in order])
    return Explanation(
        label_map=label_map,
        order=order,
        objective=curves["insertion"] + 1 - curves["deletion"],
        **curves,
        areas=np.minimum(np.concatenate([[0], np.cumsum(areas)]), 1),
        target=Target(BOX, "lamp"),
        image_size=(31, 44),
        detector="some",
        fill="mean",
        region_method="masks",
        search="greedy",
        mode="object",
        lambdas=(1.0, 1.0),
        labels=("lamp",),
        budget=None,
        seed=0,
        passes=1,
        seconds=0.0,
        versions={},
    )


def lamp(pixels):
    """A box that is the surer, the brighter it is, and that wanders off as its left side goes."""
    light = pixels[:, :, 8:21, 16:34].mean(dim=(1, 2, 3))
    left = pixels[:, :, 8:21, 16:24].mean(dim=(1, 2, 3))
    boxes = np.tile(BOX, (len(pixels), 1, 1))
    boxes[:, 0, 0] += 6 * (1 - np.asarray(left))
    return boxes, light[:, None, None]


def real_explanation():
    image = np.full((31, 44, 3), 30, np.uint8)
    image[9:21, 18:33] = np.random.default_rng(3).integers(150, 255, (12, 15, 1))
    detector = FunctionDetector(lamp, ["lamp"], size=(31, 44))
    return explain(
        detector,
        image,
        Target(BOX, "lamp"),
        regions=24,
        region_method="grid",
        fill="black",
        search="greedy",
        map_rule="vps-paper",
    )


EXPLANATIONS = [*map(some_explanation, range(8)), real_explanation()]


@pytest.mark.parametrize("one", EXPLANATIONS)
def test_equals_the_formulas_by_loops(one):
    values = measure(one, settings=AUTHORS)
    heatmap = their_map(one.label_map, one.order, one.objective, one.image_size)
    ours = dataclasses.replace(one, map_rule="vps-paper").heatmap
    np.testing.assert_allclose(ours, heatmap, atol=1e-6)
    assert values["energy_pointing"] == pytest.approx(their_energy(heatmap, BOX), abs=1e-6)
    assert values["pointing"] == their_pointing(ours, BOX)
    assert values["insertion"] == pytest.approx(trapezoids(one.areas, one.insertion))
    assert values["deletion"] == pytest.approx(trapezoids(one.areas, one.deletion))
    for theta in (0.35, 0.25):
        expected = their_success(one.insertion_class, one.insertion_iou, theta, 0.5)
        assert values[f"success_{100 * theta:g}at50"] == expected


def test_the_rules_differ_where_they_are_said_to():
    target = Target((18, 9, 32, 20), "lamp")
    ours, theirs, same_map = (
        [measure(dataclasses.replace(one, target=target), settings=rules) for one in EXPLANATIONS]
        for rules in (
            MetricSettings(map_rule="vps"),
            AUTHORS,
            MetricSettings(map_rule="vps", pointing_rule="vps-paper"),
        )
    )
    for one, other in zip(ours, theirs, strict=True):
        assert abs(one["energy_pointing"] - other["energy_pointing"]) > 1e-4
        # What does not hang on map or box is the same.
        for name in ("insertion", "deletion", "success_35at50", "highest_score_50"):
            assert one[name] == other[name]
    # On the same map, any pixel at the maximum is never less than the share of them.
    pairs = [(a["pointing"], b["pointing"]) for a, b in zip(ours, same_map, strict=True)]
    assert all(one <= other for one, other in pairs)
    assert any(0 < one < 1 == other for one, other in pairs)

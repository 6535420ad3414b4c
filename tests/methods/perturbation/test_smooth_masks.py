import math

import numpy as np
import torch

from vps.methods.perturbation.smooth_masks import SmoothMasks

SMOOTH = SmoothMasks((64, 32), torch.device("cpu"))


def by_loops(parameters, row, column):
    """The formula read aloud, at a point in units of cells; reaching 5 cells."""
    values = []
    for i in range(math.floor(row) - 5, math.floor(row) + 6):
        for j in range(math.floor(column) - 5, math.floor(column) + 6):
            inside = 0 <= i < parameters.shape[0] and 0 <= j < parameters.shape[1]
            apart = math.hypot(row - (i + 0.5), column - (j + 0.5)) / 3
            kernel = math.exp(-2 * max(apart - 0.5, 0) ** 2)
            values.append(kernel * (float(parameters[i, j]) if inside else 0.0))
    values = np.array(values)
    return (values * np.exp(20 * values)).sum() / np.exp(20 * values).sum()


def test_the_smooth_maximum_is_the_papers_formula():
    assert SMOOTH.grid == (32, 16)
    parameters = torch.rand(1, 32, 16, generator=torch.Generator().manual_seed(0))
    points = SMOOTH.points(parameters)
    # Two points a cell, from a margin of three cells beside the image.
    assert points.shape == (1, 76, 44)
    assert SMOOTH.counts == (76 * 44, 64 * 32)
    for row, column in [(0, 0), (6, 6), (30, 20), (75, 43), (41, 7)]:
        expected = by_loops(parameters[0], row / 2 + 0.25 - 3, column / 2 + 0.25 - 3)
        np.testing.assert_allclose(points[0, row, column], expected, rtol=1e-5)
    # The image has as many pixels as there are points without the margin.
    torch.testing.assert_close(SMOOTH.masks(points), points[:, 6:-6, 6:-6])


def test_a_gradient_comes_back_to_the_cells_nearby():
    parameters = torch.full((2, 32, 16), 0.5, requires_grad=True)
    SMOOTH.masks(SMOOTH.points(parameters))[1, 20, 10].backward()
    assert not parameters.grad[0].any()
    near = parameters.grad[1].nonzero()
    assert near.min(dim=0).values.tolist() == [5, 0]
    assert near.max(dim=0).values.tolist() == [15, 10]


def test_a_mask_of_any_shape_has_the_size_that_was_asked_for():
    for size in ((7, 100), (100, 7), (3, 3), (40, 60)):
        smooth = SmoothMasks(size, torch.device("cpu"))
        masks = smooth.masks(smooth.points(torch.ones(1, *smooth.grid)))
        assert masks.shape == (1, *size)
        assert 0.5 < masks.min() <= masks.max() <= 1

import numpy as np
import pytest

from detectors.function import FunctionDetector
from vps import Target, make_problem
from vps.engine.curves import replay
from vps.engine.pixel_steps import in_pixel_steps, pixel_steps
from vps.errors import InputError


@pytest.mark.parametrize("steps", [1, 7, 49, 192])
def test_parts_are_equal_and_fall_in_value(steps):
    values = np.random.default_rng(0).random((12, 16))
    regions = pixel_steps(values, steps)
    sizes = np.bincount(regions.label_map.ravel())
    assert len(sizes) == steps
    assert np.ptp(sizes) <= 1
    for part in range(steps - 1):
        assert values[regions.label_map == part].min() > values[regions.label_map == part + 1].max()


def test_ties_go_row_by_row_and_few_pixels_are_a_part_each():
    regions = pixel_steps(np.zeros((2, 3)), 2)
    assert regions.label_map.tolist() == [[0, 0, 0], [1, 1, 1]]
    assert regions.method == "pixel-steps"
    assert pixel_steps(np.array([[1.0, 3.0, 2.0]])).label_map.tolist() == [[2, 0, 1]]


@pytest.mark.parametrize("values", [np.zeros(4), np.zeros((0, 4)), np.full((2, 2), np.nan)])
def test_what_is_no_map(values):
    with pytest.raises(InputError, match="a map is"):
        pixel_steps(values)


def test_no_step():
    with pytest.raises(InputError, match="at least one step"):
        pixel_steps(np.ones((2, 2)), 0)


def light(pixels):
    """Two boxes, each as sure as it is bright, the second called something else."""
    boxes = np.tile([[16.0, 8.0, 32.0, 16.0], [0.0, 0.0, 8.0, 8.0]], (len(pixels), 1, 1))
    found = np.zeros((len(pixels), 2, 2))
    found[:, 0, 0] = pixels[:, :, 8:16, 16:32].mean(dim=(1, 2, 3))
    found[:, 1, 1] = pixels[:, :, :8, :8].mean(dim=(1, 2, 3))
    return boxes, found


def test_curves_are_those_of_pixels_shown_and_hidden_in_black_by_loops():
    rng = np.random.default_rng(1)
    image = rng.integers(1, 255, (32, 48, 3), dtype=np.uint8)
    values = rng.random((32, 48)).astype(np.float32)
    detector = FunctionDetector(light, ["lamp", "dog"])
    targets = [Target((0, 0, 8, 8), "dog"), Target((16, 8, 32, 16), "lamp")]
    problem = make_problem(detector, image, targets, regions=9, region_method="grid", fill="mean")
    stepped = in_pixel_steps(problem, 1, values)
    assert (stepped.fill, stepped.targets) == ("black", (targets[1],))
    found = replay(stepped.objectives(stepped.passes())[0], np.arange(49))

    ranked, count = sorted(range(values.size), key=lambda i: -values.flat[i]), values.size
    for step in range(50):
        shown = np.zeros(count, bool)
        shown[ranked[: step * count // 49]] = True
        shown = shown.reshape(values.shape)
        for keep, curve in ((shown, found.insertion), (~shown, found.deletion)):
            seen = image / 255 * keep[:, :, None]
            assert curve[step] == pytest.approx(seen[8:16, 16:32].mean(), abs=1e-5)
        assert found.areas[step] == pytest.approx(shown.mean())
    assert len(found.insertion) == 50

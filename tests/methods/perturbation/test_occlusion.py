import numpy as np
import pytest
import torch

from tests.helpers.analytic import breaking
from tests.helpers.patches import BOX, PATCHES, SIZE, one_box_a_patch, question
from vps.core.targets import Target
from vps.engine.budget import Budget
from vps.errors import InputError
from vps.methods.perturbation.occlusion import Occlusion

TARGETS = (Target(BOX, "dog"), Target(BOX, "bird"))


def scores(asked, image):
    shares = asked.detector.shares(image[None]).clamp(0, 1)
    found = one_box_a_patch(shares)[1][0].numpy()
    # On the target box stands the first candidate; the other has an IoU of 60 / 140 with it.
    return np.max([found[0, 1:], found[1, 1:] * 60 / 140], axis=0)


@pytest.mark.parametrize(
    ("settings", "rows", "columns"),
    [
        # A window of 0.3 of 20 x 30 has 6 x 9 pixels.
        ({"window": 0.3, "stride": 0.14}, [0, 3, 6, 8, 11, 14], [0, 4, 8, 13, 17, 21]),
        ({"window": 0.5, "stride": 0.5}, [0, 10], [0, 15]),
        ({"window": 1.0, "stride": 1.0}, [0], [0]),
    ],
)
@pytest.mark.parametrize("fill", ["black", "blur"])
def test_it_is_what_brute_force_finds(settings, rows, columns, fill):
    asked = question(*TARGETS, fill=fill)
    found = Occlusion(**settings).attribute(asked, Budget(), 3)
    blank = torch.zeros_like(asked.pixels)
    if fill == "blur":
        from vps.core.masking import make_fill

        blank = make_fill(fill, asked.pixels)
    height, width = (int(np.ceil(settings["window"] * length)) for length in SIZE)
    total, times = np.zeros((2, *SIZE)), np.zeros(SIZE)
    whole = scores(asked, asked.pixels)
    for top in rows:
        for left in columns:
            image = asked.pixels.clone()
            inside = np.s_[top : top + height, left : left + width]
            image[:, inside[0], inside[1]] = blank[:, inside[0], inside[1]]
            drop = whole - scores(asked, image)
            total[(slice(None), *inside)] += drop[:, None, None]
            times[inside] += 1
    assert times.min() > 0
    np.testing.assert_allclose(found.maps, total / times, atol=1e-6)
    assert found.passes == len(rows) * len(columns) + 1


@pytest.mark.parametrize("window", [0.05, 0.13, 0.25, 1 / 3, 0.9])
@pytest.mark.parametrize("part", [1, 0.5, 0.3])
def test_no_pixel_is_left_out_at_any_size(window, part):
    method = Occlusion(window, window * part)
    for length in range(1, 60):
        windows = method._windows(length)
        assert windows[0][0] == 0
        assert windows[-1][1] == length
        assert len(windows) <= method._along_a_side
        assert all(end >= start for (_, end), (start, _) in zip(windows, windows[1:], strict=False))


@pytest.mark.parametrize("passes", [2, 5, 17, 82, 101, 2000])
def test_with_passes_it_makes_use_of_them(passes):
    method = Occlusion().with_passes(passes)
    planned = method.planned_passes(question())
    assert planned <= passes
    # Windows are a whole number along each side, which has 20 and 30 pixels.
    assert planned > 0.6 * min(passes, 400)


def test_the_maximum_lies_in_what_the_detector_reads():
    for target, (top, bottom, left, right) in zip(TARGETS, PATCHES, strict=True):
        (values,) = Occlusion().attribute(question(target)).maps
        row, column = np.unravel_index(values.argmax(), SIZE)
        assert top - 2 <= row < bottom + 2
        assert left - 3 <= column < right + 3


def test_more_windows_than_passes():
    asked = question()
    with pytest.raises(InputError, match="81 passes are too few for occlusion.*larger stride"):
        Occlusion().attribute(asked, Budget(passes=81))
    assert not asked.detector.seen


def test_ended_early_no_pixel_is_without_a_value():
    asked = question(batch_size=4)
    breaking(asked.detector, {2: KeyboardInterrupt()})
    found = Occlusion().attribute(asked, Budget(), 0)
    assert (found.passes, found.stopped) == (8, "interrupted")
    assert np.isfinite(found.maps).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"window": 0.0}, r"window must be a share of the image in \(0, 1\], got 0"),
        ({"window": 1.5}, "window must be a share"),
        ({"stride": 0.0}, "stride must be in"),
        ({"stride": 0.3}, "or pixels are left out; got 0.3 with windows of 0.2"),
        ({"stride": 0.001}, "801 windows along a side are too many"),
        ({"stride": "a"}, "stride must be a number"),
    ],
)
def test_what_it_cannot_be_set_to(settings, message):
    with pytest.raises(InputError, match=message):
        Occlusion(**settings)

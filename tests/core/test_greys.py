import numpy as np
import pytest
from PIL import Image

from vps.core.greys import eight_bits, grey_range
from vps.errors import InputError


@pytest.mark.parametrize(
    ("low", "high", "whole", "found"),
    [
        (0, 255, True, (0, 255)),
        (0, 256, True, (0, 1023)),
        (90, 4095, True, (0, 4095)),
        (0, 65535, True, (0, 65535)),
        (0, 1, True, (0, 1)),  # a mask
        (0.0, 1.0, False, (0, 1)),
        (0.0, 200.5, False, (0, 255)),
        (29000, 31000, True, (29000, 31000)),
        (-40.0, 60.0, False, (-40, 60)),
        (0.0, 1e12, False, (0, 1e12)),
        (65535, 65535, True, (0, 65535)),
        (-5, -5, True, (-5, -4)),
    ],
)
def test_the_range_of_grey_values(low, high, whole, found):
    assert grey_range(low, high, whole) == found


@pytest.mark.parametrize("factor", [257, 16, 4])
def test_what_was_stored_with_more_bits_comes_out_as_in_eight(factor):
    eight = np.random.default_rng(0).integers(0, 256, (9, 7)).astype(np.uint8)
    eight[0, :2] = 0, 255
    picture, note = eight_bits(Image.fromarray(eight.astype(np.uint16) * factor))
    assert np.abs(np.asarray(picture).astype(int) - eight).max() <= 1
    assert f"0 to {255 * factor}" in note


def test_nothing_is_clipped_where_an_image_has_a_range_of_its_own():
    warm = np.linspace(29000, 31000, 64).reshape(8, 8).astype(np.uint16)
    pixels = np.asarray(eight_bits(Image.fromarray(warm))[0])
    assert (pixels.min(), pixels.max(), len(np.unique(pixels))) == (0, 255, 64)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_no_number_is_refused(bad):
    with pytest.raises(InputError, match="no numbers"):
        eight_bits(Image.fromarray(np.array([[0.5, bad]], np.float32)))

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from tests.helpers.analytic import photo
from vps.core.masking import DATASET_MEAN, FILLS, Masker, check_fill, make_fill
from vps.core.regions import make_regions
from vps.errors import InputError

PIXELS = torch.from_numpy(photo().astype(np.float32) / 255).permute(2, 0, 1)
REGIONS = make_regions(PIXELS, 7)


def expected_fill(fill) -> np.ndarray:
    pixels = PIXELS.numpy()
    colours = {"mean": DATASET_MEAN, "black": (0, 0, 0), "image-mean": pixels.mean((1, 2))}
    if fill == "blur":
        return np.stack([gaussian_filter(channel, 1.0, mode="nearest") for channel in pixels])
    colour = np.array(colours.get(fill, fill) if isinstance(fill, str) else fill, np.float32)
    return np.broadcast_to(colour[:, None, None], pixels.shape)


@pytest.mark.parametrize("fill", [*FILLS, (0.1, 0.2, 0.3)])
@pytest.mark.parametrize("batch", [1, 3])
def test_equals_a_loop_over_pixels(fill, batch):
    hidden = make_fill(fill, PIXELS)
    wanted_hidden = expected_fill(fill)
    np.testing.assert_allclose(
        np.broadcast_to(hidden.numpy(), PIXELS.shape), wanted_hidden, atol=1e-6
    )
    hidden = hidden.expand_as(PIXELS)
    keep = np.random.default_rng(0).random((batch, REGIONS.count)) < 0.5
    masker = Masker(PIXELS, torch.tensor(REGIONS.label_map), make_fill(fill, PIXELS), 3)
    shown = masker(torch.from_numpy(keep))
    assert shown.shape == (batch, *PIXELS.shape)
    for image, kept in zip(shown, keep, strict=True):
        for row, column in np.ndindex(REGIONS.label_map.shape):
            source = PIXELS if kept[REGIONS.label_map[row, column]] else hidden
            assert torch.equal(image[:, row, column], source[:, row, column])


def test_the_image_itself_is_never_touched():
    before = PIXELS.clone()
    masker = Masker(PIXELS, torch.tensor(REGIONS.label_map), make_fill("blur", PIXELS), 2)
    masker(torch.zeros(2, REGIONS.count))
    assert torch.equal(PIXELS, before)


@pytest.mark.parametrize("fill", ["blak", (0.1, 0.2), (0.1, 0.2, 1.3), (0.1, 0.2, float("nan")), 7])
def test_unusable_fills(fill):
    with pytest.raises(InputError, match="fill"):
        check_fill(fill)


def test_names():
    assert check_fill("blur") == "blur"
    assert check_fill((0.5, 0.25, 1)) == "0.5,0.25,1"

import pytest
import torch

from detectors.shared.features import (
    Placement,
    levels_within,
    multiple_of,
    on_pixels,
    token_grid,
)
from vps.errors import InputError


@pytest.mark.parametrize(
    ("count", "whole", "expected"),
    [
        (12, (48, 64), (3, 4)),
        (12, (47, 50), (3, 4)),  # the last places stick out
        (6, (47, 50), (2, 3)),  # or what they would stick out by is left
        (1, (10, 9), (1, 1)),
        (50 * 40, (800, 640), (50, 40)),
    ],
)
def test_tokens_are_a_grid_of_squares(count, whole, expected):
    assert token_grid(count, whole) == expected


def test_tokens_that_are_none():
    with pytest.raises(InputError, match="7 tokens are no grid over an input of 64 x 64 pixels"):
        token_grid(7, (64, 64))


def test_tokens_keep_their_places_and_others_are_left_out():
    places = torch.arange(12.0).view(1, 3, 4)
    tokens = torch.cat([torch.tensor([-1.0]), places.flatten(), torch.tensor([-2.0, -3.0])])
    grid = on_pixels(before=1, after=2)(tokens[None, :, None], (48, 64))
    assert torch.equal(grid, places[None])


def test_what_lies_on_padding_is_cut_off():
    cells = torch.arange(24.0).view(1, 1, 4, 6)
    place = multiple_of(32)
    assert place((60, 70)) == Placement((64, 96))
    assert torch.equal(on_pixels(place)(cells, (60, 70)), cells[..., :4])
    centred = on_pixels(lambda _: Placement((64, 96), top=16, left=16))
    assert torch.equal(centred(cells, (32, 64)), cells[:, :, 1:3, 1:5])
    small = on_pixels(lambda _: Placement((64, 96), top=60, left=90))
    assert torch.equal(small(cells, (4, 4)), cells[:, :, 3:, 5:])


def test_levels_come_with_the_finest_first():
    module = torch.nn.Identity()
    trial = {"deep": torch.zeros(1, 8, 2, 3), "fine": torch.zeros(1, 4, 4, 6)}
    layers = levels_within(module, trial)
    assert [layer.pick(trial).shape[1] for layer in layers.values()] == [4, 8]
    assert list(layers) == ["neck.0", "neck.1"]
    assert list(levels_within(module, trial["deep"])) == ["neck.0"]

import numpy as np
import pytest
import torch
from skimage.transform import resize

from vps.methods.perturbation.masks import MaskSums, random_masks


@pytest.mark.parametrize("p", [0.2, 0.5])
@pytest.mark.parametrize("size", [(24, 36), (37, 23), (5, 40)])
def test_masks_lie_in_0_to_1_with_mean_p_everywhere(size, p):
    masks = random_masks(range(3000), size, grid=8, p=p, seed=0)
    assert masks.shape == (3000, *size)
    assert masks.dtype == torch.float32
    assert masks.min() >= 0
    assert masks.max() <= 1
    # A mask varies by at most sqrt(p (1 - p)) at a pixel: five standard errors.
    assert (masks.mean(0) - p).abs().max() < 5 * (p * (1 - p) / 3000) ** 0.5


def test_a_mask_depends_on_its_number_and_the_seed_alone():
    settings = {"size": (20, 30), "grid": 4, "p": 0.5}
    row = random_masks(range(6), seed=1, **settings)
    assert torch.equal(row[[4, 2]], random_masks([4, 2], seed=1, **settings))
    assert not torch.equal(row, random_masks(range(6), seed=2, **settings))
    assert len({mask.numpy().tobytes() for mask in row}) == 6


@pytest.mark.parametrize(("size", "cell"), [((20, 30), (5, 8)), ((16, 16), (4, 4))])
def test_masks_are_cut_out_of_a_grid_enlarged_by_another_library(size, cell):
    for number, mask in enumerate(random_masks(range(8), size, grid=4, p=0.4, seed=3)):
        rng = np.random.default_rng((3, number))
        coarse = (rng.random((4, 4)) < 0.4).astype(float)
        large = resize(
            coarse, (5 * cell[0], 5 * cell[1]), order=1, mode="edge", anti_aliasing=False
        )
        places = [
            large[top : top + size[0], left : left + size[1]]
            for top in range(cell[0] + 1)
            for left in range(cell[1] + 1)
        ]
        assert min(np.abs(mask.numpy() - place).max() for place in places) < 1e-5


def test_all_shifts_from_none_to_a_whole_cell_occur(monkeypatch):
    # A ramp in place of the enlarged grid of 5 x 5 pixels tells where a mask was cut.
    ramp = (torch.arange(25) / 25).view(1, 1, 5, 5)
    monkeypatch.setattr(
        "vps.methods.perturbation.masks.interpolate", lambda cells, size, mode: ramp
    )
    first = {
        float(random_masks([number], (4, 4), grid=4, p=0.5, seed=0)[0, 0, 0])
        for number in range(50)
    }
    assert first == {float(ramp[0, 0, row, column]) for row in (0, 1) for column in (0, 1)}


def test_sums_of_masks_are_divided_by_what_they_showed_or_by_its_expectation():
    masks = torch.tensor([[[1.0, 0.5, 0.0]], [[1.0, 0.0, 0.0]], [[0.0, 0.25, 0.0]]])
    weights = torch.tensor([[0.2, 1.0], [0.6, 1.0], [0.8, 1.0]])
    sums = MaskSums(2, (1, 3))
    sums.add(masks[:2], weights[:2])
    sums.add(masks[2:], weights[2:])
    # A pixel that no mask showed has 0.
    means = torch.tensor([[[0.4, 0.4, 0.0]], [[1.0, 1.0, 0.0]]], dtype=torch.float64)
    torch.testing.assert_close(sums.maps("coverage", p=0.3), means)
    shown = torch.tensor([2.0, 0.75, 0.0], dtype=torch.float64)
    torch.testing.assert_close(sums.maps("expected", p=0.3), means * shown / (3 * 0.3))

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from detectors.shared.pixels import choose_device, sampled, to_pixels
from vps.errors import InputError


@pytest.mark.parametrize(
    ("shape", "size"),
    [((61, 47), (13, 20)), ((5, 9), (16, 30)), ((1, 40), (3, 7)), ((8, 8), (8, 8))],
)
def test_sampling_is_torchs_without_smoothing(shape, size):
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    whole = to_pixels(image, shape, torch.device("cpu"))
    wanted = interpolate(whole[None], size, mode="bilinear")[0]
    found = sampled(image, size, torch.device("cpu"))
    assert found.shape == (3, *size)
    assert torch.allclose(found, wanted, atol=1e-5)


def test_a_gpu_of_apple_is_taken_where_there_is_one(monkeypatch):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose_device("mps").type == "mps"
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(InputError, match="device mps was .* GPU of an Apple computer.*; use cpu"):
        choose_device("mps")
    with pytest.raises(InputError, match="unknown device 'msp'; use cpu, cuda, cuda:0 or mps"):
        choose_device("msp")

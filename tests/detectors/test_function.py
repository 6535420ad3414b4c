import numpy as np
import pytest
import torch

from detectors.function import FunctionDetector
from tests.helpers.contract import check_contract, picture
from vps.errors import DetectorError, InputError


def brightness(pixels):
    """One box, the left half of the grid; scored by how bright it is, and how dark."""
    count, _, height, width = pixels.shape
    score = pixels[..., : width // 2].mean((1, 2, 3))
    boxes = pixels.new_tensor([0, 0, width / 2, height]).expand(count, 1, 4)
    return boxes, torch.stack([score, 1 - score], -1)[:, None]


@pytest.mark.parametrize("size", [None, (32, 24)])
def test_contract(size):
    check_contract(FunctionDetector(brightness, ("bright", "dark"), size=size))


def test_boxes_are_scaled_from_the_grid_to_the_image():
    detector = FunctionDetector(brightness, ["bright", "dark"], size=(32, 24))
    pixels = detector.prepare(picture((60, 80)))
    assert pixels.shape == (3, 32, 24)
    found = detector.detect(pixels[None], (60, 80))
    assert torch.allclose(found.boxes, torch.tensor([[[0.0, 0, 40, 60]]]))


def test_native_size_keeps_the_pixels():
    image = picture((20, 30))
    pixels = FunctionDetector(brightness, ["bright", "dark"]).prepare(image)
    assert torch.equal((pixels * 255).round().byte(), torch.from_numpy(image).permute(2, 0, 1))


def test_numpy_is_accepted():
    def function(pixels):
        return np.ones((len(pixels), 2, 4)), np.full((len(pixels), 2, 1), 0.5)

    found = FunctionDetector(function, ["one"]).detect(torch.zeros(3, 3, 8, 8), (8, 8))
    assert found.boxes.shape == (3, 2, 4)
    assert found.scores.dtype == torch.float32


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (None, "must return"),
        ((torch.zeros(1, 2, 4), torch.zeros(1, 2, 1)), "given 3 images"),
        ((torch.zeros(3, 2, 4), torch.zeros(3, 2, 5)), "scores must have shape"),
        ((torch.zeros(3, 2, 4), torch.full((3, 2, 1), 1.5)), "lie in"),
        ((torch.zeros(3, 2, 4), torch.full((3, 2, 1), torch.nan)), "NaN"),
    ],
)
def test_a_function_that_breaks_the_contract(returned, message):
    detector = FunctionDetector(lambda pixels: returned, ["one"])
    with pytest.raises(DetectorError, match=message):
        detector.detect(torch.zeros(3, 3, 8, 8), (8, 8))


@pytest.mark.parametrize(
    "settings",
    [{"labels": []}, {"labels": "dog"}, {"labels": ["a", "a"]}, {"size": (0, 3)}],
)
def test_settings_are_checked(settings):
    with pytest.raises(InputError):
        FunctionDetector(brightness, **{"labels": ["a", "b"], **settings})


def test_devices_are_checked():
    with pytest.raises(InputError, match="unknown device"):
        FunctionDetector(brightness, ["a", "b"], device="quantum")


def test_pixels_are_checked():
    detector = FunctionDetector(brightness, ["a", "b"])
    with pytest.raises(InputError, match="stack what prepare"):
        detector.detect(torch.zeros(3, 8, 8), (8, 8))

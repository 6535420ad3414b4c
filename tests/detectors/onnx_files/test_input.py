import pytest
import torch

from detectors.onnx_files.config import InputConfig
from detectors.onnx_files.input import arranged, corner, fitted_content


@pytest.mark.parametrize(
    ("size", "placement", "expected"),
    [
        ((416, 416), "corner", (416, 416)),
        ((427, 640), "corner", (277, 416)),
        ((427, 640), "centre", (278, 416)),
        ((427, 640), "stretch", (416, 416)),
        ((100, 50), "corner", (416, 208)),
        ((1, 900), "centre", (1, 416)),
        ((427, 640), "free", (278, 416)),
    ],
)
def test_fitted(size, placement, expected):
    assert fitted_content(size, InputConfig((416, 416), placement=placement)) == expected


@pytest.mark.parametrize(
    ("placement", "expected"), [("corner", (0, 0)), ("centre", (1, 3)), ("stretch", (0, 0))]
)
def test_where_pixels_start(placement, expected):
    assert corner((7, 4), InputConfig((10, 10), placement=placement)) == expected


def test_a_free_size_is_that_of_the_shorter_side_unless_the_longer_is_too_long():
    config = InputConfig((800, 1333), placement="free")
    for size, expected in [((480, 640), (800, 1067)), ((640, 480), (1067, 800))]:
        assert fitted_content(size, config) == expected
    assert fitted_content((100, 400), config) == (333, 1333)
    assert arranged(torch.rand(1, 3, 7, 9), config).shape == (1, 3, 7, 9)


def test_pixels_are_padded_on_the_scale_of_the_model():
    pixels = torch.rand(2, 3, 4, 4)
    batch = arranged(pixels, InputConfig((4, 6), "rgb", 1.0, 0.5))
    assert torch.equal(batch[..., :4], pixels)
    assert (batch[..., 4:] == 0.5).all()


def test_pixels_in_the_middle_with_channels_last():
    config = InputConfig((6, 8), "bgr", 255, 114, placement="centre", layout="nhwc")
    pixels = torch.rand(1, 3, 4, 4)
    batch = arranged(pixels, config)
    assert batch.shape == (1, 6, 8, 3)
    assert torch.equal(batch[0, 1:5, 2:6].permute(2, 0, 1), pixels[0].flip(0) * 255)
    batch[0, 1:5, 2:6] = 114
    assert (batch == 114).all()


def test_mean_and_std_are_in_the_order_of_the_channels():
    config = InputConfig((2, 2), "bgr", mean=(10, 20, 30), std=(1, 2, 4))
    batch = arranged(torch.tensor([1, 0.5, 0]).reshape(1, 3, 1, 1).expand(1, 3, 2, 2), config)
    assert batch[0, :, 0, 0].tolist() == [0 - 10, (127.5 - 20) / 2, (255 - 30) / 4]


def test_bytes_are_rounded():
    pixels = torch.tensor([0, 99.6, 255]).reshape(1, 3, 1, 1) / 255
    batch = arranged(pixels, InputConfig((1, 1)), torch.uint8)
    assert batch.flatten().tolist() == [0, 100, 255]

import numpy as np
import pytest
from PIL import Image

from vps.core.images import as_rgb, read_image
from vps.errors import InputError


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "CMYK", "1"])
def test_files_of_any_mode_come_out_as_rgb(tmp_path, mode):
    Image.new("RGB", (5, 3), (200, 10, 30)).convert(mode).save(tmp_path / "image.tif")
    image = read_image(tmp_path / "image.tif")
    assert image.shape == (3, 5, 3)
    assert image.dtype == np.uint8
    if mode in ("RGB", "RGBA"):
        assert image[0, 0].tolist() == [200, 10, 30]


def test_the_orientation_of_a_camera_is_followed(tmp_path):
    image = Image.new("RGB", (6, 4))
    exif = image.getexif()
    exif[0x0112] = 6  # the camera was turned by a quarter
    image.save(tmp_path / "turned.jpg", exif=exif)
    assert read_image(tmp_path / "turned.jpg").shape == (6, 4, 3)


def test_grey_arrays_get_three_channels():
    grey = np.arange(6, dtype=np.uint8).reshape(2, 3)
    assert np.array_equal(as_rgb(grey), np.stack([grey] * 3, axis=-1))
    assert np.array_equal(as_rgb(grey[..., None]), as_rgb(grey))


def test_an_array_is_left_as_it_is():
    image = np.random.default_rng(0).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    assert np.array_equal(as_rgb(image), image)
    assert np.array_equal(as_rgb(Image.fromarray(image)), image)


@pytest.mark.parametrize(
    "image", [np.zeros((4, 5, 3)), np.zeros((4, 5, 4), np.uint8), np.zeros((0, 5, 3), np.uint8)]
)
def test_other_arrays_are_refused(image):
    with pytest.raises(InputError, match="image"):
        as_rgb(image)


def test_files_that_cannot_be_read(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="does not exist"):
        read_image(tmp_path / "no.png")
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "whole.jpg")
    whole = (tmp_path / "whole.jpg").read_bytes()
    (tmp_path / "half.jpg").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="truncated"):
        read_image(tmp_path / "half.jpg")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(InputError, match="too large"):
        read_image(tmp_path / "whole.jpg")

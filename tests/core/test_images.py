import io

import numpy as np
import pytest
from PIL import Image

from tests.helpers.attacks import BAD_IMAGES, POSTSCRIPT, picture
from vps.core.images import as_rgb, decode_image, open_image, read_image, stored_size
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


def test_the_first_frame_of_a_film_is_read(tmp_path):
    frames = [Image.new("RGB", (5, 3), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "film.gif", save_all=True, append_images=frames[1:])
    assert read_image(tmp_path / "film.gif")[0, 0].tolist() == [255, 0, 0]


def test_a_phones_picture_of_several_is_read(tmp_path):
    frames = [Image.new("RGB", (5, 3), "white") for _ in range(2)]
    frames[0].save(tmp_path / "phone.jpg", "MPO", save_all=True, append_images=frames[1:])
    assert (read_image(tmp_path / "phone.jpg") == 255).all()


@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF", "PPM", "JPEG", "WEBP", "GIF"])
def test_photographs_are_read_whatever_they_are_called(tmp_path, form):
    (tmp_path / "picture.eps").write_bytes(picture(form))
    assert read_image(tmp_path / "picture.eps").shape == (6, 8, 3)
    assert stored_size(tmp_path / "picture.eps") == (6, 8)


@pytest.mark.parametrize("form", ["TGA", "PCX", "ICO", "SGI", "EPS"])
def test_other_formats_are_refused_whatever_they_are_called(tmp_path, form):
    (tmp_path / "picture.jpg").write_bytes(picture(form))
    with pytest.raises(InputError, match="picture.jpg is not an image of a format that is read"):
        read_image(tmp_path / "picture.jpg")


@pytest.mark.parametrize("name", ["picture.jpg", "picture.eps", "picture"])
def test_no_image_runs_a_program(tmp_path, no_programs, name):
    (tmp_path / name).write_bytes(POSTSCRIPT)
    for read in (read_image, open_image, stored_size):
        with pytest.raises(InputError, match="image"):
            read(tmp_path / name)
    with pytest.raises(InputError, match="cell 3 is not an image"):
        decode_image(io.BytesIO(POSTSCRIPT), "cell 3")
    assert no_programs == []


@pytest.mark.parametrize("make", BAD_IMAGES.values(), ids=BAD_IMAGES)
def test_whatever_is_wrong_with_an_image_is_one_error_that_names_it(tmp_path, make):
    path = make(tmp_path)
    with pytest.raises(InputError, match=r"image .*\.jpg") as caught:
        read_image(path)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize("error", [RuntimeError, ValueError, KeyError, MemoryError, EOFError])
def test_whatever_a_decoder_raises_is_an_error_of_the_image(monkeypatch, error):
    def fail(*_):
        raise error("cuda error: out of memory")

    monkeypatch.setattr(Image.Image, "convert", fail)
    with pytest.raises(InputError, match="cell 3") as caught:
        decode_image(io.BytesIO(picture()), "cell 3")
    assert caught.value.__cause__ is None
    with pytest.raises(InputError, match="the image"):
        as_rgb(Image.new("RGB", (5, 3)))


@pytest.mark.parametrize(
    "image",
    [np.zeros((4, 5, 3)), np.zeros((4, 5, 4), np.uint8), np.zeros((0, 5, 3), np.uint8)]
    + [Image.new("RGB", (0, 5))],
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

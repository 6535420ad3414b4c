import io

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from tests.helpers.attacks import BAD_IMAGES, POSTSCRIPT, picture
from vps.core import images
from vps.core.images import (
    ImageReading,
    as_rgb,
    decode_image,
    open_image,
    read_header,
    read_image,
    stored_size,
)
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


@pytest.mark.parametrize("form", ["jpg", "png", "tif", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_image_is_read_as_turned_or_as_stored(tmp_path, form, orientation):
    blocks = np.arange(6, dtype=np.uint8).reshape(2, 3) * 40
    stored = np.kron(blocks, np.ones((16, 16), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"photo.{form}"
    Image.fromarray(stored).convert("RGB").save(path, exif=exif)
    header = read_header(path)
    assert (header.stored, header.orientation) == (stored.shape, orientation)
    as_it_is = read_image(path, ImageReading(exif="stored"))[..., 0].astype(int)
    assert as_it_is.shape == stored.shape
    assert np.abs(as_it_is - stored).mean() < 6
    # By EXIF: which rows and columns of what is stored the first row and column become.
    turns = [lambda a: a, np.fliplr, lambda a: a[::-1, ::-1], np.flipud, np.transpose]
    turns += [lambda a: np.rot90(a, -1), lambda a: a[::-1, ::-1].T, np.rot90]
    turned = read_image(path)[..., 0].astype(int)
    assert turned.shape == header.turned
    assert np.array_equal(turned, turns[orientation - 1](as_it_is))


@pytest.mark.parametrize("form", ["jpg", "png", "tif"])
@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_a_large_image_is_read_at_a_lower_resolution(tmp_path, monkeypatch, form, orientation):
    monkeypatch.setattr(images, "LARGE", 1000)
    ramp = np.add.outer(np.arange(120), np.arange(200)).astype(np.float64)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"large.{form}"
    Image.fromarray((ramp * 255 / ramp.max()).astype(np.uint8)).save(path, exif=exif)
    whole = open_image(path)
    part = open_image(path, lambda size: (size[0] // 8, size[1] // 8))
    assert part.size == whole.size == whole.pixels.shape[:2]
    assert part.pixels.size * 20 < whole.pixels.size
    again = Image.fromarray(part.pixels).resize(whole.size[::-1])
    assert np.abs(np.asarray(again).astype(int) - whole.pixels).mean() < 4


def test_a_grey_image_of_sixteen_bits_is_not_clipped(tmp_path):
    eight = np.arange(0, 250, dtype=np.uint8).reshape(10, 25)
    for form in ("png", "tif"):
        Image.fromarray(eight.astype(np.uint16) * 257).save(tmp_path / f"deep.{form}")
        pixels = read_image(tmp_path / f"deep.{form}")
        assert np.array_equal(pixels, np.stack([eight] * 3, axis=-1))
    assert np.array_equal(as_rgb(Image.fromarray(eight.astype(np.uint16) * 257)), pixels)


def test_a_long_text_is_no_reason_not_to_read_an_image(tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (5, 4, 3), dtype=np.uint8)
    text = PngImagePlugin.PngInfo()
    text.add_text("parameters", "x" * 3_000_000, zip=True)
    Image.fromarray(image).save(tmp_path / "made.png", pnginfo=text)
    limits = Image.MAX_IMAGE_PIXELS, PngImagePlugin.MAX_TEXT_CHUNK
    assert np.array_equal(read_image(tmp_path / "made.png"), image)
    whole = (tmp_path / "made.png").read_bytes()
    start = whole.index(b"zTXt") - 4
    end = whole.index(b"IDAT") - 4
    late = whole[:start] + whole[end:-12] + whole[start:end] + whole[-12:]  # behind the pixels
    assert np.array_equal(decode_image(io.BytesIO(late), "it"), image)
    assert limits == (Image.MAX_IMAGE_PIXELS, PngImagePlugin.MAX_TEXT_CHUNK)


def test_more_pixels_than_usual_are_read_if_they_are_allowed(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    Image.new("RGB", (6, 5)).save(tmp_path / "image.png")
    with pytest.raises(InputError, match="too large.*more than 20;.*--max-pixels 30"):
        read_image(tmp_path / "image.png")
    assert read_image(tmp_path / "image.png", ImageReading(max_pixels=30)).shape == (5, 6, 3)
    assert read_header(tmp_path / "image.png").stored == (5, 6)


@pytest.mark.parametrize("settings", [{"exif": "turned"}, {"max_pixels": 0}, {"max_pixels": 1.5}])
def test_settings_of_reading_are_checked(settings):
    with pytest.raises(InputError, match=next(iter(settings))):
        ImageReading(**settings)

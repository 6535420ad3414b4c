import numpy as np
import pytest
from PIL import Image

from tests.helpers.analytic import photo
from vps.core.images import OpenedImage
from vps.core.pictures import drawable, kept, paper, shrunk
from vps.errors import InputError


def test_a_picture_shows_no_more_than_it_can(tmp_path):
    Image.new("RGB", (3000, 1000), (10, 20, 30)).save(tmp_path / "wide.png")
    shown = drawable(tmp_path / "wide.png", (1000, 3000), "it is of")
    assert shown.shape == (500, 1500, 3)
    assert shown[250, 700].tolist() == [10, 20, 30]
    assert shrunk(shown, 1500) is shown


def test_an_image_of_another_size_is_none():
    with pytest.raises(InputError, match=r"it is of an image of \(3, 4\) pixels"):
        drawable(photo(), (3, 4), "it is of")


def test_what_is_kept_is_small_and_a_copy():
    image = photo()
    one = kept(OpenedImage(image, (12, 16), "a.png"))
    image[:] = 0
    np.testing.assert_array_equal(one.pixels, photo())
    assert (one.size, one.name) == ((12, 16), "a.png")
    large = kept(OpenedImage(photo(100, 2000), (1000, 20000)))
    assert large.pixels.shape == (50, 1000, 3)
    assert large.size == (1000, 20000)


def test_paper_is_grey_and_has_the_size():
    sheet = paper((3000, 2000))
    assert sheet.size == (3000, 2000)
    assert sheet.pixels.shape == (1000, 667, 3)
    assert set(sheet.pixels.ravel()) == {222}

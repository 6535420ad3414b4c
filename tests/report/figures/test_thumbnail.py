import dataclasses

import numpy as np
import pytest
from PIL import Image

from tests.helpers.analytic import photo
from vps.core.targets import Target
from vps.errors import OutputError
from vps.report.figures.thumbnail import thumbnail


def pixels(path):
    return np.asarray(Image.open(path)).astype(int)


def near(picture, colour, tolerance=60):
    """(H, W) bool: where a picture has about a colour."""
    return (np.abs(picture - np.array(colour)) < tolerance).all(-1)


@pytest.mark.parametrize(
    ("size", "expected"), [((200, 400), (120, 484)), ((800, 400), (360, 364)), ((2, 2), (240, 484))]
)
def test_pictures_keep_the_shape_of_the_image(explanation, tmp_path, size, expected):
    box = (0.0, 0.0, float(size[1]), float(size[0]))
    own = dataclasses.replace(explanation, image_size=size, target=Target(box, "dog"))
    path = thumbnail(own, photo(*size), tmp_path / "new" / "a.jpg")
    assert pixels(path).shape[:2] == expected
    assert [file.name for file in path.parent.iterdir()] == ["a.jpg"]


@pytest.mark.parametrize("size", [(20, 1), (1, 20), (1, 1), (5000, 1), (1, 5000)])
def test_images_of_a_single_row_or_column_have_a_picture(explanation, tmp_path, size):
    box = (0.0, 0.0, float(size[1]), float(size[0]))
    own = dataclasses.replace(explanation, image_size=size, target=Target(box, "dog"))
    picture = pixels(thumbnail(own, photo(*size), tmp_path / "a.jpg", hidden=(0, 2)))
    assert min(picture.shape[:2]) >= 1


def test_the_map_lies_on_the_right_and_is_that_of_the_method(explanation, tmp_path):
    image = np.full((120, 240, 3), 128, np.uint8)
    own = dataclasses.replace(explanation, image_size=(120, 240))
    saliency = np.zeros(own.label_map.shape, np.float32)
    saliency[:, :5] = 1
    for other, brightest in ((own, 2), (dataclasses.replace(own, saliency=saliency), 0)):
        picture = pixels(thumbnail(other, image, tmp_path / "a.jpg"))
        # Four regions side by side; the first of the order is region 2.
        regions = picture[100:115, 244:].sum(-1).reshape(15, 4, 60).mean((0, 2))
        assert regions.argmax() == brightest


def test_what_was_said_has_a_colour_of_its_own(explanation, tmp_path):
    image = np.full((120, 240, 3), 128, np.uint8)
    target = Target((20.0, 20.0, 80.0, 80.0), "dog", predicted_box=(120.0, 20.0, 300.0, 80.0))
    own = dataclasses.replace(explanation, image_size=(120, 240), target=target)
    left = pixels(thumbnail(own, image, tmp_path / "a.jpg"))[:, :240]
    assert near(left, (240, 176, 0))[:, :100].sum() > 100
    # Over the border, it is still drawn inside.
    assert near(left, (86, 180, 233))[:, 110:].sum() > 100
    plain = dataclasses.replace(own, target=dataclasses.replace(target, predicted_box=None))
    left = pixels(thumbnail(plain, image, tmp_path / "b.jpg"))[:, :240]
    assert near(left, (86, 180, 233)).sum() == 0


def test_what_to_hide_is_outlined_on_the_image(explanation, tmp_path):
    """Four regions side by side; regions 1 and 2 together are one area."""
    image = np.full((120, 240, 3), 128, np.uint8)
    target = Target((100.0, 50.0, 140.0, 70.0), "dog")
    own = dataclasses.replace(explanation, image_size=(120, 240), target=target)
    left = pixels(thumbnail(own, image, tmp_path / "a.jpg", hidden=(1, 2)))[:, :240]
    marked = near(left, (213, 94, 0))
    rows, columns = np.flatnonzero(marked.any(1)), np.flatnonzero(marked.any(0))
    assert (columns[0], columns[-1]) == (60, 179)
    assert (rows[0], rows[-1]) == (0, 119)
    # Not between the two, nor inside.
    assert not marked[20:40, 70:170].any()
    plain = pixels(thumbnail(own, image, tmp_path / "b.jpg"))[:, :240]
    assert not near(plain, (213, 94, 0)).any()


def test_a_constant_map_gives_a_picture_without_warnings(explanation, tmp_path, recwarn):
    flat = dataclasses.replace(explanation, objective=np.zeros(5))
    thumbnail(flat, photo(20, 40), tmp_path / "a.jpg")
    assert not recwarn.list


def test_a_path_that_cannot_be_written_is_an_error(explanation, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        thumbnail(explanation, photo(20, 40), tmp_path / "file" / "a.jpg")

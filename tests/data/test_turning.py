import warnings

import numpy as np
import pytest
from PIL import Image

from vps.data.dataset import Annotation, Dataset, ImageEntry
from vps.data.image_files import ImageFile, ImageFolder
from vps.data.readers.formats import open_dataset
from vps.data.turning import Turning
from vps.errors import InputError

WIDE, SQUARE = (20, 30), (20, 20)


@pytest.fixture
def photo(tmp_path):
    """Makes an entry of a photo, stored as `stored`, with a bright corner at its upper left."""

    def make(number, stored, orientation, size=None, box=(0, 0, 5, 5)):
        pixels = np.zeros((*stored, 3), np.uint8)
        pixels[:8, :8] = 255
        exif = Image.Exif()
        exif[0x0112] = orientation
        Image.fromarray(pixels).save(tmp_path / f"{number}.png", exif=exif)
        picture = ImageFile(ImageFolder(tmp_path), (f"{number}.png",))
        return ImageEntry(number, picture, (Annotation(1, "a", box, 25.0),), size)

    return make


def as_stored(sample):
    return bool(sample.image[0, 0, 0])


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_the_annotated_size_tells_the_frame(photo, orientation):
    data = Dataset(
        "set", [photo(1, WIDE, orientation, WIDE), photo(2, WIDE, orientation, WIDE[::-1])]
    )
    assert data[0].image.shape[:2] == WIDE
    assert as_stored(data[0])
    assert data[1].image.shape[:2] == WIDE[::-1]


@pytest.mark.parametrize(
    ("box", "shape"), [((20, 0, 29, 5), WIDE), ((0, 20, 5, 29), WIDE[::-1])], ids=["x", "y"]
)
def test_without_a_size_boxes_tell_it(photo, box, shape):
    assert Dataset("set", [photo(1, WIDE, 6, box=box)])[0].image.shape[:2] == shape


@pytest.mark.parametrize(("stored", "size"), [(SQUARE, SQUARE), (WIDE, WIDE)])
def test_an_image_that_does_not_tell_goes_by_the_others(photo, stored, size):
    unclear = photo(1, stored, 3, size)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert as_stored(Dataset("set", [unclear, photo(2, WIDE, 6, WIDE)])[0])
        assert not as_stored(Dataset("set", [unclear, photo(2, WIDE, 6, WIDE[::-1])])[0])


def test_where_nothing_tells_it_is_turned_and_a_doubt_is_voiced_once(photo):
    data = Dataset("set", [photo(1, SQUARE, 3, SQUARE), photo(2, SQUARE, 6), photo(3, SQUARE, 1)])
    with pytest.warns(UserWarning, match="1.png is turned .* option exif to stored") as raised:
        kept = [as_stored(sample) for sample in data]
    assert (kept, len(raised)) == ([False, False, True], 1)


@pytest.mark.parametrize(("exif", "kept"), [("stored", True), ("applied", False)])
def test_the_user_may_say_it(photo, exif, kept):
    data = Dataset("set", [photo(1, SQUARE, 3, SQUARE)])
    data.turning = Turning(exif)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert as_stored(data[0]) == kept


def test_another_size_in_both_frames_is_told_with_both(photo):
    with pytest.raises(InputError, match=r"stored as 20 x 30, and 30 x 20 .*option exif"):
        Dataset("set", [photo(1, WIDE, 6, (99, 99))])[0]


def test_the_options_are_those_of_every_format(tmp_path):
    (tmp_path / "refs.json").write_text('{"images": [], "annotations": [], "categories": []}')
    with pytest.raises(InputError, match=r"unknown exif 'store', did you mean 'stored'"):
        open_dataset("coco", tmp_path / "refs.json", tmp_path, exif="store")
    with pytest.raises(InputError, match="max_pixels must be"):
        open_dataset("coco", tmp_path / "refs.json", tmp_path, max_pixels=-1)
    with pytest.raises(InputError, match="option of coco 'exiv', did you mean 'exif'"):
        open_dataset("coco", tmp_path / "refs.json", tmp_path, exiv="stored")

import numpy as np
import pytest

from vps.errors import InputError
from vps.types import Sample

IMAGE = np.zeros((20, 30, 3), np.uint8)
BOXES = np.array([[1, 2, 4, 6], [0, 0, 30, 20]], np.float64)


def sample(**fields) -> Sample:
    return Sample(IMAGE, 7, BOXES, ("cat", "dog"), (1, 2), **fields)


def test_what_is_not_annotated_has_a_default():
    found = sample()
    assert found.ignored.tolist() == [False, False]
    assert found.areas.tolist() == [12, 600]
    assert found.segmentations == (None, None)
    assert found.mask(0) is None
    assert found.verified is None
    assert found.partial == frozenset()


def test_an_image_without_objects():
    empty = Sample(IMAGE, "x", np.zeros((0, 4)), (), ())
    assert empty.ignored.shape == empty.areas.shape == (0,)


def test_masks():
    coder = pytest.importorskip("pycocotools.mask")
    inside = np.zeros((20, 30), bool)
    inside[2:6, 1:4] = True
    found = sample(segmentations=(coder.encode(np.asfortranarray(inside, np.uint8)), None))
    assert found.mask(0).dtype == bool
    assert np.array_equal(found.mask(0), inside)
    assert found.mask(1) is None


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ({"size": [20, 31], "counts": "T\\3"}, "object 1"),
        ({"size": [20, 30], "counts": "!!"}, "object 1 cannot be decoded"),
        ({"size": [20, 30]}, "object 1 cannot be decoded"),
    ],
)
def test_masks_that_cannot_be_used(code, message):
    pytest.importorskip("pycocotools.mask")
    with pytest.raises(InputError, match=message):
        sample(segmentations=(code, None)).mask(0)


@pytest.mark.parametrize(
    "fields",
    [{"ignored": np.zeros(3, bool)}, {"areas": np.ones(1)}, {"segmentations": (None,) * 3}],
)
def test_fields_of_another_length(fields):
    with pytest.raises(InputError, match=f"as many {next(iter(fields))}"):
        sample(**fields)

import json
import math

import numpy as np
import pytest

from vps.data.readers.masks import compress, pack_mask

coder = pytest.importorskip("pycocotools.mask")
SIZE = (20, 30)
SQUARE = [2, 3, 10, 3, 10, 9, 2, 9]


def decoded(segmentation):
    return coder.decode(dict(compress(pack_mask(segmentation), SIZE))).astype(bool)


def test_polygons_are_joined():
    mask = decoded([SQUARE, [20, 0, 25, 0, 25, 5, 20, 5]])
    assert mask.shape == SIZE
    assert mask[3:9, 2:10].all()
    assert mask[0:5, 20:25].all()
    assert mask.sum() == 6 * 8 + 5 * 5


def test_run_lengths_go_down_the_columns():
    inside = np.zeros(SIZE, bool)
    inside[4:7, 1] = True
    counts = [24, 3, 600 - 27]
    assert np.array_equal(decoded({"size": list(SIZE), "counts": counts}), inside)
    compressed = coder.encode(np.asfortranarray(inside, np.uint8))
    assert np.array_equal(decoded(compressed), inside)
    text = {"size": list(SIZE), "counts": compressed["counts"].decode()}
    assert np.array_equal(decoded(json.loads(json.dumps(text))), inside)


def test_all_run_lengths_that_pycocotools_writes_are_taken():
    rng = np.random.default_rng(0)
    for share in (0, 0.01, 0.5, 0.99, 1):
        inside = rng.random(SIZE) < share
        compressed = coder.encode(np.asfortranarray(inside, np.uint8))
        assert np.array_equal(decoded(compressed), inside)
    large = np.zeros((3000, 5000), np.uint8, order="F")
    large[1500:, 2500] = 1
    assert compress(coder.encode(large), large.shape) is not None


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ([600, 1], "do not make up"),
        ([-1, 601], "do not make up"),
        ([], "do not make up"),
        ("", "truncated"),
        ("T", "truncated"),
        ("!!", "does not belong"),
        ("0000", "do not make up"),
        ([600.0], "whole numbers"),
        ([True, 599], "whole numbers"),
        ([10**30, 600 - 10**30], "do not make up"),
        ([0] * 601 + [600], "602 run lengths, the image 600 pixels"),
        ("o" * 1000, "too long"),
        ("o" * 1_000_000, "1000000 characters"),
        ("0" * 3000, "3000 run lengths"),
        (b"oooooo0", "too long"),
        ({}, "a list or a text"),
        (None, "a list or a text"),
    ],
)
def test_broken_run_lengths_are_refused(counts, message):
    # pycocotools itself crashes on some of them.
    with pytest.raises((ValueError, TypeError), match=message):
        compress({"size": list(SIZE), "counts": counts}, SIZE)


@pytest.mark.parametrize("far", [1e9, -1e9, 1e30, 1e308, math.inf, -math.inf, math.nan, -31, 61])
@pytest.mark.parametrize("place", [0, 4])
def test_polygons_far_outside_the_image_never_reach_c(monkeypatch, far, place):
    # Unchecked, the process ends: no test could report it.
    monkeypatch.setattr(coder, "frPyObjects", lambda *_: pytest.fail("it reached pycocotools"))
    polygon = [*SQUARE]
    polygon[place] = far
    with pytest.raises(ValueError, match="far outside the image of 20 x 30"):
        compress(pack_mask([SQUARE, polygon]), SIZE)


@pytest.mark.parametrize(
    ("polygons", "message"),
    [
        ([SQUARE] * 10_001, "10001 polygons"),
        ([[-30, -20, 60, 40] * 30_000], "pixels long in all"),
        ([[[1, 2]] * 6], "x1, y1, x2, y2"),
    ],
)
def test_polygons_that_would_take_ages_never_reach_c(monkeypatch, polygons, message):
    monkeypatch.setattr(coder, "frPyObjects", lambda *_: pytest.fail("it reached pycocotools"))
    with pytest.raises(ValueError, match=message):
        compress(polygons, SIZE)


def test_a_polygon_may_leave_the_image_a_little():
    assert decoded([[-5, -5, 10, -5, 10, 9, -5, 9]]).sum() == 10 * 9


def test_half_a_point_at_the_end_of_a_polygon_does_not_count():
    assert np.array_equal(decoded([[*SQUARE, 4]]), decoded([SQUARE]))


@pytest.mark.parametrize("nothing", [None, [], {}, [[1, 2, 3, 4]]])
def test_no_mask(nothing):
    assert compress(pack_mask(nothing), SIZE) is None


def test_a_line_is_left_out_of_polygons():
    assert np.array_equal(decoded([SQUARE, [1, 2, 3, 4]]), decoded([SQUARE]))


def test_another_size_is_refused():
    with pytest.raises(ValueError, match="size"):
        compress({"size": [30, 20], "counts": [600]}, SIZE)

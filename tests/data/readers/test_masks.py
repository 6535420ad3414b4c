import json

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
        ([], "empty"),
        ("", "truncated"),
        ("T", "truncated"),
        ("!!", "does not belong"),
        ("0000", "do not make up"),
    ],
)
def test_broken_run_lengths_are_refused(counts, message):
    # pycocotools itself crashes on some of them.
    with pytest.raises(ValueError, match=message):
        compress({"size": list(SIZE), "counts": counts}, SIZE)


@pytest.mark.parametrize("nothing", [None, [], {}, [[1, 2, 3, 4]]])
def test_no_mask(nothing):
    assert compress(pack_mask(nothing), SIZE) is None


def test_a_line_is_left_out_of_polygons():
    assert np.array_equal(decoded([SQUARE, [1, 2, 3, 4]]), decoded([SQUARE]))


def test_another_size_is_refused():
    with pytest.raises(ValueError, match="size"):
        compress({"size": [30, 20], "counts": [600]}, SIZE)

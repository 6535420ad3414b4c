import numpy as np
import pytest
import torch
from scipy import ndimage

from tests.helpers.region_methods import EVERY_METHOD, blobs
from vps.core.regions import Regions, make_regions, numbered_by_distance, regions_from_masks
from vps.errors import InputError


@pytest.mark.parametrize("method", EVERY_METHOD)
@pytest.mark.parametrize("count", [1, 12, 40])
def test_partition(method, count):
    regions = make_regions(blobs(), count, method)
    assert regions.label_map.dtype == np.int32
    assert regions.label_map.shape == (60, 80)
    assert np.array_equal(np.unique(regions.label_map), np.arange(regions.count))
    assert count / 2 <= regions.count <= 2 * count
    np.testing.assert_allclose(regions.areas.sum(), 1)


@pytest.mark.parametrize("method", ["slico", "slic", "grid"])
def test_superpixels_are_connected(method):
    regions = make_regions(blobs(), 30, method)
    for region in range(regions.count):
        assert ndimage.label(regions.label_map == region)[1] == 1


@pytest.mark.parametrize("method", EVERY_METHOD)
def test_same_image_same_regions_as_tensor_or_array(method):
    one = make_regions(blobs(), 20, method)
    other = make_regions(torch.from_numpy(blobs()), 20, method)
    assert np.array_equal(one.label_map, other.label_map)


@pytest.mark.parametrize("method", EVERY_METHOD)
@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (9, 2)])
def test_tiny_and_flat_images(method, shape):
    regions = make_regions(np.full((3, *shape), 0.5, np.float32), shape[0] * shape[1], method)
    assert regions.label_map.shape == shape


def test_felzenszwalb_of_a_large_image_covers_all_of_it():
    regions = make_regions(blobs(90, 901), 16, "felzenszwalb")
    assert regions.label_map.shape == (90, 901)
    assert 8 <= regions.count <= 32


def test_grid_gives_equal_rectangles_in_the_shape_of_the_image():
    regions = make_regions(blobs(60, 80), 12, "grid")
    assert regions.count == 12
    np.testing.assert_allclose(regions.areas, 1 / 12)
    assert len(np.unique(regions.label_map[0])) == 4


@pytest.mark.parametrize(
    ("count", "method", "message"),
    [
        (0, "slico", "1..4800"),
        (-3, "grid", "1..4800"),
        (4801, "slic", "got 4801"),
        (8, "slicco", "did you mean 'slico'"),
    ],
)
def test_unusable_settings(count, method, message):
    with pytest.raises(InputError, match=message):
        make_regions(blobs(), count, method)


def test_pixels_of_the_wrong_shape():
    with pytest.raises(InputError, match=r"\(3, h, w\)"):
        make_regions(blobs().transpose(1, 2, 0), 4)


def test_masks_earlier_wins_and_the_rest_is_one_region():
    masks = np.zeros((2, 2, 4), bool)
    masks[0, :, :2] = True
    masks[1, :, 1:3] = True
    assert regions_from_masks(masks).label_map.tolist() == [[0, 0, 1, 2]] * 2
    assert regions_from_masks(np.ones((1, 2, 2), bool)).count == 1


def test_masks_that_cannot_be_used():
    covered = np.ones((2, 3, 3), bool)
    with pytest.raises(InputError, match="mask 1 is empty or wholly covered"):
        regions_from_masks(covered)
    with pytest.raises(InputError, match="bool"):
        regions_from_masks(covered.astype(np.uint8))
    with pytest.raises(InputError, match="bool"):
        regions_from_masks(covered[0])


@pytest.mark.parametrize(
    "labels",
    [
        np.array([[0, 2]]),
        np.array([[-1, 0]]),
        np.array([[0, 10**9]]),
        np.zeros((1, 2)),
        np.zeros((2, 2, 1), int),
    ],
)
def test_regions_refuse_bad_label_maps(labels):
    with pytest.raises(InputError, match="label map"):
        Regions(labels, "mine")


def test_regions_are_numbered_by_the_distance_of_their_centres():
    # Tiles of 10 x 10 pixels, on a grid that is half as high as the image.
    rows, columns = np.indices((15, 40))
    tiles = Regions(rows // 5 * 4 + columns // 10, "grid")
    box = (21.0, 22.0, 33.0, 30.0)  # its centre is (27, 26)
    found = numbered_by_distance(tiles, box, (30, 40))
    assert (found.numbering, found.method, tiles.numbering) == ("distance", "grid", "scan")
    centres = [(5 + 10 * x, 5 + 10 * y) for y in range(3) for x in range(4)]
    ranks = np.argsort([(x - 27) ** 2 + (y - 26) ** 2 for x, y in centres])
    for number, tile in enumerate(ranks):
        assert (found.label_map[tiles.label_map == tile] == number).all()


def test_regions_at_one_distance_keep_their_order():
    regions = Regions(np.array([[0, 1, 2, 3, 4]]), "grid")
    found = numbered_by_distance(regions, (2, 0, 3, 1), (1, 5))
    assert found.label_map.tolist() == [[3, 1, 0, 2, 4]]


def test_the_centre_of_pieces_lies_between_them():
    regions = Regions(np.array([[0, 1, 1, 2, 2, 0]]), "masks")
    found = numbered_by_distance(regions, (2.5, 0, 3.5, 1), (1, 6))
    assert found.label_map.tolist() == [[0, 1, 1, 2, 2, 0]]
    found = numbered_by_distance(regions, (0, 0, 1, 1), (1, 6))
    assert found.label_map.tolist() == [[1, 0, 0, 2, 2, 1]]

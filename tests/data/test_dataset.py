from copy import deepcopy

import numpy as np
import pytest
from PIL import Image

from tests.helpers.attacks import BAD_IMAGES
from vps.data.dataset import NO_MASK, Annotation, Dataset, ImageEntry
from vps.data.image_files import ImageFile, ImageFolder
from vps.data.left_out import LeftOut
from vps.errors import InputError


def entry(folder, image_id, *names, annotations=(), size=None):
    return ImageEntry(image_id, ImageFile(ImageFolder(folder), names), tuple(annotations), size)


@pytest.fixture
def folder(tmp_path):
    Image.fromarray(np.full((20, 30, 3), 9, np.uint8)).save(tmp_path / "a.png")
    return tmp_path


def test_samples_are_ordered_by_id_and_found_by_it(folder):
    data = Dataset("set", [entry(folder, 7, "a.png"), entry(folder, 2, "a.png")], labels=("x",))
    assert data.image_ids == (2, 7)
    assert [sample.image_id for sample in data] == [2, 7]
    assert data[-1].image_id == 7
    assert [sample.image_id for sample in data[:1]] == [2]
    assert data.find(7).name == "a.png"
    with pytest.raises(IndexError):
        data[2]
    with pytest.raises(InputError, match="set has no image 9"):
        data.find(9)


def test_ids_may_be_text(folder):
    data = Dataset("set", [entry(folder, key, "a.png") for key in ("b", 3, "a")])
    assert data.image_ids == (3, "a", "b")


def test_what_is_annotated(folder):
    found = [
        Annotation(5, "cat", (1, 2, 4, 6), 10.5),
        Annotation(6, "dog", (0, 0, 30, 20), 600, True),
    ]
    data = Dataset("set", [entry(folder, 1, "a.png", annotations=found, size=(20, 30))])
    sample = data[0]
    assert sample.image.shape == (20, 30, 3)
    assert sample.object_ids == (5, 6)
    assert sample.labels == ("cat", "dog")
    assert sample.boxes.dtype == np.float64
    assert sample.areas.tolist() == [10.5, 600]
    assert sample.ignored.tolist() == [False, True]


def test_the_first_name_that_is_there_counts(folder):
    assert Dataset("set", [entry(folder, 1, "b.png", "a.png")])[0].image.max() == 9
    with pytest.raises(InputError, match=r"b\.png does not exist, nor do c\.png"):
        Dataset("set", [entry(folder, 1, "b.png", "c.png")])[0]


def test_a_bad_image_does_not_stop_the_others(folder):
    (folder / "broken.png").write_bytes((folder / "a.png").read_bytes()[:60])
    (folder / "text.png").write_text("no image")
    names = ["a.png", "broken.png", "text.png", "none.png"]
    data = Dataset("set", [entry(folder, i, name) for i, name in enumerate(names)])
    assert data[0].image.max() == 9
    for index, name in enumerate(names[1:], start=1):
        with pytest.raises(InputError, match=name):
            data[index]


@pytest.mark.parametrize("make", BAD_IMAGES.values(), ids=BAD_IMAGES)
def test_nothing_that_an_image_may_be_stops_the_others(folder, make):
    names = [str(make(folder).relative_to(folder)), "a.png"]
    data = Dataset("set", [entry(folder, i, name) for i, name in enumerate(names)])
    with pytest.raises(InputError, match=r"image .*\.jpg"):
        data[0]
    assert data[1].image.max() == 9


def test_an_image_of_another_size(folder):
    data = Dataset("set", [entry(folder, 1, "a.png", size=(30, 20))])
    with pytest.raises(InputError, match=r"a\.png has 20 x 30 .* annotated as 30 x 20"):
        data[0]


def test_a_mask_that_does_not_fit_costs_the_mask(folder):
    pytest.importorskip("pycocotools")
    masks = [
        {"size": [30, 20], "counts": [600]},
        {"size": [20, 30], "counts": [600]},
        {"size": [20, 30]},
        [{"size": [20, 30], "counts": [600]}],
        [1, 2, 3, 4, 5, 6],
        [[[1, 2, 3, 4, 5, 6]]],
        "polygon",
        [[1, 2, 9, 2, 9, 9]],
        [[1, 2, 9, 2, 9, 9e9]],
        {"size": None, "counts": []},
        5,
    ]
    found = [Annotation(k, "cat", (1, 2, 4, 6), 10, False, mask) for k, mask in enumerate(masks)]
    data = Dataset(
        "set", [entry(folder, 1, "a.png", annotations=found)], left_out=LeftOut("x.json")
    )
    assert data.skipped == {}
    for _ in range(2):
        sample = data[0]
    assert [k for k in range(len(masks)) if sample.mask(k) is not None] == [1, 7]
    assert data.skipped == {NO_MASK: len(masks) - 2}
    (line,) = data.left_out.lines()
    assert "(9 masks): x.json, annotation 0 of image 1, segmentation: the mask has size" in line
    strict = LeftOut("x.json", strict=True)
    data = Dataset("set", [entry(folder, 1, "a.png", annotations=found)], left_out=strict)
    with pytest.raises(InputError, match="annotation 0 of image 1.*strict is set"):
        data[0]


def test_fractions_become_pixels_when_the_image_is_read(folder):
    pytest.importorskip("pycocotools")
    polygon = [[0.1, 0.2, 0.5, 0.2, 0.5, 0.6]]
    found = Annotation(5, "cat", (0.1, 0.2, 0.5, 0.6), 0.16, False, polygon)
    picture = ImageFile(ImageFolder(folder), ("a.png",))
    (sample,) = Dataset("set", [ImageEntry(1, picture, (found,), fractions=True)])
    assert sample.boxes.tolist() == [[3, 4, 15, 12]]
    assert sample.areas == pytest.approx(96)
    assert 20 < sample.mask(0).sum() < 60


def test_ids_and_labels_are_unique(folder):
    with pytest.raises(InputError, match="two images of set have the id 1"):
        Dataset("set", [entry(folder, 1, "a.png"), entry(folder, 1, "b.png")])
    with pytest.raises(InputError, match="two categories of set have the name 'cat'"):
        Dataset("set", [], labels=("cat", "dog", "cat"))
    twice = [Annotation(5, "cat", (1, 2, 4, 6), 1)] * 2
    with pytest.raises(InputError, match="two annotations of image 1 of set have the id 5"):
        Dataset("set", [entry(folder, 1, "a.png", annotations=twice)])


def test_copies_are_alike(folder):
    crowds = LeftOut()
    crowds.add("crowd", count=3)
    crowds.add("no", count=0)
    data = Dataset("set", [entry(folder, 1, "a.png")], labels=("x",), left_out=crowds)
    copy = deepcopy(data)
    assert copy.image_ids == data.image_ids
    assert copy.skipped == {"crowd": 3}
    assert np.array_equal(copy[0].image, data[0].image)

import json

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("pycocotools")

from vps.data.readers import coco_records as records
from vps.data.readers.coco import read_coco
from vps.errors import InputError

SQUARE = [[2, 2, 8, 2, 8, 8, 2, 8]]


def annotation(number, image_id=7, **changes):
    entry = {"id": number, "image_id": image_id, "category_id": 3, "bbox": [2, number, 6, 6]}
    return {**entry, "area": 36, "iscrowd": 0, **changes}


def content(*annotations, **changes):
    images = [{"id": n, "file_name": f"{n}.png", "height": 20, "width": 30} for n in (2, 7)]
    plain = {
        "images": images,
        "categories": [{"id": 3, "name": "dog"}],
        "annotations": [annotation(1), annotation(2), *annotations],
    }
    return {**plain, **changes}


@pytest.fixture
def read(tmp_path):
    for number in (2, 7):
        Image.fromarray(np.full((20, 30, 3), number, np.uint8)).save(tmp_path / f"{number}.png")

    def read(found, **options):
        (tmp_path / "a.json").write_text(json.dumps(found))
        return read_coco(tmp_path / "a.json", tmp_path, **options)

    return read


def without(key):
    entry = annotation(9)
    del entry[key]
    return entry


ODD = [
    (without("bbox"), records.NO_BOX),
    (annotation(9, bbox=[]), records.NO_BOX),
    (annotation(9, bbox=None), records.NO_BOX),
    (annotation(9, bbox="2 2 6 6"), records.NO_BOX),
    (annotation(9, bbox=[1, 2, 3]), records.NO_BOX),
    (annotation(9, bbox=[1, 2, 3, None]), records.NO_BOX),
    (annotation(9, bbox={"x": 1, "y": 2, "width": 3, "height": 4}), records.NO_BOX),
    (annotation(9, bbox=[1, 2, 0, 4]), records.EMPTY_BOX),
    (annotation(9, bbox=[1, 2, -3, 4]), records.EMPTY_BOX),
    (annotation(9, bbox=[1, 2, float("nan"), 4]), records.EMPTY_BOX),
    (annotation(9, bbox=[1, 2, float("inf"), 4]), records.EMPTY_BOX),
    (without("image_id"), records.NO_IMAGE),
    (annotation(9, image_id=99), records.NO_IMAGE),
    (annotation(9, image_id=[7]), records.NO_IMAGE),
    (without("category_id"), records.NO_CATEGORY),
    (annotation(9, category_id=77), records.NO_CATEGORY),
    (annotation(9, category_id=None), records.NO_CATEGORY),
    (annotation(9, category_id={}), records.NO_CATEGORY),
    (annotation(9, iscrowd="perhaps"), records.NO_FLAG),
    (annotation(9, ignore=[1]), records.NO_FLAG),
    (annotation(2), records.TWICE),
    (None, records.NO_RECORD),
    ([1, 2], records.NO_RECORD),
]


@pytest.mark.parametrize(("odd", "reason"), ODD)
def test_one_odd_annotation_is_left_out_counted_and_named(read, odd, reason):
    data = read(content(odd, annotation(4)))
    assert data.find(7).object_ids == (1, 2, 4)
    assert data.skipped == {reason: 1}
    (line,) = data.left_out.lines()
    assert line.startswith(f"{reason} (1 annotation): a.json, annotation")
    if isinstance(odd, dict):
        assert f"annotation {odd['id']} of image" in line
    with pytest.raises(InputError, match=r"a\.json, annotation.*strict is set"):
        read(content(odd), strict=True)


USED = [
    annotation(9, image_id="7"),
    annotation(9, image_id="007"),
    annotation(9, image_id=7.0),
    annotation(9, category_id="3"),
    annotation(9, bbox=["2", "9", "6.0", "6"]),
    annotation(9, area="36"),
    annotation(9, area=None),
    annotation(9, iscrowd="0"),
    annotation(9, iscrowd="false"),
    annotation(9, iscrowd=None),
    without("area"),
    without("iscrowd"),
]


@pytest.mark.parametrize("entry", USED)
def test_text_for_numbers_and_missing_values_are_taken(read, entry):
    data = read(content(entry))
    sample = data.find(7)
    assert sample.object_ids == (1, 2, 9)
    assert sample.boxes[2].tolist() == [2, 9, 8, 15]
    assert sample.areas[2] == 36
    assert not sample.ignored.any()
    assert data.skipped == {}


@pytest.mark.parametrize("area", [[12.0], -1, "big", float("nan"), {}])
def test_an_odd_area_is_that_of_the_box(read, area):
    data = read(content(annotation(9, area=area)), strict=True)
    assert data.find(7).areas.tolist() == [36, 36, 36]
    assert data.skipped == {records.NO_AREA: 1}


@pytest.mark.parametrize("key", [None, 2, "2", [5], True])
def test_ids_that_are_missing_or_taken_are_new_ones(read, key):
    data = read(content(annotation(20, id=key), annotation(3, image_id=2, id=key)), strict=True)
    assert data.find(7).object_ids[:2] == (1, 2)
    assert len(set(map(str, data.find(7).object_ids))) == 3
    assert data.find(7).object_ids[2] in (3, 4)
    # An id of another image is no hindrance: results are kept by image.
    assert data.find(2).object_ids == ((key,) if isinstance(key, (int, str)) and key is not True
                                       else (4,))  # fmt: skip


def test_ids_of_both_types(read):
    data = read(content(annotation(9, id="a1"), annotation(3)))
    assert data.find(7).object_ids == (1, 2, 3, "a1")
    assert data.skipped == {}


@pytest.mark.parametrize(
    "mask", [[2, 2, 8, 2, 8, 8], [SQUARE], {"size": [30, 20], "counts": [600]}]
)
def test_an_odd_mask_costs_the_mask(read, mask):
    data = read(content(annotation(3, segmentation=SQUARE), annotation(4, segmentation=mask)))
    sample = data.find(7)
    assert sample.object_ids == (1, 2, 3, 4)
    assert sample.mask(2).sum() > 20
    assert sample.mask(3) is None
    assert data.skipped == {"mask that does not fit its image": 1}


def images_of(*more):
    return content(images=[*content()["images"], *more])


@pytest.mark.parametrize(
    ("image", "reason", "left"),
    [
        ({"file_name": "c.png"}, records.IMAGE_WITHOUT_ID, (2, 7)),
        ({"id": 4}, records.IMAGE_WITHOUT_ID, (2, 7)),
        ({"id": 4, "file_name": None}, records.IMAGE_WITHOUT_ID, (2, 7)),
        (None, records.IMAGE_WITHOUT_ID, (2, 7)),
        ({"id": 2, "file_name": "c.png"}, records.IMAGE_ID_TWICE, (7,)),
        ({"id": "2", "file_name": "c.png"}, records.IMAGE_ID_TWICE, (7,)),
        ({"id": 2, "file_name": "2.png"}, records.IMAGE_TWICE, (2, 7)),
    ],
)
def test_odd_images_are_left_out(read, image, reason, left):
    data = read(images_of(image))
    assert data.image_ids == left
    assert list(data.skipped) == [reason]
    assert data.find(7).object_ids == (1, 2)


@pytest.mark.parametrize("size", [{}, {"height": None, "width": 30}, {"height": 0, "width": 0},
                                  {"height": "20", "width": "30"}])  # fmt: skip
def test_sizes_may_be_missing(read, size):
    found = content(images=[{"id": 7, "file_name": "7.png", **size}])
    assert len(read(found).find(7).labels) == 2


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ([annotation(1)], "it holds a list"),
        ({}, "it has no list of annotations"),
        (content(annotations={}), "it has no list of annotations"),
        (content(annotations=[]), "it has no annotations"),
        (content(images=[]), "it has no images"),
        (content(images=[{"id": 1}]), "none of its images can be used; image without an id"),
        (content(categories=None), "its categories must be a list"),
        (content(categories=[]), "none of its annotations .* category_id that is none"),
        (content(annotations=[annotation(1, bbox=[])] * 2), "none of its annotations .* got"),
    ],
)
def test_a_file_without_anything_of_use_is_one_error(read, found, message):
    with pytest.raises(InputError, match=rf"a\.json is not in COCO's detection format: {message}"):
        read(found)


def test_fractions_and_corners_are_told_by_their_values(read):
    parts = [annotation(n, bbox=[0.1, 0.2, 0.3 + n / 100, 0.4]) for n in range(3, 9)]
    with pytest.raises(InputError, match=r"a\.json: 6 of 8 boxes .* fractions of the image"):
        read(content(*parts))
    data = read(content(parts[0]))
    assert data.find(7).object_ids == (1, 2)
    assert len(data.skipped) == 1
    corners = [annotation(n, bbox=[2 * n, n, 2 * n + 6, n + 5]) for n in range(3, 12)]
    with pytest.raises(InputError, match="they seem to be x1, y1, x2, y2"):
        read(content(annotations=corners))

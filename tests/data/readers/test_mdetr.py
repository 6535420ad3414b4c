import json

import pytest
from PIL import Image

from vps.data.readers.mdetr import read_mdetr
from vps.errors import InputError


def image(number, original, caption, dataset="refcoco"):
    return {
        "id": number,
        "original_id": original,
        "file_name": f"COCO_train2014_{original:012d}.jpg",
        "height": 20,
        "width": 30,
        "caption": caption,
        "dataset_name": dataset,
        "tokens_negative": [[0, 3]],
    }


def box(number, image_id, xywh):
    return {
        "id": number,
        "image_id": image_id,
        "bbox": xywh,
        "area": 5.5,
        "iscrowd": 0,
        "category_id": 1,
        "original_id": 77,
        "tokens_positive": [[0, 3]],
    }


CONTENT = {
    "images": [
        image(0, 9, "left cat"),
        image(1, 4, "a dog"),
        image(2, 9, "right cat", "refcoco+"),
        image(3, 9, "two cats"),
        image(4, 9, "no cat"),
        image(5, 9, ""),
    ],
    "annotations": [
        box(10, 0, [1, 2, 3, 4]),
        box(11, 1, [0, 0, 10, 10]),
        box(12, 2, [5, 5, 2, 2]),
        box(13, 3, [1, 2, 3, 4]),
        box(14, 3, [5, 5, 2, 2]),
        box(15, 5, [5, 5, 2, 2]),
    ],
    "categories": [{"id": 1, "name": "cat"}],
}


@pytest.fixture
def folder(tmp_path):
    for number in (4, 9):
        Image.new("RGB", (30, 20)).save(tmp_path / f"COCO_train2014_{number:012d}.jpg")
    (tmp_path / "val.json").write_text(json.dumps(CONTENT))
    return tmp_path


def test_phrases_of_an_image_come_together(folder):
    data = read_mdetr(folder / "val.json", folder)
    assert data.grounding
    assert data.image_ids == (4, 9)
    assert data.skipped == {"phrase of none or several objects": 2, "phrase without text": 1}
    dog, cats = data
    assert dog.labels == ("a dog",)
    assert cats.labels == ("left cat", "right cat")
    assert cats.object_ids == (0, 2)
    assert cats.boxes.tolist() == [[1, 2, 4, 6], [5, 5, 7, 7]]
    assert cats.areas.tolist() == [5.5, 5.5]
    assert cats.name == "COCO_train2014_000000000009.jpg"


def test_one_of_several_data_sets(folder):
    data = read_mdetr(folder / "val.json", folder, dataset_name="refcoco+")
    assert data.image_ids == (9,)
    assert data[0].labels == ("right cat",)
    with pytest.raises(InputError, match="did you mean 'refcoco"):
        read_mdetr(folder / "val.json", folder, dataset_name="refcocog")


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        json.dumps({"images": [], "categories": []}),
        json.dumps({**CONTENT, "annotations": [box(1, 99, [1, 1, 1, 1])]}),
        json.dumps({**CONTENT, "annotations": [{"id": 1, "image_id": 0}]}),
        json.dumps({**CONTENT, "images": [{"id": 0, "file_name": "a.jpg"}], "annotations": []}),
    ],
)
def test_files_in_another_format(folder, text):
    (folder / "val.json").write_text(text)
    with pytest.raises(InputError, match=r"val\.json is (not in MDETR's form|truncated)"):
        read_mdetr(folder / "val.json", folder)


def test_odd_records_cost_no_more_than_themselves(folder):
    good = CONTENT["images"][0]
    images = [
        {**good, "height": "20", "width": "30.0"},
        {key: value for key, value in good.items() if key != "id"},
        {**good, "id": 20, "file_name": None},
        {**good, "id": 21, "original_id": None},
        {**good, "id": 22, "caption": "one"},
        {**good, "id": 22, "caption": "other"},
        {**good, "id": 23, "caption": "again"},
        {**good, "id": 23, "caption": "again"},
        {**good, "id": 24, "original_id": 4},
        {**good, "id": 25, "original_id": 4, "file_name": "other.jpg"},
        {**good, "id": 26, "original_id": "9", "caption": "as text", "dataset_name": None},
        None,
    ]
    annotations = [box(n, n, [1, 2, 3, 4]) for n in (0, 20, 21, 22, 23, 24, 25, 26, 99)]
    annotations[0]["image_id"] = "0"
    content = {"images": images, "annotations": [*annotations, 5]}
    (folder / "val.json").write_text(json.dumps(content))
    data = read_mdetr(folder / "val.json", folder)
    assert data.image_ids == (9,)
    assert data[0].labels == ("left cat", "again", "as text")
    assert data[0].object_ids == (0, 23, 26)
    assert data.skipped == {
        "image without an id or a file name": 3,
        "image without an original_id": 1,
        "id of several images": 2,
        "image that is there twice": 1,
        "original_id of several images": 2,
        "image_id that is none of the images": 1,
        "record that is none": 1,
    }
    only = read_mdetr(folder / "val.json", folder, dataset_name="refcoco")
    assert only[0].labels == ("left cat", "again")
    assert only.skipped["image without a dataset_name"] == 2
    with pytest.raises(InputError, match="strict is set"):
        read_mdetr(folder / "val.json", folder, strict=True)


def test_missing_files(folder):
    with pytest.raises(InputError, match="annotation file .* does not exist"):
        read_mdetr(folder / "none.json", folder)
    with pytest.raises(InputError, match="image folder .* does not exist"):
        read_mdetr(folder / "val.json", folder / "none")

import pytest

from vps.data.readers.files import (
    as_id,
    checked_format,
    existing_file,
    existing_folder,
    image_names,
)
from vps.errors import InputError


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(InputError, match="list .*none does not exist"):
        existing_file(tmp_path / "none", "list")
    with pytest.raises(InputError, match="is no file"):
        existing_file(tmp_path)
    with pytest.raises(InputError, match="image folder .*none does not exist"):
        existing_folder(tmp_path / "none")
    with pytest.raises(InputError, match="name it as images"):
        existing_folder(None)


@pytest.mark.parametrize("error", [KeyError("bbox"), ValueError("no\nnumber"), TypeError()])
def test_errors_of_another_format(tmp_path, error):
    with (
        pytest.raises(InputError, match=f"{tmp_path} is not in some format: .+"),
        checked_format(tmp_path, "some format"),
    ):
        raise error


def test_own_errors_pass(tmp_path):
    with pytest.raises(InputError, match="^said$"), checked_format(tmp_path, "some format"):
        raise InputError("said")


@pytest.mark.parametrize(
    ("text", "expected"), [("000000000139", 139), ("0", 0), ("-1", "-1"), ("a1", "a1"), ("²", "²")]
)
def test_ids(text, expected):
    assert as_id(text) == expected


URL = "http://images.cocodataset.org/val2017/000000000139.jpg"


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"file_name": "a/b.png", "coco_url": ""}, ["a/b.png"]),
        ({"coco_url": URL}, ["val2017/000000000139.jpg", "000000000139.jpg"]),
        (
            {"file_name": "COCO_val2014_000000000139.jpg", "coco_url": URL},
            [
                "COCO_val2014_000000000139.jpg",
                "val2017/000000000139.jpg",
                "000000000139.jpg",
                "val2014/COCO_val2014_000000000139.jpg",
            ],
        ),
    ],
)
def test_image_names(record, expected):
    assert list(image_names(record)) == expected


def test_an_image_needs_a_name():
    with pytest.raises(KeyError, match="file_name"):
        image_names({"id": 1, "coco_url": ""})

import pytest
from PIL import Image

from vps.data.image_files import ImageFolder
from vps.data.readers.image_names import endings, image_files, image_names
from vps.errors import InputError

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


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.png", ()),
        ("train/b/a.png", ("b/a.png", "a.png")),
        ("b\\a.png", ("b/a.png", "a.png")),
        ("..\\..\\media\\4\\a.png", ("media/4/a.png", "4/a.png", "a.png")),
        ("b/../../a.png", ("a.png",)),
        ("./a.png", ("a.png",)),
        ("/home/me/a.png", ("home/me/a.png", "me/a.png", "a.png")),
        ("C:\\data\\a.png", ("data/a.png", "a.png")),
        ("https://x.org/set/a.png?sig=1", ("set/a.png", "a.png", "1")),
        ("s3://bucket/a%20b.png", ("a%20b.png", "a b.png")),
        ("/data/local-files/?d=set/a.png", ("set/a.png", "a.png")),
        ("http://[a.png", ("http:/[a.png", "[a.png")),
        ("http://x.org/set/", ()),
        ("", ()),
    ],
)
def test_endings(name, expected):
    assert endings(name) == expected


def files(folder, *names):
    return image_files(ImageFolder(folder), [(name,) for name in names])


def save(path, width):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (width, 4)).save(path)


def test_a_file_is_found_by_what_its_name_ends_in(tmp_path):
    save(tmp_path / "a.png", 5)
    for name in (
        "train/a.png",
        "C:\\x\\a.png",
        "/home/me/a.png",
        "https://x.org/a.png",
        "../a.png",
    ):
        (file,) = files(tmp_path, name)
        assert file.read().shape == (4, 5, 3)


def test_the_name_as_it_stands_comes_first(tmp_path):
    save(tmp_path / "a.png", 5)
    save(tmp_path / "train" / "a.png", 6)
    assert files(tmp_path, "train/a.png")[0].read().shape == (4, 6, 3)


@pytest.mark.parametrize("other", ["val/a.png", "a.png", "D:\\a.png"])
def test_an_ending_of_several_names_is_none(tmp_path, other):
    save(tmp_path / "a.png", 5)
    first, second = files(tmp_path, "train/a.png", other)
    with pytest.raises(InputError, match=r"does not exist.*a\.png is not taken .* several images"):
        first.read()
    if other == "a.png":
        assert second.read().shape == (4, 5, 3)


def test_records_of_one_file_do_not_stand_in_each_other_s_way(tmp_path):
    save(tmp_path / "a.png", 5)
    assert [file.read().shape for file in files(tmp_path, *["train/a.png"] * 2)] == [(4, 5, 3)] * 2


def test_an_ending_is_never_sought_outside_the_folder(tmp_path):
    save(tmp_path / "secret.png", 5)
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "link.png").symlink_to("../secret.png")
    for name in ("../secret.png", "train/link.png", str(tmp_path / "secret.png")):
        with pytest.raises(InputError, match="lies outside the image folder"):
            files(tmp_path / "images", name)[0].read()

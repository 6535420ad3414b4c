import numpy as np
import pytest
from PIL import Image

from vps.data.readers import yolo
from vps.data.readers.yolo import read_yolo
from vps.errors import InputError

NAMES = "names: [cat, dog]\n"


def put(path, text=""):
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".png":
        Image.new("RGB", (200, 100)).save(path)
    else:
        path.write_text(text)


@pytest.fixture
def folder(tmp_path):
    put(tmp_path / "data.yaml", f"val: images/val\n{NAMES}")
    for name in ("a", "sub/b", "c"):
        put(tmp_path / "images" / "val" / f"{name}.png")
    put(tmp_path / "labels" / "val" / "a.txt", "0 .5 .5 .2 .4\n\n1 .1 .2 .2 .2\n")
    put(tmp_path / "labels" / "val" / "sub" / "b.txt", "1 .5 .5 1 1")
    return tmp_path


def test_fractions_become_pixels(folder):
    data = read_yolo(folder / "data.yaml")
    assert data.labels == ("cat", "dog")
    assert data.image_ids == ("a.png", "c.png", "sub/b.png")
    first, empty, nested = data
    assert first.labels == ("cat", "dog")
    assert first.object_ids == (1, 3)
    assert np.allclose(first.boxes, [[80, 30, 120, 70], [0, 10, 40, 30]])
    assert first.areas.tolist() == pytest.approx([1600, 800])
    assert empty.labels == ()
    assert nested.boxes.tolist() == [[0, 0, 200, 100]]
    assert data.skipped == {yolo.NO_LABELS: 1}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("0 .5 .5 .2", yolo.NO_LINE),
        ("0 .5 .5 .2 .4 .9", yolo.NO_LINE),
        ("0 .5 .5 .2 .4 .9 .1 .1", yolo.NO_LINE),
        ("cat .5 .5 .2 .4", yolo.NO_LINE),
        ("0 .5 .5 x .4", yolo.NO_LINE),
        ("2 .5 .5 .2 .4", yolo.NO_CLASS),
        ("0.5 .5 .5 .2 .4", yolo.NO_CLASS),
        ("-1 .5 .5 .2 .4", yolo.NO_CLASS),
        ("0 .5 .5 0 .4", yolo.EMPTY_BOX),
        ("0 nan .5 .2 .4", yolo.EMPTY_BOX),
        ("0 80 30 40 40", yolo.NO_FRACTIONS),
    ],
)
def test_one_odd_line_is_left_out_counted_and_named(folder, line, reason):
    put(folder / "labels" / "val" / "a.txt", f"0 .5 .5 .2 .4\n{line}\n1.0 .5 .5 .2 .4")
    data = read_yolo(folder)
    assert data.find("a.png").object_ids == (1, 3)
    assert data.skipped[reason] == 1
    assert "data.yaml, line 2 " in data.left_out.lines()[0] + data.left_out.lines()[1]
    with pytest.raises(InputError, match=r"data\.yaml, line 2 .*strict is set"):
        read_yolo(folder, strict=True)


def test_outlines_and_poses(folder):
    pytest.importorskip("pycocotools")
    put(folder / "labels" / "val" / "a.txt", "1 .1 .2 .5 .2 .5 .6 .1 .6")
    sample = read_yolo(folder).find("a.png")
    assert sample.boxes.tolist() == [[20, 20, 100, 60]]
    assert sample.mask(0).sum() == 80 * 40
    put(folder / "data.yaml", f"val: images/val\nkpt_shape: [2, 2]\n{NAMES}")
    put(folder / "labels" / "val" / "a.txt", "1 .5 .5 .2 .4 .1 .1 .9 .9")
    assert read_yolo(folder).find("a.png").boxes.tolist() == [[80, 30, 120, 70]]


def test_pixels_are_refused(folder):
    put(folder / "labels" / "val" / "a.txt", "0 80 30 40 40\n0 90 30 40 40")
    with pytest.raises(InputError, match=r"2 of 3 boxes leave .*line 1 for a\.png.*pixels"):
        read_yolo(folder)


@pytest.mark.parametrize(
    ("images", "labels", "text"),
    [
        ("valid/images", "valid/labels", "val: ../valid/images"),
        ("valid/images", "valid/labels", "valid: valid/images"),
        ("data/images/val", "data/labels/val", "path: data\nval: images/val"),
        ("data/images/val", "data/labels/val", "path: elsewhere\nval: data/images/val"),
        ("pictures", "pictures", "val: [pictures]"),
        ("pictures", "labels", "val: ./pictures"),
        ("pictures", "pictures/labels", "val: pictures"),
    ],
)
def test_where_folders_lie(tmp_path, images, labels, text):
    put(tmp_path / "data.yaml", f"{text}\n{NAMES}")
    put(tmp_path / images / "a.png")
    put(tmp_path / labels / "a.txt", "1 .5 .5 .2 .4")
    data = read_yolo(tmp_path)
    assert data.image_ids == ("a.png",)
    assert data[0].labels == ("dog",)


def test_folders_that_are_named(folder):
    put(folder / "texts" / "c.txt", "0 .5 .5 .2 .4")
    data = read_yolo(folder / "data.yaml", folder / "images" / "val", labels=folder / "texts")
    assert [len(sample.labels) for sample in data] == [0, 1, 0]


def test_a_folder_outside_is_read_only_where_that_is_allowed(folder):
    put(folder / "home" / "data.yaml", f"val: ../images/val\n{NAMES}")
    with pytest.raises(InputError, match="lies outside the folder of that file"):
        read_yolo(folder / "home")
    assert len(read_yolo(folder / "home", outside=True)) == 3


def test_text_files_without_an_image_are_counted(folder):
    put(folder / "labels" / "val" / "lost.txt", "0 .5 .5 .2 .4")
    put(folder / "labels" / "val" / "classes.txt", "cat")
    assert read_yolo(folder).skipped[yolo.LONELY] == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a", "no data.yaml of YOLO"),
        ("val: images/val", "has no names"),
        ("a: [", "cannot be read"),
        ("val: images/val\nnames: 3", "names must be"),
        ("val: images/val\nnames: [yes, no]", "class 0 is True.*quotes"),
        ("val: images/val\nnames: {a: cat}", "the class 'a' is no number"),
        (f"train: images/val\n{NAMES}", "unknown split of .* 'val'.*choices: .*train"),
        (f"val: images/none\n{NAMES}", "images/none.*does not exist; name the folder as images"),
        (f"val: 3\n{NAMES}", "val must be text or a list"),
        (f"val: empty\n{NAMES}", "no image in"),
        (f"val: bare\n{NAMES}", "has a text file of labels"),
    ],
)
def test_what_is_no_data_set(folder, text, message):
    (folder / "empty").mkdir()
    put(folder / "bare" / "z.png")
    put(folder / "data.yaml", text)
    with pytest.raises(InputError, match=message):
        read_yolo(folder)


def test_nothing_of_use_is_an_error(folder):
    for file in (folder / "labels").rglob("*.txt"):
        file.write_text("x")
    with pytest.raises(InputError, match=r"data\.yaml: none of its lines .* line that is no box"):
        read_yolo(folder)
    (folder / "data.yaml").unlink()
    with pytest.raises(InputError, match="holds no data.yaml"):
        read_yolo(folder)

import base64
import io

import numpy as np
import pytest
from PIL import Image

from tests.helpers.attacks import POSTSCRIPT
from vps.data.readers.tsv import read_tsv
from vps.errors import InputError


def encoded(value, *, urlsafe=False):
    """A PNG as base64, and its pixels."""
    pixels = np.random.default_rng(value).integers(0, 256, (20, 30, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "png")
    encode = base64.urlsafe_b64encode if urlsafe else base64.b64encode
    return encode(buffer.getvalue()).decode(), pixels


CATS, CAT_PIXELS = encoded(1)
DOG, DOG_PIXELS = encoded(2, urlsafe=True)
ROWS = [
    ["100", "9", "left cat", "1.5,2,4,6", CATS],
    ["101", "4", "café dog", "0,0,10,10", DOG],
    ["102", "9", "right cat", "5,5,7,7", CATS],
    ["103", "9", "flat", "5,5,5,7", CATS],
    ["104", "9", "", "5,5,7,7", CATS],
]


def write(folder, rows, end="\n"):
    path = folder / "val.tsv"
    path.write_bytes("".join("\t".join(row) + end for row in rows).encode())
    return path


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_images_lie_in_the_table(tmp_path, end):
    data = read_tsv(write(tmp_path, ROWS, end))
    assert data.grounding
    assert data.image_ids == (4, 9)
    assert data.skipped == {"box without area": 1, "phrase without text": 1}
    dog, cats = data
    assert cats.labels == ("left cat", "right cat")
    assert cats.object_ids == (100, 102)
    assert cats.boxes.tolist() == [[1.5, 2, 4, 6], [5, 5, 7, 7]]
    assert cats.areas.tolist() == [10, 4]
    assert cats.name == "9"
    assert np.array_equal(cats.image, CAT_PIXELS)
    assert dog.labels == ("café dog",)
    assert np.array_equal(dog.image, DOG_PIXELS)


def test_both_alphabets_were_tried():
    assert set("+/") & set(CATS)
    assert set("-_") & set(DOG)


def test_other_columns(tmp_path):
    path = write(tmp_path, [[row[0], row[2], row[3], row[4]] for row in ROWS[:3]])
    data = read_tsv(path, columns=["uniq_id", "text", "region_coord", "image"])
    assert data.image_ids == (100, 101, 102)
    assert np.array_equal(data.find(101).image, DOG_PIXELS)


def test_a_table_with_a_header_names_image_files(tmp_path):
    (tmp_path / "coco").mkdir()
    Image.fromarray(CAT_PIXELS).save(tmp_path / "coco" / "9.png")
    rows = [["image", "region_coord", "text"], ["coco/9.png", "1,2,4,6", "cat"]]
    rows.append(["coco/9.png", "5,5,7,7", "other cat"])
    (cats,) = read_tsv(write(tmp_path, rows), tmp_path)
    assert cats.image_id == "coco/9.png"
    assert cats.object_ids == (2, 3)
    assert cats.labels == ("cat", "other cat")
    assert cats.name == "9.png"
    assert np.array_equal(cats.image, CAT_PIXELS)


def test_a_bad_image_does_not_stop_the_others(tmp_path):
    rows = [[*row] for row in ROWS]
    rows[1][4] = DOG[:100]
    data = read_tsv(write(tmp_path, rows))
    assert data[1].image_id == 9
    with pytest.raises(InputError, match=r"image 4 in .*val\.tsv is truncated, or no image"):
        data[0]
    rows[1][4] = "dog.jpg"
    with pytest.raises(InputError, match="whose folder was not given"):
        read_tsv(write(tmp_path, rows))[0]


def test_no_cell_of_a_table_runs_a_program(tmp_path, no_programs):
    rows = [[*row] for row in ROWS]
    rows[1][4] = base64.b64encode(POSTSCRIPT).decode()
    with pytest.raises(InputError, match=r"image 4 in .*format that is read"):
        read_tsv(write(tmp_path, rows))[0]
    assert no_programs == []


def test_images_in_the_table_need_no_folder(tmp_path):
    rows = [[*ROWS[0][:4], "A" * 5000]]
    with pytest.raises(InputError, match="line 1 holds the image itself"):
        read_tsv(write(tmp_path, rows), tmp_path)


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [["{}"]],
        [ROWS[0], ROWS[1][:3]],
        [["1", "9", "cat", "1,2,3", CATS]],
        [["1", "9", "cat", "1,2,3,nan", CATS]],
        [["1", "9", "cat", "a,b,c,d", CATS]],
    ],
)
def test_files_in_another_format(tmp_path, rows):
    with pytest.raises(InputError, match=r"val\.tsv is not in the TSV form"):
        read_tsv(write(tmp_path, rows))


def test_missing_files(tmp_path):
    with pytest.raises(InputError, match="annotation file .* does not exist"):
        read_tsv(tmp_path / "none.tsv")
    path = write(tmp_path, ROWS)
    with pytest.raises(InputError, match="image folder"):
        read_tsv(path, tmp_path / "none")
    data = read_tsv(path)
    path.unlink()
    with pytest.raises(InputError, match="annotation file .* does not exist"):
        data[0]

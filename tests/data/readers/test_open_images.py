import pytest
from PIL import Image

from vps.data.readers import open_images
from vps.data.readers.open_images import read_open_images
from vps.errors import InputError

HEAD = "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsGroupOf\n"
ROWS = ["a,x,/m/1,1,.1,.5,.2,.6,0", "a,x,/m/2,1,0,1,0,1,1", "b,x,/m/1,1,.5,1,.5,1,0"]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "images").mkdir()
    for name in "ab":
        Image.new("RGB", (200, 100)).save(tmp_path / "images" / f"{name}.jpg")
    (tmp_path / "oidv7-class-descriptions-boxable.csv").write_text(
        'LabelName,DisplayName\n/m/1,Cat\n/m/2,"Dog, large"\n/m/3,Cow\n'
    )
    write(tmp_path, *ROWS)
    return tmp_path


def write(folder, *rows):
    (folder / "boxes.csv").write_text(HEAD + "\n".join(rows))


def read(folder, **options):
    return read_open_images(folder / "boxes.csv", folder / "images", **options)


def test_fractions_become_pixels_and_groups_are_ignored(folder):
    data = read(folder)
    assert data.labels == ("Cat", "Dog, large", "Cow")
    assert data.image_ids == ("a", "b")
    sample = data[0]
    assert sample.boxes.tolist() == [[20, 20, 100, 60], [0, 0, 200, 100]]
    assert sample.ignored.tolist() == [False, True]
    assert sample.labels == ("Cat", "Dog, large")
    assert sample.object_ids == (1, 2)
    assert sample.verified == {"Cat", "Dog, large"}
    assert data.skipped == {}


def test_verified_labels(folder):
    (folder / "labels.csv").write_text(
        "ImageID,Source,LabelName,Confidence\nb,v,/m/3,0\nc,v,/m/3,0\nb,v,/m/99,1\n"
    )
    data = read(folder, verified=folder / "labels.csv")
    assert data.find("b").verified == {"Cat", "Cow"}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("a,x,/m/9,1,.1,.5,.2,.6,0", open_images.NO_LABEL_NAME),
        ("a,x,/m/1,1,.1,x,.2,.6,0", open_images.NO_EDGES),
        ("a,x,/m/1,1,10,50,20,60,0", open_images.NO_EDGES),
        ("a,x,/m/1,1,nan,.5,.2,.6,0", open_images.NO_EDGES),
        ("a,x,/m/1", open_images.NO_EDGES),
        ("a,x,/m/1,1,.5,.1,.2,.6,0", open_images.EMPTY_BOX),
        ("a,x,/m/1,1,.1,.5,.2,.6,maybe", open_images.NO_GROUP_FLAG),
    ],
)
def test_one_odd_row_is_left_out_counted_and_named(folder, row, reason):
    write(folder, row, *ROWS)
    data = read(folder)
    assert data.find("a").object_ids == (2, 3)
    assert data.skipped == {reason: 1}
    assert "boxes.csv, row 1 of image a" in data.left_out.lines()[0]
    with pytest.raises(InputError, match=r"boxes\.csv, row 1 of image a.*strict"):
        read(folder, strict=True)


def test_images_that_are_not_in_the_folder_are_counted(folder):
    (folder / "images" / "b.jpg").unlink()
    data = read(folder, strict=True)
    assert data.image_ids == ("a",)
    assert data.skipped == {open_images.NOT_IN_FOLDER: 1}


def test_tables_of_another_form(folder):
    classes = folder / "oidv7-class-descriptions-boxable.csv"
    for text, message in (("", "no column ImageID"), ("a,b\n1,2\n", "no column ImageID"),
                          (HEAD, "none of its rows"), ("\x80", r"boxes\.csv")):  # fmt: skip
        (folder / "boxes.csv").write_bytes(text.encode("latin1"))
        with pytest.raises(InputError, match=message):
            read(folder)
    write(folder, *ROWS)
    for text in ("", "/m/1\n", "/m/1,\n"):
        classes.write_text(text)
        with pytest.raises(InputError, match="class-descriptions-boxable"):
            read(folder)
    classes.rename(folder / "names.csv")
    with pytest.raises(InputError, match="as the option classes"):
        read(folder)
    (folder / "names.csv").write_text("/m/1,Cat\n/m/2,Dog\n")
    assert read(folder, classes=folder / "names.csv").labels == ("Cat", "Dog")

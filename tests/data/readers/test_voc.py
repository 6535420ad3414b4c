import pytest
from PIL import Image

from vps.data.readers import voc
from vps.data.readers.frames import FRACTIONS
from vps.data.readers.voc import read_voc
from vps.errors import InputError


def thing(name="cat", box=(11, 21, 50, 60), more=""):
    corners = "".join(
        f"<{key}>{value}</{key}>"
        for key, value in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)
    )
    return f"<object><name>{name}</name><bndbox>{corners}</bndbox>{more}</object>"


def page(*things, name="a.png", size="<width>200</width><height>100</height>", head=""):
    named = f"<filename>{name}</filename><size>{size}</size>"
    return f"{head}<annotation>{named}{''.join(things)}</annotation>"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "Annotations").mkdir()
    (tmp_path / "JPEGImages").mkdir()
    for name in ("a", "b"):
        Image.new("RGB", (200, 100)).save(tmp_path / "JPEGImages" / f"{name}.png")
    (tmp_path / "Annotations" / "a.xml").write_text(page(thing(), thing("dog", (1, 1, 200, 100))))
    return tmp_path


def write(folder, text, name="b.xml"):
    (folder / "Annotations" / name).write_text(text)


def test_corners_are_pixels_that_belong_to_the_object(folder):
    data = read_voc(folder)
    assert data.labels == ("cat", "dog")
    assert data.image_ids == ("a",)
    (sample,) = data
    assert sample.boxes.tolist() == [[10, 20, 50, 60], [0, 0, 200, 100]]
    assert sample.areas.tolist() == [1600, 20000]
    assert sample.object_ids == (1, 2)
    assert sample.name == "a.png"
    assert read_voc(folder, first_pixel=0)[0].boxes[0].tolist() == [11, 21, 50, 60]
    with pytest.raises(InputError, match="first_pixel must be 0 or 1, got 2"):
        read_voc(folder, first_pixel=2)


def test_a_zero_tells_that_they_are_edges(folder):
    write(folder, page(thing(box=("0.0", 5, 20, 30)), name="b.png"))
    data = read_voc(folder)
    assert data.find("a").boxes[0].tolist() == [11, 21, 50, 60]
    assert any("object 1 of b.xml" in line for line in data.left_out.lines())


def test_difficult_objects_are_ignored_and_parts_are_none(folder):
    part = "<part><name>head</name><bndbox><xmin>1</xmin></bndbox></part>"
    things = thing(more="<difficult>1</difficult>"), thing("person", more=part)
    write(folder, page(*things, name="b.png"))
    sample = read_voc(folder).find("b")
    assert sample.labels == ("cat", "person")
    assert sample.ignored.tolist() == [True, False]


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        (thing(""), voc.NO_OBJECT_NAME),
        ("<object/>", voc.NO_OBJECT_NAME),
        ("<object><name>cat</name></object>", voc.NO_CORNERS),
        ("<object><name>cat</name><polygon><x1>1</x1></polygon></object>", voc.NO_CORNERS),
        (thing(box=(1, 2, "x", 4)), voc.NO_CORNERS),
        (thing(box=(50, 60, 11, 21)), voc.EMPTY_BOX),
        (thing(box=(11, 21, "nan", 60)), voc.EMPTY_BOX),
        (thing(more="<difficult>maybe</difficult>"), voc.NO_DIFFICULT),
        (thing(box=(0.1, 0.2, 0.5, 0.6)), FRACTIONS),
    ],
)
def test_one_odd_object_is_left_out_counted_and_named(folder, odd, reason):
    write(folder, page(thing(), odd, name="b.png"))
    data = read_voc(folder)
    assert data.find("b").object_ids == (1,)
    assert data.skipped[reason] == 1
    assert any("object 2 of b.xml" in line for line in data.left_out.lines())
    with pytest.raises(InputError, match=r"object 2 of b\.xml.*strict is set"):
        read_voc(folder, strict=True)


BOMB = """<!DOCTYPE a [<!ENTITY b "{}"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>"""


@pytest.mark.parametrize(
    "text",
    [
        page(thing("&c;"), head=BOMB.format("lol" * 100)),
        page(thing("&x;"), head='<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>'),
        page(thing(), head='<!DOCTYPE annotation SYSTEM "http://localhost/a.dtd">'),
        page(thing())[:-20],
        "",
        "no xml",
        page(thing("&nbsp;")),
        page(thing(), head='<?xml version="1.0" encoding="none"?>'),
        "\x00",
    ],
)
def test_files_that_are_none_or_would_grow_are_left_out(folder, text):
    write(folder, text)
    data = read_voc(folder)
    assert data.image_ids == ("a",)
    assert data.skipped[voc.NO_XML] == 1
    (line,) = [line for line in data.left_out.lines() if line.startswith(voc.NO_XML)]
    assert "b.xml: " in line


def test_a_document_type_is_refused_before_it_is_read(folder):
    write(folder, page(thing("&c;"), head=BOMB.format("lol")))
    with pytest.raises(InputError, match=r"b\.xml: it declares a document type"):
        read_voc(folder, strict=True)


@pytest.mark.parametrize("name", ["b.png", "b", "", "C:\\data\\b.png", "/home/me/b.png", "x.jpg"])
def test_images_are_found_by_either_name(folder, name):
    write(folder, page(thing(), name=name))
    assert read_voc(folder).find("b").name == "b.png"
    write(folder, page(thing(), name="b.png"), "c.xml")
    assert read_voc(folder).find("c").name == "b.png"


def test_sizes_may_be_missing_or_none(folder):
    for size in ("", "<width>0</width><height>0</height>"):
        write(folder, page(thing(), name="b.png", size=size))
        assert len(read_voc(folder).find("b").labels) == 1


def test_splits(folder):
    write(folder, page(thing(), name="b.png"))
    lists = folder / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    (lists / "val.txt").write_text("b  1\n")
    assert read_voc(folder, split="val").image_ids == ("b",)
    with pytest.raises(InputError, match="unknown split 'vla', did you mean 'val'"):
        read_voc(folder / "Annotations", split="vla")


def test_images_may_lie_beside_the_xml_files_or_elsewhere(folder):
    (folder / "JPEGImages" / "a.xml").write_text(page(thing()))
    assert len(read_voc(folder / "JPEGImages")[0].labels) == 1
    assert len(read_voc(folder / "Annotations", folder / "JPEGImages")[0].labels) == 2


def test_nothing_of_use_is_an_error(folder):
    write(folder, page(), "a.xml")
    with pytest.raises(InputError, match="Annotations: there is no object that can be used"):
        read_voc(folder)
    with pytest.raises(InputError, match="is a file: this format takes the folder"):
        read_voc(folder / "Annotations" / "a.xml")
    with pytest.raises(InputError, match="no XML file"):
        read_voc(folder / "JPEGImages")

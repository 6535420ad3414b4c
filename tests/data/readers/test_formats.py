import inspect
import json
from importlib import import_module

import pytest

from tests.helpers.attacks import picture
from vps.data.readers.formats import FORMATS, annotation_files, open_dataset
from vps.data.scenes.scene_files import write_coco
from vps.errors import InputError


@pytest.mark.parametrize("name", FORMATS)
def test_readers_take_what_they_are_given(name):
    module, function = FORMATS[name].split(":")
    parameters = inspect.signature(getattr(import_module(module), function)).parameters
    assert list(parameters)[:2] == ["annotations", "images"]
    assert parameters["name"].kind is inspect.Parameter.KEYWORD_ONLY


@pytest.mark.parametrize("name", FORMATS)
def test_missing_files_are_named(name, tmp_path):
    with pytest.raises(InputError, match=r"none\.json does not exist"):
        open_dataset(name, tmp_path / "none.json", tmp_path)


def test_names_and_options(tmp_path):
    pytest.importorskip("pycocotools")
    path = write_coco(tmp_path, "val", 3, seed=1)
    images = tmp_path / "images" / "val"
    assert open_dataset("coco", path, images).name == "coco"
    assert open_dataset("coco", str(path), str(images), name="scenes").name == "scenes"
    refs = path.with_name("refs_val.json")
    data = open_dataset("refcoco", refs, images, split="val")
    assert data.grounding
    splits = {ref["split"] for ref in json.loads(refs.read_text())}
    assert splits == {"val"}


def of_one_image(name, folder, file_name):
    """A data set of one image with one object, and the options that its reader needs."""
    image = {"id": 1, "original_id": 1, "file_name": file_name, "height": 6, "width": 8}
    image |= {"caption": "a cat", "neg_category_ids": [], "not_exhaustive_category_ids": []}
    cat = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 4, 3], "area": 12}
    content = {"images": [image], "annotations": [cat]}
    content["categories"] = [{"id": 1, "name": "cat", "frequency": "f"}]
    path, options = folder / "all.json", {}
    path.write_text(json.dumps(content))
    if name == "refcoco":
        options["instances"], path = path, folder / "refs.json"
        sentence = {"sent_id": 1, "sent": "a cat"}
        refs = [{"ann_id": 1, "image_id": 1, "split": "val", "sentences": [sentence]}]
        path.write_text(json.dumps(refs))
    elif name == "refcoco-tsv":
        path = folder / "all.tsv"
        path.write_text(f"image\ttext\tregion_coord\n{file_name}\ta cat\t1,1,5,4\n")
    elif name == "voc":
        path = folder / "xml"
        path.mkdir()
        box = "<xmin>1</xmin><ymin>1</ymin><xmax>5</xmax><ymax>4</ymax>"
        cat = f"<object><name>cat</name><bndbox>{box}</bndbox></object>"
        text = f"<annotation><filename>{file_name}</filename>{cat}</annotation>"
        (path / "a.xml").write_text(text)
    elif name in LISTED:
        # These take the files that lie in the folder: this one is a link out of it.
        (folder / "images" / "secret.png").symlink_to(file_name)
        if name == "yolo":
            path = folder / "data.yaml"
            path.write_text("names: [cat]")
            options["labels"] = folder
            (folder / "secret.txt").write_text("0 .5 .5 .2 .2")
        else:
            path = folder / "boxes.csv"
            path.write_text("ImageID,LabelName,XMin,XMax,YMin,YMax\nsecret,/m/1,.1,.5,.1,.5\n")
            (folder / "class-descriptions-boxable.csv").write_text("/m/1,cat\n")
    return path, options


LISTED = ("open-images", "yolo")


@pytest.mark.parametrize("name", FORMATS)
def test_no_reader_reads_outside_the_image_folder_unless_told_to(name, tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "secret.png").write_bytes(picture())
    path, options = of_one_image(name, tmp_path, "../secret.png")
    with pytest.raises(InputError, match="secret.png lies outside the image folder"):
        open_dataset(name, path, tmp_path / "images", **options)[0]
    allowed = open_dataset(name, path, tmp_path / "images", outside=True, **options)
    assert allowed[0].image.shape == (6, 8, 3)
    assert allowed[0].labels in (("cat",), ("a cat",))
    # As YAML gives them; a text alone would count as true.
    with pytest.raises(InputError, match="secret.png lies outside the image folder"):
        open_dataset(name, path, tmp_path / "images", outside="no", **options)[0]
    open_dataset(name, path, tmp_path / "images", outside="yes", **options)[0]
    for option in ("outside", "strict"):
        with pytest.raises(InputError, match=f"{option} must be true or false, got 'maybe'"):
            open_dataset(name, path, tmp_path / "images", **{option: "maybe"}, **options)


@pytest.mark.parametrize("name", FORMATS)
def test_the_files_of_the_annotations_are_known(name, tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "secret.png").write_bytes(picture())
    path, options = of_one_image(name, tmp_path, "../secret.png")
    found = [file.name for file in annotation_files(name, path, tmp_path / "images", **options)]
    expected = {
        "voc": ["a.xml"],
        "yolo": ["data.yaml", "secret.txt"],
        "open-images": ["boxes.csv", "class-descriptions-boxable.csv"],
    }
    assert found == expected.get(name, [path.name])


def test_misspelt_names(tmp_path):
    with pytest.raises(InputError, match="unknown format 'refcoc', did you mean 'refcoco'"):
        open_dataset("refcoc", tmp_path)
    with pytest.raises(InputError, match="unknown option of refcoco 'spilt', did you mean 'split'"):
        open_dataset("refcoco", tmp_path, spilt="val")
    with pytest.raises(InputError, match="unknown option of coco 'split'"):
        open_dataset("coco", tmp_path, split="val")

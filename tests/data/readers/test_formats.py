import inspect
import json
from importlib import import_module

import pytest

from vps.data.readers.formats import FORMATS, open_dataset
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
    pytest.importorskip("lvis")
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


def test_misspelt_names(tmp_path):
    with pytest.raises(InputError, match="unknown format 'refcoc', did you mean 'refcoco'"):
        open_dataset("refcoc", tmp_path)
    with pytest.raises(InputError, match="unknown option of refcoco 'spilt', did you mean 'split'"):
        open_dataset("refcoco", tmp_path, spilt="val")
    with pytest.raises(InputError, match="unknown option of coco 'split'"):
        open_dataset("coco", tmp_path, split="val")

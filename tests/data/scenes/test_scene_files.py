import json
import sys
from collections import Counter
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from vps.core.boxes import xywh_to_xyxy
from vps.data.scenes.layouts import CATEGORIES, NAMES, WITHOUT_CAUSE
from vps.data.scenes.scene_files import write_coco, write_lvis
from vps.data.scenes.scenes import make_scene
from vps.errors import InputError

pytest.importorskip("pycocotools")
COUNT = 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scenes")
    write_coco(folder, "val", COUNT, seed=5)
    write_lvis(folder, "val", COUNT, seed=5)
    return folder


def test_pycocotools_reads_the_detection_data(folder):
    from pycocotools.coco import COCO

    coco = COCO(str(folder / "annotations" / "instances_val.json"))
    assert len(coco.imgs) == COUNT
    assert [category["name"] for category in coco.cats.values()] == list(CATEGORIES)
    for entry in coco.imgs.values():
        scene = make_scene(5, entry["id"] - 1)
        image = np.array(Image.open(folder / "images" / "val" / entry["file_name"]))
        assert np.array_equal(image, scene.image)
        annotations = coco.loadAnns(coco.getAnnIds(entry["id"]))
        assert len(annotations) == len(scene.objects)
        for annotation, item in zip(annotations, scene.objects, strict=True):
            x, y, w, h = annotation["bbox"]
            assert (x, y, x + w, y + h) == item.box
            assert np.array_equal(coco.annToMask(annotation), item.mask)
            assert annotation["area"] == item.mask.sum()
            assert ("cause" in annotation) == (item.category in WITHOUT_CAUSE)
            if "cause" in annotation:
                cause = coco.annToMask({**annotation, "segmentation": annotation["cause"]})
                assert np.array_equal(cause, item.cause)


def test_refs_speak_of_annotated_objects_in_the_form_of_refcoco(folder):
    refs = json.loads((folder / "annotations" / "refs_val.json").read_text())
    instances = json.loads((folder / "annotations" / "instances_val.json").read_text())
    annotations = {annotation["id"]: annotation for annotation in instances["annotations"]}
    assert len(refs) >= COUNT
    assert len({ref["ref_id"] for ref in refs}) == len(refs)
    for ref in refs:
        annotation = annotations[ref["ann_id"]]
        assert annotation["image_id"] == ref["image_id"]
        assert annotation["category_id"] == ref["category_id"]
        assert ref["split"] == "val"
        (sentence,) = ref["sentences"]
        assert sentence["sent_id"] in ref["sent_ids"]
        assert " ".join(sentence["tokens"]) == sentence["sent"]
        assert CATEGORIES[ref["category_id"] - 1] in sentence["tokens"]


@pytest.fixture
def lvis(monkeypatch):
    """The official API; what it draws with, and needs a display library for, is left out."""
    monkeypatch.setitem(sys.modules, "cv2", ModuleType("cv2"))
    return pytest.importorskip("lvis")


def test_the_lvis_api_reads_the_lvis_data(folder, lvis):
    data = lvis.LVIS(str(folder / "annotations" / "lvis_val.json"))
    frequencies = Counter(category["frequency"] for category in data.cats.values())
    assert min(frequencies[kind] for kind in "rcf") >= 5
    assert len(data.cats) == len(NAMES)
    present: dict[int, set[int]] = {}
    for annotation in data.anns.values():
        present.setdefault(annotation["image_id"], set()).add(annotation["category_id"])
        assert data.ann_to_mask(annotation).sum() == annotation["area"]
    for entry in data.imgs.values():
        assert not present[entry["id"]] & set(entry["neg_category_ids"])
        assert set(entry["not_exhaustive_category_ids"]) <= present[entry["id"]]
    for category in data.cats.values():
        images = [image for image, ids in present.items() if category["id"] in ids]
        assert category["image_count"] == len(images)


def test_the_lvis_scoring_accepts_the_truth_as_result(folder, lvis, monkeypatch):
    # The API still asks for an alias that numpy has dropped.
    monkeypatch.setattr(np, "float", float, raising=False)
    data = lvis.LVIS(str(folder / "annotations" / "lvis_val.json"))
    rows = [
        {key: annotation[key] for key in ("image_id", "category_id", "bbox")} | {"score": 1.0}
        for annotation in data.anns.values()
    ]
    evaluation = lvis.LVISEval(data, lvis.LVISResults(data, rows), "bbox")
    evaluation.run()
    assert evaluation.get_results()["AP"] == pytest.approx(1.0)


def test_boxes_convert_to_what_scenes_say(folder):
    import torch

    instances = json.loads((folder / "annotations" / "instances_val.json").read_text())
    first = instances["annotations"][0]
    expected = make_scene(5, first["image_id"] - 1).objects[0].box
    assert tuple(xywh_to_xyxy(torch.tensor(first["bbox"])).tolist()) == expected


@pytest.mark.parametrize("write", [write_coco, write_lvis])
def test_bad_requests_are_refused(write, tmp_path):
    with pytest.raises(InputError, match="count must be at least 1"):
        write(tmp_path, "val", 0, seed=1)
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot write scenes"):
        write(tmp_path / "file", "val", 1, seed=1)


@pytest.mark.parametrize("write", [write_coco, write_lvis])
@pytest.mark.parametrize("split", ["../../x", "/tmp/x", "..", "", "a/b", "a\0", "x" * 200])
def test_no_split_leads_out_of_the_folder(write, tmp_path, split):
    with pytest.raises(InputError, match="split .* is no plain name"):
        write(tmp_path / "scenes", split, 1, seed=1)
    assert not list(tmp_path.iterdir())


def test_bars_and_waves_are_objects_of_a_file_of_their_own(folder):
    plain = json.loads((folder / "annotations" / "instances_val.json").read_text())
    told = json.loads((folder / "annotations" / "causes_val.json").read_text())
    names = {category["id"]: category["name"] for category in told["categories"]}
    assert list(names.values()) == [*CATEGORIES, "bar", "waves"]
    count = len(plain["annotations"])
    assert told["annotations"][:count] == plain["annotations"]
    more = told["annotations"][count:]
    assert {names[one["category_id"]] for one in more} == {"bar", "waves"}
    assert len({one["id"] for one in told["annotations"]}) == len(told["annotations"])
    masks = {(one["image_id"], json.dumps(one["segmentation"])) for one in more}
    # Whatever is the cause of something is among them, unless hardly any of it can be seen.
    causes = [one for one in plain["annotations"] if "cause" in one]
    there = [(one["image_id"], json.dumps(one["cause"])) in masks for one in causes]
    assert sum(there) > 0.9 * len(causes) > 0
    # And some that are the cause of nothing.
    assert len(more) > len({(one["image_id"], json.dumps(one["cause"])) for one in causes})

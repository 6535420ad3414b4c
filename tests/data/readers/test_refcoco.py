import json
import pickle

import numpy as np
import pytest
from PIL import Image

from vps.data.readers.refcoco import read_refcoco
from vps.data.scenes.scene_files import write_coco
from vps.errors import InputError


def ref(number, ann_id, image_id, split, *sentences):
    return {
        "ref_id": number,
        "ann_id": ann_id,
        "image_id": image_id,
        "category_id": 1,
        # The name in refs ends in the annotation's id.
        "file_name": f"COCO_train2014_{image_id:012d}_{number}.jpg",
        "split": split,
        "sent_ids": [sent_id for sent_id, _ in sentences],
        "sentences": [
            {"sent_id": sent_id, "sent": text, "raw": text, "tokens": text.split()}
            for sent_id, text in sentences
        ],
    }


REFS = [
    ref(0, 20, 9, "val", (3, "left cat"), (1, "the cat")),
    ref(1, 21, 9, "val", (2, "right cat"), (6, " ")),
    ref(2, 22, 4, "testA", (4, "dog"), (5, "dog")),
    ref(3, 23, 4, "testA", (7, "nothing")),
]
INSTANCES = {
    "images": [
        {"id": n, "file_name": f"COCO_train2014_{n:012d}.jpg", "height": 20, "width": 30}
        for n in (4, 9, 11)
    ],
    "annotations": [
        {"id": 20, "image_id": 9, "bbox": [1, 2, 3, 4], "area": 7.5, "iscrowd": 0},
        {"id": 21, "image_id": 9, "bbox": [5, 5, 2, 2], "area": 3, "iscrowd": 0},
        {
            "id": 22,
            "image_id": 4,
            "bbox": [0, 0, 10, 10],
            "area": 50,
            "segmentation": [[0, 0, 10, 0, 10, 10, 0, 10]],
        },
        {"id": 23, "image_id": 4, "bbox": [0, 0, 0, 10], "area": 0},
        {"id": 24, "image_id": 11, "bbox": [0, 0, 9, 10], "area": 0},
    ],
    "categories": [{"id": 1, "name": "cat"}],
}


@pytest.fixture
def folder(tmp_path):
    for record in INSTANCES["images"]:
        Image.new("RGB", (30, 20)).save(tmp_path / record["file_name"])
    (tmp_path / "instances.json").write_text(json.dumps(INSTANCES))
    (tmp_path / "refs(unc).p").write_bytes(pickle.dumps(REFS, 2))
    (tmp_path / "refs.json").write_text(json.dumps(REFS))
    return tmp_path


@pytest.mark.parametrize("name", ["refs(unc).p", "refs.json"])
def test_each_sentence_is_an_entry(folder, name):
    data = read_refcoco(folder / name, folder)
    assert data.grounding
    assert data.labels == ()
    assert data.image_ids == (4, 9)
    assert data.skipped == {"phrase without text": 1, "box without area": 1}
    dogs, cats = data
    assert cats.name == "COCO_train2014_000000000009.jpg"
    assert cats.labels == ("left cat", "the cat", "right cat")
    assert cats.object_ids == (3, 1, 2)
    assert cats.boxes.tolist() == [[1, 2, 4, 6], [1, 2, 4, 6], [5, 5, 7, 7]]
    assert cats.areas.tolist() == [7.5, 7.5, 3]
    assert dogs.labels == ("dog", "dog")
    assert dogs.object_ids == (4, 5)


def test_masks_come_with_the_objects(folder):
    pytest.importorskip("pycocotools")
    dogs = read_refcoco(folder / "refs(unc).p", folder)[0]
    assert dogs.mask(0).sum() == 100
    assert np.array_equal(dogs.mask(0), dogs.mask(1))


def test_splits(folder):
    val = read_refcoco(folder / "refs(unc).p", folder, split="val")
    assert val.image_ids == (9,)
    assert len(val[0].labels) == 3
    assert read_refcoco(folder / "refs(unc).p", folder, split="testA").image_ids == (4,)
    with pytest.raises(InputError, match="unknown split 'testa', did you mean 'testA'"):
        read_refcoco(folder / "refs(unc).p", folder, split="testa")


def test_instances_elsewhere(folder):
    (folder / "instances.json").rename(folder / "objects.json")
    with pytest.raises(InputError, match=r"instances\.json does not exist"):
        read_refcoco(folder / "refs(unc).p", folder)
    data = read_refcoco(folder / "refs(unc).p", folder, instances=folder / "objects.json")
    assert len(data) == 2


def test_scenes(tmp_path):
    pytest.importorskip("pycocotools")
    instances = write_coco(tmp_path, "val", 6, seed=5)
    path = instances.with_name("refs_val.json")
    data = read_refcoco(path, tmp_path / "images" / "val", split="val")
    truths = {item["id"]: item for item in json.loads(instances.read_text())["annotations"]}
    refs = {item["sent_ids"][0]: item for item in json.loads(path.read_text())}
    seen = 0
    for sample in data:
        for k, number in enumerate(sample.object_ids):
            said, truth = refs[number], truths[refs[number]["ann_id"]]
            assert said["image_id"] == sample.image_id
            assert sample.labels[k] == said["sentences"][0]["sent"]
            x1, y1, x2, y2 = sample.boxes[k]
            assert [x1, y1, x2 - x1, y2 - y1] == truth["bbox"]
            assert sample.mask(k).sum() == truth["area"] == sample.areas[k]
            seen += 1
    assert seen == len(refs)


class Harmful:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_a_pickle_that_would_run_code_is_refused(folder):
    path = folder / "refs(unc).p"
    path.write_bytes(pickle.dumps([*REFS, Harmful(folder / "trace")], 2))
    with pytest.raises(InputError, match=r"refs\(unc\)\.p is refused: it asks for io\.open"):
        read_refcoco(path, folder)
    assert not (folder / "trace").exists()


def without(key):
    return [{name: value for name, value in REFS[0].items() if name != key}]


@pytest.mark.parametrize(
    "content",
    [
        {},
        [1],
        without("ann_id"),
        without("sentences"),
        [{**REFS[0], "ann_id": 99}],
        [{**REFS[0], "image_id": 99}],
        [{**REFS[0], "sentences": [{"sent": "no id"}]}],
    ],
)
def test_refs_in_another_format(folder, content):
    (folder / "refs(unc).p").write_bytes(pickle.dumps(content, 2))
    with pytest.raises(InputError, match=r"refs\(unc\)\.p is not in the form of REFER's"):
        read_refcoco(folder / "refs(unc).p", folder)


def test_odd_records_cost_no_more_than_themselves(folder):
    images = [
        {"file_name": "a.jpg"},
        "odd",
        {**INSTANCES["images"][0], "height": "20", "width": "30.0"},
        {**INSTANCES["images"][1], "file_name": None},
        {**INSTANCES["images"][2], "file_name": None},
    ]
    objects = [{"bbox": [1, 1, 2, 2]}, "odd", *INSTANCES["annotations"]]
    objects.append({**INSTANCES["annotations"][3], "bbox": [0, 0, 3, 3]})
    instances = {"images": images, "annotations": objects}
    (folder / "instances.json").write_text(json.dumps(instances))
    refs = ["odd", *REFS, {key: value for key, value in REFS[2].items() if key != "split"}]
    (folder / "refs.json").write_text(json.dumps(refs))
    data = read_refcoco(folder / "refs.json", folder, split="testA")
    assert data.image_ids == (4,)
    assert data[0].labels == ("dog", "dog")
    # Of the images that are there, 9 is spoken of in the other split only, and 11 never.
    assert data.skipped == {
        "ref without one of ann_id, image_id, sentences": 1,
        "ref without a split": 1,
        "image without an id or a file name": 2,
        "phrase of an ann_id that several annotations have": 1,
    }
    assert any("refs.json, ref 5: {'ref_id': 2" in line for line in data.left_out.lines())
    with pytest.raises(InputError, match="strict is set"):
        read_refcoco(folder / "refs.json", folder, strict=True)


def test_refs_need_no_split_where_none_is_asked_for(folder):
    (folder / "refs.json").write_text(json.dumps(without("split")))
    assert read_refcoco(folder / "refs.json", folder)[0].labels == ("left cat", "the cat")


def test_broken_files(folder):
    with pytest.raises(InputError, match="file of refs .* does not exist"):
        read_refcoco(folder / "none.p", folder)
    with pytest.raises(InputError, match="image folder"):
        read_refcoco(folder / "refs.json", folder / "none")
    for name in ("refs(unc).p", "refs.json", "instances.json"):
        whole = (folder / name).read_bytes()
        (folder / name).write_bytes(whole[:-9])
        refs = name if name.startswith("refs") else "refs.json"
        with pytest.raises(InputError, match="is truncated"):
            read_refcoco(folder / refs, folder)
        (folder / name).write_bytes(whole)
    (folder / "instances.json").write_text("[]")
    with pytest.raises(InputError, match=r"instances\.json is not in COCO's"):
        read_refcoco(folder / "refs.json", folder)


def grefs(folder, *changes, **options):
    refs = [{**REFS[0], **change} for change in changes] + [REFS[2]]
    for number, one in enumerate(refs):
        said = [{"sent_id": number, "sent": f"phrase {number}"}]
        refs[number] = {**one, "sentences": said}
    (folder / "grefs(unc).json").write_text(json.dumps(refs))
    return read_refcoco(
        folder / "grefs(unc).json", folder, **options, instances=folder / "instances.json"
    )


NOTHING = [{"ann_id": [-1], "no_target": True}, {"ann_id": []}, {"ann_id": None}, {"ann_id": -1}]


def test_phrases_of_one_object_are_read_and_the_others_counted(folder):
    data = grefs(folder, {"ann_id": [20]}, {"ann_id": [20, 21]}, {"ann_id": ["21"]}, *NOTHING)
    assert data.find(9).labels == ("phrase 0", "phrase 2")
    assert data.find(9).boxes.tolist() == [[1, 2, 4, 6], [5, 5, 7, 7]]
    assert data.skipped == {"phrase of several objects": 1, "phrase of no object": 4}
    assert data.find(9).absent == ()
    assert "grefs(unc).json, phrase 1 of image 9" in data.left_out.lines()[0]
    with pytest.raises(InputError, match="phrase 1 of image 9: phrase of several objects; strict"):
        grefs(folder, {"ann_id": [20]}, {"ann_id": [20, 21]}, strict=True)


def test_phrases_of_no_object_are_kept_where_they_are_asked_for(folder):
    data = grefs(folder, {"ann_id": [20]}, *NOTHING, no_target=True)
    assert data.find(9).absent == tuple((n, f"phrase {n}") for n in range(1, 5))
    assert data.find(9).labels == ("phrase 0",)
    assert data.skipped == {}
    with pytest.raises(InputError, match="no_target must be true or false"):
        grefs(folder, no_target="ask")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"ann_id": 99}, "phrase of an object that is not annotated"),
        ({"ann_id": [{}]}, "phrase of an object that is not annotated"),
        ({"image_id": 99}, "image_id that is none of the images"),
        ({"ann_id": 23}, "box without area"),
    ],
)
def test_one_odd_ref_is_left_out_counted_and_named(folder, change, reason):
    data = grefs(folder, {}, change)
    assert data.find(9).labels == ("phrase 0",)
    assert data.find(4).labels == ("phrase 2",)
    assert data.skipped == {reason: 1}


@pytest.mark.parametrize("key", ["ann_id", "image_id", "sentences"])
def test_a_ref_that_lacks_something_is_left_out(folder, key):
    (folder / "refs.json").write_text(json.dumps([*REFS[1:], without(key)[0]]))
    data = read_refcoco(folder / "refs.json", folder)
    assert data.skipped["ref without one of ann_id, image_id, sentences"] == 1
    assert data.find(4).labels == ("dog", "dog")


def test_numbers_of_numpy(folder):
    refs = [{**one, "ann_id": np.int64(one["ann_id"]), "image_id": np.int32(9)} for one in REFS[:2]]
    (folder / "refs(unc).p").write_bytes(pickle.dumps(refs, 2))
    assert read_refcoco(folder / "refs(unc).p", folder)[0].object_ids == (3, 1, 2)

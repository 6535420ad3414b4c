import json
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from tests.helpers.paths import SHARED_DATA

pytest.importorskip("lvis")

from vps.data.readers.lvis import read_lvis
from vps.data.scenes.scene_files import write_lvis
from vps.errors import InputError

REAL = SHARED_DATA / "lvis_mini"


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scenes")
    return write_lvis(folder, "val", 12, seed=5), folder / "images" / "lvis_val"


def check_against_the_api(annotations, images):
    from lvis import LVIS

    api = LVIS(str(annotations))
    data = read_lvis(annotations, images)
    names = {number: entry["name"].replace("_", " ") for number, entry in api.cats.items()}
    assert data.labels == tuple(names[number] for number in sorted(names))
    assert data.frequencies == {names[n]: entry["frequency"] for n, entry in api.cats.items()}
    assert sorted(api.imgs) == list(data.image_ids)
    for sample in data:
        record = api.imgs[sample.image_id]
        truths = api.load_anns(api.get_ann_ids([sample.image_id]))
        assert set(sample.object_ids) == {truth["id"] for truth in truths}
        positive = {names[truth["category_id"]] for truth in truths}
        negative = {names[number] for number in record["neg_category_ids"]}
        assert sample.verified == positive | negative
        assert sample.partial == {names[n] for n in record["not_exhaustive_category_ids"]}
        for k, number in enumerate(sample.object_ids):
            truth = api.anns[number]
            x1, y1, x2, y2 = sample.boxes[k]
            assert (x1, y1, x2 - x1, y2 - y1) == pytest.approx(truth["bbox"])
            assert sample.labels[k] == names[truth["category_id"]]
            assert sample.areas[k] == truth["area"]
            assert np.array_equal(sample.mask(k), api.ann_to_mask(truth))
    return data


def test_scenes_as_the_api_reads_them(scenes):
    data = check_against_the_api(*scenes)
    assert any(sample.partial for sample in read_lvis(*_many(scenes)))
    assert {"r", "c", "f"} == set(data.frequencies.values())


def test_categories_of_some_frequencies_alone(scenes):
    whole, rare = read_lvis(*scenes), read_lvis(*scenes, frequencies=("r",))
    assert set(rare.frequencies.values()) == {"r"}
    assert rare.labels == tuple(label for label in whole.labels if whole.frequencies[label] == "r")
    assert rare.image_ids == whole.image_ids
    for sample, other in zip(rare, whole, strict=True):
        kept = [k for k, label in enumerate(other.labels) if label in rare.labels]
        assert sample.object_ids == tuple(other.object_ids[k] for k in kept)
        assert sample.verified == other.verified & set(rare.labels)
    with pytest.raises(InputError, match="unknown frequency 'rare', did you mean 'r'"):
        read_lvis(*scenes, frequencies=("rare",))
    with pytest.raises(InputError, match="frequencies must be a list of r, c, f"):
        read_lvis(*scenes, frequencies=())


def _many(scenes):
    """The scenes with one label of each image marked as not exhaustive."""
    annotations, images = scenes
    content = json.loads(annotations.read_text())
    first = {item["image_id"]: item["category_id"] for item in content["annotations"]}
    for record in content["images"]:
        record["not_exhaustive_category_ids"] = [first[record["id"]]]
    path = annotations.with_name("partial.json")
    path.write_text(json.dumps(content))
    return path, images


@pytest.mark.skipif(not REAL.is_dir(), reason="../shared/data/lvis_mini is not here")
def test_real_images_as_the_api_reads_them():
    annotations = REAL / "lvis_v0.5_val_mini.json"
    data = check_against_the_api(annotations, REAL / "images")
    raw = json.loads(annotations.read_text())["categories"]
    assert Counter(data.frequencies.values()) == Counter(entry["frequency"] for entry in raw)
    assert len(data.labels) == 1230
    assert "headlight" in data.find(527220).partial
    assert data.frequencies["aerosol can"] == "c"


CONTENT = {
    "images": [
        {
            "id": 139,
            "height": 4,
            "width": 6,
            "neg_category_ids": [2],
            "not_exhaustive_category_ids": [1],
        }
    ],
    "categories": [
        {"id": 2, "name": "baseball_bat", "frequency": "f"},
        {"id": 1, "name": "crab_(animal)", "frequency": "r"},
    ],
    "annotations": [
        {"id": 5, "image_id": 139, "category_id": 1, "bbox": [0, 0, 2, 2], "area": 4},
        {"id": 6, "image_id": 139, "category_id": 1, "bbox": [0, 0, 0, 2], "area": 0},
    ],
}
V1 = {"coco_url": "http://images.cocodataset.org/val2017/000000000139.jpg"}
V05 = {"file_name": "COCO_val2014_000000000139.jpg"}


def write(folder, content, **image):
    content = {**content, "images": [{**record, **image} for record in content["images"]]}
    (folder / "lvis.json").write_text(json.dumps(content))
    return folder / "lvis.json"


@pytest.mark.parametrize(
    ("image", "place"),
    [
        (V05, "COCO_val2014_000000000139.jpg"),
        (V05, "val2014/COCO_val2014_000000000139.jpg"),
        (V05, "000000000139.jpg"),
        (V1, "000000000139.jpg"),
        (V1, "val2017/000000000139.jpg"),
        ({"file_name": "scene.png", "coco_url": ""}, "scene.png"),
    ],
)
def test_conventions_of_file_names(tmp_path, image, place):
    (tmp_path / place).parent.mkdir(exist_ok=True)
    Image.new("RGB", (6, 4)).save(tmp_path / place)
    (sample,) = read_lvis(write(tmp_path, CONTENT, **image), tmp_path)
    assert sample.name == (image.get("file_name") or "000000000139.jpg")
    assert sample.labels == ("crab (animal)",)
    assert sample.verified == {"crab (animal)", "baseball bat"}
    assert sample.partial == {"crab (animal)"}


def test_labels_and_what_is_left_out(tmp_path):
    data = read_lvis(write(tmp_path, CONTENT, **V1), tmp_path, name="mine")
    assert data.labels == ("crab (animal)", "baseball bat")
    assert data.frequencies == {"crab (animal)": "r", "baseball bat": "f"}
    assert data.skipped == {"box without area": 1}
    assert data.name == "mine"
    with pytest.raises(InputError, match=r"000000000139\.jpg does not exist, nor"):
        data[0]


def changed(**parts):
    return json.dumps({**CONTENT, "images": [{**CONTENT["images"][0], **V1}], **parts})


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "{}",
        changed(images=[{"id": 139, "height": 4, "width": 6}]),
        changed(images=[{**CONTENT["images"][0]}]),
        changed(images=[{**CONTENT["images"][0], **V1, "neg_category_ids": None}]),
        changed(categories=[{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]),
        changed(categories=[{"id": n, "name": str(n), "frequency": "x"} for n in (1, 2)]),
    ],
)
def test_files_in_another_format(tmp_path, text):
    (tmp_path / "lvis.json").write_text(text)
    with pytest.raises(InputError, match=r"lvis\.json is (not in LVIS's format|truncated)"):
        read_lvis(tmp_path / "lvis.json", tmp_path)


def test_names_that_fall_together_are_one(tmp_path):
    twins = [{"id": n, "name": name, "frequency": "f"} for n, name in [(1, "a_b"), (2, "a b")]]
    data = read_lvis(write(tmp_path, {**CONTENT, "categories": twins}, **V1), tmp_path)
    assert data.labels == ("a b",)
    assert data.skipped["category of the same name as another, taken for the same"] == 1


def test_odd_records_cost_no_more_than_themselves(tmp_path):
    good = {**CONTENT["images"][0], **V1}
    content = {
        "images": [
            {**good, "height": "4", "width": "6.0", "neg_category_ids": ["2", 9]},
            {key: value for key, value in good.items() if key != "id"},
            {**good, "id": 140, "coco_url": None},
            {**good, "id": 141, "neg_category_ids": None},
            {**good, "id": 142, "not_exhaustive_category_ids": "none"},
            {**good, "id": 143},
            {**good, "id": 143, "coco_url": "http://images.cocodataset.org/val2017/other.jpg"},
            {**good, "id": 144},
            {**good, "id": 144},
            7,
        ],
        "categories": [
            *CONTENT["categories"],
            {"id": 3, "name": None, "frequency": "f"},
            {"id": 4, "name": "ball", "frequency": "often"},
        ],
        "annotations": [*CONTENT["annotations"], {**CONTENT["annotations"][0], "image_id": 141}],
    }
    (tmp_path / "lvis.json").write_text(json.dumps(content))
    Image.new("RGB", (6, 4)).save(tmp_path / "000000000139.jpg")
    data = read_lvis(tmp_path / "lvis.json", tmp_path)
    assert data.image_ids == (139, 144)
    assert data[0].verified == {"crab (animal)", "baseball bat"}
    assert data.labels == ("crab (animal)", "baseball bat", "ball")
    assert data.frequencies == {"crab (animal)": "r", "baseball bat": "f"}
    assert data.skipped == {
        "category without an id or a name": 1,
        "category whose frequency is none of r, c, f": 1,
        "image without an id or a file name": 3,
        "image that is there twice": 1,
        "id of several images": 2,
        "id of no category in a list of an image": 1,
        "image without lists of negative and of not exhaustively annotated categories": 2,
        "box without area": 1,
        "image_id that is none of the images": 1,
    }
    assert any("image 139, neg_category_ids: 9" in line for line in data.left_out.lines())
    with pytest.raises(InputError, match="strict is set"):
        read_lvis(tmp_path / "lvis.json", tmp_path, strict=True)


def test_missing_files(tmp_path):
    with pytest.raises(InputError, match="annotation file .* does not exist"):
        read_lvis(tmp_path / "none.json", tmp_path)
    with pytest.raises(InputError, match="image folder .* does not exist"):
        read_lvis(write(tmp_path, CONTENT, **V1), tmp_path / "none")

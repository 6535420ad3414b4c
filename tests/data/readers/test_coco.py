import json

import numpy as np
import pytest
from PIL import Image

from tests.helpers.paths import SHARED_DATA

pytest.importorskip("pycocotools")

from vps.data.readers.coco import read_coco
from vps.data.scenes.scene_files import write_coco
from vps.errors import InputError

REAL = SHARED_DATA / "coco_mini"


def annotation(number, image_id, box, category=3, crowd=0):
    return {
        "id": number,
        "image_id": image_id,
        "category_id": category,
        "bbox": box,
        "iscrowd": crowd,
        "area": box[2] * box[3],
    }


CONTENT = {
    "images": [
        {"id": 7, "file_name": "b.png", "height": 20, "width": 30},
        {"id": 2, "file_name": "a.png", "height": 10, "width": 16},
    ],
    "categories": [{"id": 3, "name": "dog"}, {"id": 1, "name": "cat"}],
    "annotations": [
        annotation(12, 7, [5, 6, 7, 8]),
        annotation(11, 7, [1.5, 2.5, 3, 4], category=1),
        annotation(13, 7, [0, 0, 30, 20], crowd=1),
        annotation(14, 7, [3, 3, 0, 5]),
        annotation(15, 7, [3, 3, 1, 1], category=1) | {"ignore": 1},
        annotation(16, 7, [float("nan"), 3, 1, 1]),
    ],
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "all.json").write_text(json.dumps(CONTENT))
    for number, record in enumerate(CONTENT["images"]):
        shape = (record["height"], record["width"], 3)
        pixels = np.full(shape, 10 * number, np.uint8)
        Image.fromarray(pixels).save(tmp_path / record["file_name"])
    return tmp_path


def test_samples(folder, capsys):
    samples = read_coco(folder / "all.json", folder)
    assert capsys.readouterr().out == ""
    assert len(samples) == 2
    assert samples.image_ids == (2, 7)
    assert samples.labels == ("cat", "dog")
    assert samples.skipped == {"box without area": 2}
    assert samples.name == "coco"
    assert not samples.grounding
    assert not samples.frequencies
    empty, full = samples
    assert empty.image_id == 2
    assert empty.boxes.shape == (0, 4)
    assert empty.labels == ()
    assert full.image.shape == (20, 30, 3)
    assert full.labels == ("cat", "dog", "dog", "cat")
    assert full.object_ids == (11, 12, 13, 15)
    assert full.ignored.tolist() == [False, False, True, True]
    assert full.boxes.dtype == np.float64
    assert full.boxes[:2].tolist() == [[1.5, 2.5, 4.5, 6.5], [5, 6, 12, 14]]
    assert full.areas.tolist() == [12, 56, 600, 1]
    assert full.name == "b.png"
    assert full.verified is None


def test_missing_files(folder):
    with pytest.raises(InputError, match="none.json does not exist"):
        read_coco(folder / "none.json", folder)
    with pytest.raises(InputError, match="image folder"):
        read_coco(folder / "all.json", folder / "none")
    (folder / "b.png").unlink()
    samples = read_coco(folder / "all.json", folder)
    assert samples[0].image_id == 2
    with pytest.raises(InputError, match="b.png does not exist"):
        samples[1]


def test_an_image_of_another_size(folder):
    Image.fromarray(np.zeros((30, 20, 3), np.uint8)).save(folder / "b.png")
    with pytest.raises(InputError, match="annotated as 20 x 30"):
        read_coco(folder / "all.json", folder)[1]


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "",
        "\x80",
        "[]",
        "{}",
        json.dumps({**CONTENT, "categories": [{"id": 3}]}),
        json.dumps({**CONTENT, "annotations": [annotation(1, 99, [1, 1, 1, 1])]}),
        json.dumps({**CONTENT, "annotations": [{"id": 1, "image_id": 7}]}),
        json.dumps({**CONTENT, "annotations": [annotation(1, 7, [1, 1, 1, 1]) | {"bbox": [1]}]}),
        json.dumps({**CONTENT, "annotations": [annotation(1, 7, [1, 1, 1, 1], category=9)]}),
    ],
)
def test_files_in_another_format(folder, text):
    (folder / "all.json").write_text(text)
    with pytest.raises(InputError, match=r"all\.json"):
        list(read_coco(folder / "all.json", folder))


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scenes")
    return write_coco(folder, "val", 6, seed=5), folder / "images" / "val"


def check_against_pycocotools(annotations, images):
    from pycocotools.coco import COCO

    coco = COCO(str(annotations))
    samples = read_coco(annotations, images)
    assert list(samples.image_ids) == sorted(coco.imgs)
    assert samples.labels == tuple(coco.cats[number]["name"] for number in sorted(coco.cats))
    for sample in samples:
        assert set(sample.object_ids) == set(coco.getAnnIds(sample.image_id))
        for k, number in enumerate(sample.object_ids):
            truth = coco.anns[number]
            x1, y1, x2, y2 = sample.boxes[k]
            assert (x1, y1, x2 - x1, y2 - y1) == pytest.approx(truth["bbox"])
            assert sample.labels[k] == coco.cats[truth["category_id"]]["name"]
            assert sample.areas[k] == truth["area"]
            assert sample.ignored[k] == truth["iscrowd"]
            assert np.array_equal(sample.mask(k), coco.annToMask(truth))
    return samples


def test_scenes_as_pycocotools_reads_them(scenes):
    check_against_pycocotools(*scenes)


@pytest.mark.skipif(not REAL.is_dir(), reason="../shared/data/coco_mini is not here")
def test_real_images_as_pycocotools_reads_them():
    annotations = REAL / "annotations" / "instances_val2017.json"
    samples = check_against_pycocotools(annotations, REAL / "val2017")
    assert len(samples) == 79
    assert len(samples.labels) == 80
    assert sum(sample.ignored.sum() for sample in samples) == 5

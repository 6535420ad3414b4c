"""Lists of VPS and PhaseWin are joined to images and annotations, or counted with the reason."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from tests.helpers.paths import SHARED_DATA
from vps.core.targets import Kind
from vps.data.cases import joining
from vps.data.cases.joining import join_entries
from vps.data.dataset import Annotation, Dataset, ImageEntry
from vps.data.image_files import ImageFile, ImageFolder
from vps.data.left_out import LeftOut
from vps.data.readers.vps_list import NO_DETECTION, NOT_SAID, read_entries
from vps.errors import InputError

REAL = SHARED_DATA / "vps_lists" / "coco_groundingdino_correct_detection.json"
LABELS = ("bat", "baseball bat", "cow")


@pytest.fixture
def dataset(tmp_path):
    """Two images of 100 x 50: a baseball bat twice and a crowd of bats; a cow."""

    def picture(name: str) -> ImageFile:
        Image.fromarray(np.zeros((50, 100, 3), np.uint8)).save(tmp_path / name)
        return ImageFile(ImageFolder(tmp_path), (name,))

    first = (
        Annotation(7, "baseball bat", (0, 0, 10, 10), 60.0),
        Annotation(8, "baseball bat", (0, 0, 12, 10), 70.0),
        Annotation(9, "bat", (50, 0, 90, 40), 900.0, ignored=True),
    )
    second = (Annotation(3, "cow", (20, 10, 60, 40), 1000.0),)
    entries = [
        ImageEntry(139, picture("000000000139.jpg"), first),
        ImageEntry(785, picture("785.jpg"), second),
    ]
    frequencies = {"baseball bat": "r", "bat": "c", "cow": "f"}
    return Dataset("drawn", entries, labels=LABELS, frequencies=frequencies)


def entry(label="baseball_bat", box=(0, 0, 10, 10), image="000000000139.jpg", **more):
    return {"file_name": image, "category": label, "bbox": list(box), **more}


def joined(folder, dataset, entries, kind=Kind.CORRECT, labels=LABELS, **settings):
    (folder / "list.json").write_text(json.dumps(entries))
    left_out = LeftOut("list.json")
    _, read = read_entries(folder / "list.json", left_out)
    cases = join_entries(read, dataset, kind, left_out, labels=labels, **settings)
    return cases, left_out


def test_an_entry_gets_its_image_annotation_area_and_frequency(dataset, tmp_path):
    (case,), left_out = joined(tmp_path, dataset, [entry(predict_box=[0, 0, 10, 9])])
    assert (case.image_id, case.object_id, case.area) == (139, 7, 60.0)
    assert (case.label, case.frequency) == ("baseball bat", "r")
    assert case.box == (0, 0, 10, 10)
    assert not left_out.counts
    (case,), _ = joined(tmp_path, dataset, [entry(predict_box=[0, 0, 10, 9])], target="detection")
    assert case.box == (0, 0, 10, 9)


@pytest.mark.parametrize(
    "named",
    [
        {"image": "COCO_val2014_000000000139.jpg"},
        {"image": "COCO_train2014_000000000139_7.jpg"},
        {"image": "refcoco+/image/000000000139.jpg"},
        {"image": "C:\\data\\000000000139.jpg"},
        {"image": "nowhere.jpg", "image_id": "139"},
        {"image": "139.png", "image_id": "000000000139"},
        {"image": "", "image_id": 139},
    ],
    ids=str,
)
def test_images_are_found_however_they_are_called(dataset, tmp_path, named):
    (case,), _ = joined(tmp_path, dataset, [entry(**named)])
    assert case.image_id == 139


def test_an_annotation_that_is_named_comes_before_the_nearest(dataset, tmp_path):
    cases, _ = joined(tmp_path, dataset, [entry(id=8), entry(id=3), entry(box=(0, 0, 12, 10))])
    assert [case.object_id for case in cases] == [8, 7, 8]


def test_what_cannot_be_joined_is_counted_with_the_reason(dataset, tmp_path):
    (tmp_path / "785.jpg").write_bytes(b"no image")
    entries = [
        entry(),
        entry(image="000000000140.jpg"),
        entry(image_id=785),
        entry("unicorn"),
        entry("cow"),
        entry("cow", image="785.jpg"),
        entry(box=(200, 0, 220, 10)),
        entry(box=(30, 30, 40, 40)),
        entry("bat", box=(50, 0, 90, 40)),
    ]
    labels = ("baseball bat", "bat", "dog")
    cases, left_out = joined(tmp_path, dataset, entries, labels=labels)
    assert [case.key for case in cases] == ["l1", "l8", "l9"]
    assert [case.object_id for case in cases] == [7, None, None]  # the last lies on a crowd
    assert left_out.counts == {
        joining.NO_SUCH_IMAGE: 1,
        joining.TWO_IMAGES: 1,
        joining.UNKNOWN_CLASS: 1,
        joining.UNHEARD_CLASS: 2,
        joining.OUTSIDE: 1,
        joining.NOT_JOINED: 2,
    }
    assert "list.json, entry 2: 000000000140.jpg" in " ".join(left_out.lines())
    _, left_out = joined(tmp_path, dataset, [entry(), entry("cow", image="785.jpg")])
    assert left_out.counts == {joining.NOT_READ: 1}


def test_an_entry_counts_once(dataset, tmp_path):
    twice = [entry(), entry("baseball bat", image="COCO_val2014_000000000139.jpg"), entry("bat")]
    cases, left_out = joined(tmp_path, dataset, [*twice, entry(box=(0, 0, 12, 10))])
    assert [case.key for case in cases] == ["l1", "l3", "l4"]
    assert left_out.counts[joining.REPEATED] == 1
    assert "list.json, entry 2" in left_out.lines()[0]


def test_a_class_that_was_predicted_instead_is_another_that_the_detector_knows(dataset, tmp_path):
    said = {"predict_box": [0, 0, 10, 10]}
    given = [
        entry(**said, predict_category="cow"),
        entry(box=(0, 0, 12, 10), **said, predict_category="unicorn"),
        entry("bat", (50, 0, 90, 40), **said, predict_category="Bat"),
    ]
    cases, left_out = joined(tmp_path, dataset, given, Kind.CLASSIFICATION)
    assert [case.predicted_label for case in cases] == ["cow", None, "bat"]
    assert left_out.counts[joining.UNKNOWN_SAID] == 1
    assert "entry 2: 'unicorn'" in " ".join(left_out.lines())
    assert left_out.counts[NOT_SAID] == 2


def test_labels_are_the_detectors(dataset, tmp_path):
    labels, rename = ("Baseball Bat", "dog", "zebra"), {"dog": "cow"}
    given = entry("cow", (20, 10, 60, 40), "785.jpg", predict_class="baseball_bat")
    cases, left_out = joined(
        tmp_path,
        dataset,
        [given, entry(), entry("zebra")],
        Kind.CLASSIFICATION,
        labels,
        rename=rename,
    )
    assert [case.label for case in cases] == ["dog", "Baseball Bat", "zebra"]
    assert cases[0].predicted_label == "Baseball Bat"
    assert [case.object_id for case in cases] == [3, 7, None]
    assert left_out.counts[NOT_SAID] == 3  # the first has no box of what was predicted
    with pytest.raises(InputError, match="no label in common"):
        joined(tmp_path, dataset, [entry()], labels=("zebra",))


def test_a_correct_case_without_a_detection_is_told(dataset, tmp_path):
    (case,), left_out = joined(tmp_path, dataset, [entry()], target="detection")
    assert case.box == (0, 0, 10, 10)
    assert left_out.counts == {NO_DETECTION: 1}


def test_phrases_stay_as_they_are(dataset, tmp_path):
    said = Annotation(4, "the Left cow", (20, 10, 60, 40), 1000.0)
    picture = ImageFile(ImageFolder(tmp_path), ("785.jpg",))
    phrases = Dataset("phrases", [ImageEntry("a/785.jpg", picture, (said,))], grounding=True)
    given = entry("the left cow", (20, 10, 60, 40), "COCO_train2014_000000000785.jpg")
    (case,), left_out = joined(tmp_path, phrases, [given], Kind.GROUNDED_RIGHT, ())
    assert (case.image_id, case.object_id, case.label) == ("a/785.jpg", 4, "the left cow")
    assert not left_out.counts


@pytest.mark.skipif(not REAL.is_file(), reason="../shared/data/vps_lists is not here")
def test_all_entries_of_the_published_list_are_joined(tmp_path):
    """Its images are not here: drawn ones of the same names hold the boxes that it names."""
    entries = json.loads(REAL.read_text())
    found: dict[str, list[Annotation]] = {}
    for number, one in enumerate(entries):
        annotation = Annotation(number, one["category"], tuple(map(float, one["bbox"])), 1.0)
        found.setdefault(one["image_path"], []).append(annotation)
    Image.new("RGB", (640, 640)).save(tmp_path / "any.jpg")
    images = [
        # Under the name that LVIS v0.5 gives to the same image.
        ImageEntry(
            int(name[:-4]), ImageFile(folder, (f"COCO_val2014_{name}", "any.jpg")), tuple(own)
        )
        for folder in [ImageFolder(tmp_path)]
        for name, own in found.items()
    ]
    labels = tuple(sorted({one["category"] for one in entries}))
    dataset = Dataset("coco", images, labels=labels)
    left_out = LeftOut(REAL.name)
    section, read = read_entries(REAL, left_out)
    cases = join_entries(read, dataset, Kind.CORRECT, left_out, labels=labels, target="detection")
    assert section == "case1"
    assert not left_out.counts
    assert [case.object_id for case in cases] == list(range(394))
    assert [list(case.box) for case in cases] == [one["predict_box"] for one in entries]


def test_strict_stops_at_the_first(dataset, tmp_path):
    (tmp_path / "list.json").write_text(json.dumps([entry("unicorn")]))
    left_out = LeftOut("list.json", strict=True)
    _, read = read_entries(tmp_path / "list.json", left_out)
    with pytest.raises(InputError, match="entry 1: 'unicorn': entry of a class that neither"):
        join_entries(read, dataset, Kind.CORRECT, left_out, labels=LABELS)

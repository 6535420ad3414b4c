import contextlib
import io
import weakref

import numpy as np
import pytest

import detectors
from tests.helpers.annotated import seen
from tests.helpers.attacks import BAD_IMAGES, picture
from tests.helpers.large import LAMP, OnItsGrid, large_photo, note_sizes
from tests.helpers.paths import ROOT, SHARED_DATA
from tests.helpers.scripted import Scripted, ScriptedPhrases, dataset, entry
from vps.core.targets import Kind
from vps.data.cases import asking
from vps.data.cases.cases import Case, CaseList
from vps.data.cases.select import Selection, select_cases
from vps.data.dataset import Annotation, Dataset, ImageEntry
from vps.data.image_files import ImageFile, ImageFolder
from vps.data.left_out import LeftOut
from vps.errors import InputError

CONFIGS = ROOT / "configs"

BOX = (0.0, 0.0, 10.0, 10.0)
PART = (0.0, 0.0, 10.0, 4.0)  # IoU 0.4 with BOX
NEAR = (40.0, 0.0, 50.0, 10.0)
FAR = (60.0, 60.0, 90.0, 80.0)
LABELS = ("cat", "dog", "bird")

LEFT_OUT = LeftOut("a.json")
LEFT_OUT.add("box without area", count=2)

# Image 1 holds all kinds of mistakes about animals, image 2 nothing, image 3 a crowd.
IMAGES = dataset(
    entry(1, ("dog", BOX), ("cat", NEAR), ("bird", (0, 40, 10, 50)), ("couch", (70, 0, 80, 10))),
    entry(2),
    entry(3, ("dog", (0, 0, 90, 90)), ("dog", FAR), crowds=[0]),
    labels=("bird", "cat", "couch", "dog"),
    frequencies={"bird": "r", "cat": "c", "couch": "f", "dog": "f"},
    left_out=LEFT_OUT,
)
SCRIPT = {
    1: seen(
        ("hound", BOX, 0.9),
        ("car", FAR, 0.85),
        ("hound", (0, 0, 10, 6), 0.8),
        ("cat", BOX, 0.75),
        ("hound", NEAR, 0.7),
        ("cat", (40, 0, 50, 4), 0.6),
        ("bird", (0, 40, 10, 44), 0.35),
        ("cat", (70, 0, 80, 10), 0.33),
        ("cat", FAR, 0.32),
        ("cat", (20, 20, 30, 30), 0.1),
    ),
    3: seen(("hound", (5, 5, 20, 20), 0.9)),
}
RENAME = {"hound": "dog"}


def detector():
    return Scripted(("car", "cat", "hound", "bird"), SCRIPT)


def chosen(**settings) -> CaseList:
    return select_cases(detector(), IMAGES, Selection(**settings), rename=RENAME)


def test_cases_of_all_kinds_with_the_detectors_labels():
    about_cat = {"object_id": 101, "area": 50.0, "frequency": "c"}
    cases = chosen().cases
    assert cases == (
        Case(1, "d1", Kind.CORRECT, BOX, "hound", score=pytest.approx(0.9), iou=1.0,
             object_id=100, area=50.0, frequency="f"),
        Case(1, "d3", Kind.DUPLICATE, (0, 0, 10, 6), "hound", score=pytest.approx(0.8), iou=0.6,
             object_id=100, area=50.0, frequency="f"),
        # d4 is a cat where a dog is found: nothing new of the dog.
        Case(1, "d5", Kind.CLASSIFICATION, NEAR, "cat", predicted_box=NEAR, predicted_label="hound",
             score=pytest.approx(0.7), iou=1.0, **about_cat),
        Case(1, "d6", Kind.LOCALISATION, NEAR, "cat", predicted_box=(40, 0, 50, 4),
             predicted_label="cat",
             score=pytest.approx(0.6), iou=0.4, **about_cat),
        Case(1, "d7", Kind.LOCALISATION, (0, 40, 10, 50), "bird", predicted_box=(0, 40, 10, 44),
             predicted_label="bird", score=pytest.approx(0.35), iou=0.4, object_id=102, area=50.0,
             frequency="r"),
        # d8 lies on a couch, which the detector does not know.
        Case(1, "d9", Kind.BACKGROUND, FAR, "cat", score=pytest.approx(0.32), area=600.0,
             frequency="c"),
        Case(3, "a301", Kind.MISSED, FAR, "hound", object_id=301, area=50.0, frequency="f"),
    )  # fmt: skip
    assert all(case.target.kind is case.kind for case in cases)


def test_counts_add_up_and_the_rest_is_recorded():
    found = chosen()
    assert found.counts == {
        "images": 3, "annotations": 4, "detections": 10, "ignored": 2, "foreign": 1,
        "repeated": 1, "boxless": 0, "correct": 1, "classification": 2, "localisation": 2,
        "both": 0, "duplicate": 1, "background": 1, "missed": 1, "grounded_right": 0,
        "grounded_wrong": 0,
    }  # fmt: skip
    errors = ("classification", "localisation", "both", "duplicate", "background")
    judged = sum(found.counts[kind] for kind in ("correct", "ignored", "foreign", *errors))
    assert judged == found.counts["detections"]
    assert found.skipped == (
        {"image_id": None, "reason": "box without area (2 annotations)"},
        {"image_id": None, "reason": "the detector does not know 'couch' (1 annotations)"},
    )
    assert (found.dataset, found.detector) == ("plain", "scripted")
    assert found.labels == ("car", "cat", "hound", "bird")
    assert found.settings["rename"] == RENAME
    assert found.settings["score_threshold"] == 0.3
    assert {"vps", "torch", "numpy"} <= found.versions.keys()


def test_remarks_are_lines_for_people():
    assert chosen().remarks == [
        "box without area (2 annotations)",
        "the detector does not know 'couch' (1 annotations)",
    ]
    broken = dataset(
        entry(1, ("cat", BOX)), *(entry(n, broken=True) for n in (2, 3)), labels=LABELS
    )
    assert select_cases(detector(), broken).remarks == [
        "2 images skipped, e.g. image broken.png cannot be read"
    ]


def test_hardly_any_match_is_noted_and_part_of_the_error():
    crowd = [("cat", (90, n, 91, n + 1)) for n in range(20)]
    images = dataset(entry(1, *crowd), labels=LABELS)
    found = select_cases(detector(), images)
    assert found.remarks[0].startswith("hardly any object could be matched: 0 of 20, with ")
    with pytest.raises(InputError, match="no case is left .*; hardly any object could be matched"):
        select_cases(detector(), images, Selection(kinds=(Kind.CORRECT,)))


def test_labels_that_are_one_to_the_detector_count_as_one():
    images = dataset(
        entry(1, ("Cat", (0, 0, 10, 10)), ("cat", NEAR)), labels=("cat", "Cat"), grounding=False
    )
    script = {1: seen(("cat", BOX, 0.9), ("cat", NEAR, 0.8))}
    found = select_cases(Scripted(("cat",), script), images)
    assert [case.kind for case in found.cases] == [Kind.CORRECT] * 2
    assert "'cat' and 'Cat' of the data set are one" in found.remarks[0]


def test_a_list_survives_the_file(tmp_path):
    found = chosen(kinds=("missed", "correct"))
    assert CaseList.load(found.save(tmp_path / "list.json")) == found


def test_thresholds_decide():
    assert chosen(score_threshold=0.05).counts["background"] == 2
    assert chosen(iou_threshold=0.7).counts["duplicate"] == 0
    both = chosen(iou_threshold=0.3).counts
    assert (both["localisation"], both["correct"]) == (0, 3)


def test_kinds_area_and_limits():
    assert {case.kind for case in chosen(kinds=("missed",)).cases} == {Kind.MISSED}
    assert [case.key for case in chosen(min_area=200).cases] == ["d9", "a301"]
    assert len(chosen(per_kind=1).cases) == 6
    # What was there is counted whatever is chosen of it.
    assert chosen(kinds=("missed",), min_area=200, per_kind=1).counts == chosen().counts


def test_some_images_in_a_seeded_order():
    looked = []
    found = select_cases(
        detector(), IMAGES, Selection(images=2, seed=3), rename=RENAME,
        progress=lambda done, total: looked.append((done, total)),
    )  # fmt: skip
    assert looked == [(1, 2), (2, 2)]
    assert found.counts["images"] == 2
    again = select_cases(detector(), IMAGES, Selection(images=2, seed=3), rename=RENAME)
    assert again == found


def test_batches_do_not_change_what_is_chosen():
    for batch_size in (1, 3):
        assert select_cases(detector(), IMAGES, rename=RENAME, batch_size=batch_size) == chosen()
    with pytest.raises(InputError, match="batch_size"):
        select_cases(detector(), IMAGES, rename=RENAME, batch_size=0)


def test_an_image_that_cannot_be_read_is_skipped_unless_strict():
    images = dataset(entry(1, ("cat", NEAR)), entry(2, broken=True), labels=LABELS)
    found = select_cases(detector(), images)
    assert found.counts["images"] == 1
    assert found.skipped == ({"image_id": 2, "reason": "image broken.png cannot be read"},)
    with pytest.raises(InputError, match=r"broken\.png"):
        select_cases(detector(), images, strict=True)
    broken = dataset(entry(2, broken=True), labels=LABELS)
    with pytest.raises(InputError, match=r"no image that can be read: image broken\.png"):
        select_cases(detector(), broken)


def test_boxes_that_cannot_be_explained_are_counted():
    images = dataset(entry(1, ("bird", FAR), ("cat", (-20, 0, 10, 10))), labels=LABELS)
    found = select_cases(Scripted(LABELS, {1: []}), images)
    assert found.counts["boxless"] == 1
    assert [(case.kind, case.box) for case in found.cases] == [(Kind.MISSED, FAR)]


def test_a_detection_is_what_lies_in_the_image():
    script = {1: seen(("cat", (-20, 0, 10, 10), 0.9), ("dog", (5, 5, 5, 9), 0.8))}
    found = select_cases(Scripted(LABELS, script), dataset(entry(1), labels=LABELS))
    assert [(case.kind, case.box) for case in found.cases] == [(Kind.BACKGROUND, (0, 0, 10, 10))]


def test_a_correct_case_explains_the_truth_where_that_is_chosen():
    near = (0.0, 0.0, 10.0, 8.0)
    detected = Scripted(
        ("cat", "hound", "bird"), {1: seen(("hound", near, 0.9), ("cat", FAR, 0.8))}
    )

    def boxes(**settings) -> dict[Kind, tuple[float, ...]]:
        found = select_cases(detected, IMAGES, Selection(**settings), rename=RENAME).cases
        return {case.kind: case.box for case in found if case.key.startswith("d")}

    assert boxes() == boxes(target="detection") == {Kind.CORRECT: near, Kind.BACKGROUND: FAR}
    assert boxes(target="truth") == {Kind.CORRECT: BOX, Kind.BACKGROUND: FAR}
    with pytest.raises(InputError, match="unknown target 'thruth', did you mean 'truth'"):
        Selection(target="thruth")


def test_an_empty_selection_says_what_there_was():
    images = dataset(entry(2), entry(1, ("dog", BOX)), labels=LABELS)
    with pytest.raises(InputError, match=r"plain: 2 images hold 0 correct.*1 missed.*"
                       r"kinds asks for correct"):  # fmt: skip
        select_cases(Scripted(LABELS, {9: []}), images, Selection(kinds=("correct",)))
    with pytest.raises(InputError, match="kinds leaves 1, min_area 5000 none"):
        select_cases(Scripted(LABELS, {9: []}), images, Selection(min_area=5000))
    with pytest.raises(InputError, match="0 missed; kinds asks for correct, classification"):
        select_cases(Scripted(LABELS, {9: []}), dataset(entry(1), labels=LABELS))


def test_no_label_in_common():
    with pytest.raises(InputError, match="no label in common"):
        select_cases(Scripted(("car",), SCRIPT), IMAGES)


def test_lvis_rules_are_honoured():
    image = entry(1, ("dog", BOX), verified=frozenset({"dog", "cat"}), partial=frozenset({"cat"}))
    found = select_cases(
        Scripted(LABELS, {1: seen(("bird", FAR, 0.9), ("cat", FAR, 0.8), ("dog", FAR, 0.7))}),
        dataset(image, labels=LABELS),
    )
    assert found.counts["ignored"] == 2
    assert [case.key for case in found.cases] == ["d3", "a100"]


PHRASES = dataset(
    entry(1, ("the cat", BOX), ("the dog", BOX), ("a bird", BOX)), entry(2), grounding=True
)
ANSWERS = {
    1: seen(("the cat", (0, 0, 10, 8), 0.2), ("the cat", FAR, 0.1), ("the dog", FAR, 0.6)),
}


def test_phrases_are_asked_one_by_one():
    found = select_cases(ScriptedPhrases(("object",), ANSWERS), PHRASES)
    assert found.labels == ()
    right, wrong, missed = found.cases
    assert right == Case(1, "a100", Kind.GROUNDED_RIGHT, (0, 0, 10, 8), "the cat", iou=0.8,
                         score=pytest.approx(0.2), object_id=100, area=50.0)  # fmt: skip
    assert wrong == Case(1, "a101", Kind.GROUNDED_WRONG, BOX, "the dog", predicted_box=FAR, iou=0.0,
                         score=pytest.approx(0.6), object_id=101, area=50.0)  # fmt: skip
    assert missed == Case(1, "a102", Kind.MISSED, BOX, "a bird", object_id=102, area=50.0)
    kinds = ("annotations", "detections", "grounded_right", "grounded_wrong", "missed")
    assert [found.counts[kind] for kind in kinds] == [3, 2, 1, 1, 1]


def test_a_phrase_of_no_object_is_a_box_on_nothing_where_something_is_shown():
    absent = ((100, "the cat"), ("x", "the dog"), (7, "a bird"))
    images = dataset(entry(1, ("the cat", BOX), absent=absent), grounding=True)
    found = select_cases(ScriptedPhrases(("object",), ANSWERS), images)
    nothing = [case for case in found.cases if case.kind is Kind.BACKGROUND]
    assert nothing == [
        Case(1, "nx", Kind.BACKGROUND, FAR, "the dog", score=pytest.approx(0.6), area=600.0)
    ]
    assert [found.counts[key] for key in ("absent", "background", "grounded_right")] == [3, 1, 1]
    assert "absent" not in chosen().counts
    strict = {"strict": True, "selection": Selection(score_threshold=0.1)}
    found = select_cases(ScriptedPhrases(("object",), ANSWERS), images, **strict)
    assert [case.key for case in found.cases] == ["a100", "n100", "nx"]
    with pytest.raises(InputError, match="too long"):
        select_cases(Refusing(("object",), ANSWERS), images, strict=True)


class Refusing(ScriptedPhrases):
    """Cannot read about dogs."""

    def with_labels(self, labels):
        if labels == ("the dog",):
            raise InputError("'the dog' is too long a phrase")
        return super().with_labels(labels)


def test_nothing_that_an_image_may_be_ends_a_selection(tmp_path):
    (tmp_path / "good.png").write_bytes(picture(size=(90, 90)))
    names = ["good.png", *(make(tmp_path).name for make in BAD_IMAGES.values())]
    cat = Annotation(1, "cat", BOX, 100.0)
    entries = [
        ImageEntry(number, ImageFile(ImageFolder(tmp_path), (name,)), (cat,))
        for number, name in enumerate(names, start=1)
    ]
    found = select_cases(detector(), Dataset("set", entries, labels=LABELS))
    assert found.counts["images"] == 1
    assert [record["image_id"] for record in found.skipped] == list(range(2, len(names) + 1))


def test_a_phrase_that_the_detector_cannot_read_is_skipped_unless_strict():
    found = select_cases(Refusing(("object",), ANSWERS), PHRASES)
    assert [case.label for case in found.cases] == ["the cat", "a bird"]
    assert list(found.skipped) == [{"image_id": 1, "reason": "'the dog' is too long a phrase"}]
    with pytest.raises(InputError, match="too long"):
        select_cases(Refusing(("object",), ANSWERS), PHRASES, strict=True)


def test_the_share_of_overlap_decides_what_is_right():
    detector = ScriptedPhrases(("object",), ANSWERS)
    found = select_cases(detector, PHRASES, Selection(iou_threshold=0.85))
    assert found.counts["grounded_right"] == 0


def test_phrases_need_a_detector_that_can_be_asked():
    with pytest.raises(InputError, match="scripted has labels of its own"):
        select_cases(Scripted(LABELS, ANSWERS), PHRASES)


def test_only_cases_stay_in_memory():
    alive: list[int] = []

    class Watched(Scripted):
        def prepare(self, image):
            alive.append(sum(sample() is not None for sample in seen_samples))
            return super().prepare(image)

    seen_samples: list[weakref.ref] = []
    images = dataset(*(entry(number, ("cat", BOX)) for number in range(1, 40)), labels=LABELS)
    read = images.find

    def find(*asked):
        sample = read(*asked)
        seen_samples.append(weakref.ref(sample.image))
        return sample

    images.find = find
    select_cases(Watched(LABELS, {0: []}), images, batch_size=2)
    assert len(alive) == 39
    assert max(alive) <= 5


@pytest.mark.skipif(not SHARED_DATA.is_dir(), reason="../shared/data is not here")
def test_true_positives_on_real_images_are_those_of_pycocotools(monkeypatch):
    pytest.importorskip("onnxruntime")
    coco, cocoeval = (pytest.importorskip(f"pycocotools.{name}") for name in ("coco", "cocoeval"))
    from vps.data.readers.coco import read_coco

    annotations = SHARED_DATA / "coco_mini" / "annotations" / "instances_val2017.json"
    images = read_coco(annotations, SHARED_DATA / "coco_mini" / "val2017")
    shown, visible = [], asking.visible
    monkeypatch.setattr(
        asking, "visible", lambda *settings: shown.append(visible(*settings)) or shown[-1]
    )
    yolox = detectors.load(f"onnx:{CONFIGS / 'yolox_nano.yaml'}")
    counts = select_cases(yolox, images, Selection(score_threshold=0.1)).counts
    with contextlib.redirect_stdout(io.StringIO()):
        truth = coco.COCO(str(annotations))
        ids = {entry["name"]: entry["id"] for entry in truth.dataset["categories"]}
        answers = [
            {
                "image_id": image_id,
                "category_id": ids[item.label],
                "bbox": [*item.box[:2], item.box[2] - item.box[0], item.box[3] - item.box[1]],
                "score": item.score,
            }
            for image_id, found in zip(images.image_ids, shown, strict=True)
            for item in found
        ]
        judge = cocoeval.COCOeval(truth, truth.loadRes(answers), "bbox")
        judge.params.iouThrs = np.array([0.5])
        judge.params.areaRng, judge.params.areaRngLbl = [[0, 1e10]], ["all"]
        judge.evaluate()
    entries = [entry for entry in judge.evalImgs if entry is not None]
    true = sum(((entry["dtMatches"] > 0) & ~entry["dtIgnore"]).sum() for entry in entries)
    assert counts["correct"] == true > 200
    assert counts["annotations"] == sum((entry["gtIgnore"] == 0).sum() for entry in entries)


def test_large_images_are_read_as_finely_as_the_detector_needs(tmp_path, monkeypatch):
    picture = ImageFile(ImageFolder(tmp_path), (large_photo(tmp_path, monkeypatch).name,))
    lamp = Annotation(7, "lamp", LAMP, 36_000.0)
    data = Dataset("set", [ImageEntry(1, picture, (lamp,), (600, 1200))], labels=("lamp",))
    seen = note_sizes(monkeypatch)
    (case,) = select_cases(OnItsGrid(), data).cases
    assert (case.kind, case.object_id, case.iou) == (Kind.CORRECT, 7, pytest.approx(1))
    assert case.box == pytest.approx(LAMP)
    assert 120 <= max(seen[-1]) <= 240
    assert data[0].image.shape == (600, 1200, 3)

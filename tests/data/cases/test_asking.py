import dataclasses

import pytest

from tests.helpers.annotated import annotated, seen
from tests.helpers.scripted import Scripted, ScriptedPhrases, dataset, entry
from vps.core.detect import Detection
from vps.data.cases.asking import Vocabulary, best_candidate, detect_all
from vps.errors import InputError

BOX = (0.0, 0.0, 10.0, 10.0)
SETTINGS = {"threshold": 0.3, "nms_iou": 0.7, "batch_size": 2}


def test_shared_labels():
    words = Vocabulary.between(("cat", "sofa", "car"), ("couch", "cat", "dog"), {"sofa": "couch"})
    assert words.to_dataset == {"cat": "cat", "sofa": "couch"}
    assert words.to_detector == {"cat": "cat", "couch": "sofa"}


def test_labels_that_differ_in_case_and_spaces_are_shared():
    words = Vocabulary.between(("Person", "traffic light"), ("person", "Traffic_Light", "dog"), {})
    assert words.to_dataset == {"Person": "person", "traffic light": "Traffic_Light"}
    assert words.merged == {}
    assert words.remarks({}) == [
        "label 'person' of the data set is taken for the detector's 'Person'",
        "label 'Traffic_Light' of the data set is taken for the detector's 'traffic light'",
    ]


def test_what_both_tell_apart_stays_apart():
    words = Vocabulary.between(("a", "A"), ("A", "a"), {})
    assert words.to_dataset == {"a": "a", "A": "A"}
    assert words.merged == {}
    assert words.remarks({}) == []
    # The detector's second "a" has no label of the data set left.
    assert Vocabulary.between(("a", "A"), ("a",), {}).to_dataset == {"a": "a"}
    assert Vocabulary.between(("A", "cat"), ("a", "b"), {"cat": "b"}).to_dataset == {
        "A": "a",
        "cat": "b",
    }


@pytest.mark.parametrize("theirs", [("circle", "Circle", "ring"), ("Circle", "circle", "ring")])
def test_labels_that_are_one_to_the_detector_are_merged(theirs):
    words = Vocabulary.between(("circle", "ring"), theirs, {})
    assert words.to_dataset == {"circle": "circle", "ring": "ring"}
    assert words.merged == {"Circle": "circle"}
    assert words.remarks({}) == [
        "labels 'circle' and 'Circle' of the data set are one to the detector, 'circle'"
    ]
    sample = dataclasses.replace(
        annotated([("Circle", BOX), ("circle", BOX), ("ring", BOX)]),
        verified=frozenset({"Circle"}),
        partial=frozenset({"Circle", "ring"}),
    )
    renamed = words.renamed(sample)
    assert renamed.labels == ("circle", "circle", "ring")
    assert (renamed.verified, renamed.partial) == ({"circle"}, {"circle", "ring"})
    assert Vocabulary.between(("ring",), ("ring",), {}).renamed(sample) is sample


def test_a_renamed_label_is_not_taken_for_another():
    words = Vocabulary.between(("Sofa", "dog"), ("sofa", "couch", "dog"), {"Sofa": "couch"})
    assert words.to_dataset == {"Sofa": "couch", "dog": "dog"}
    assert words.merged == {}


def test_labels_that_occur_twice_matter_only_where_the_data_set_has_them():
    # torchvision's COCO detectors have several "N/A".
    assert Vocabulary.between(("N/A", "cat", "N/A"), ("cat",), {}).to_dataset == {"cat": "cat"}


@pytest.mark.parametrize(
    ("ours", "theirs", "rename", "message"),
    [
        (("cat",), ("dog",), {}, "no label in common.*knows cat; the data set has dog"),
        (tuple("abcdefg"), (), {}, r"a, b, c, d, e, \.\.\. \(7 in all\); the data set has none"),
        (("cat",), ("cat",), {"cta": "cat"}, "did you mean 'cat'"),
        (("sofa",), ("couch",), {"sofa": "coach"}, "did you mean 'couch'"),
        (("sofa", "couch"), ("couch",), {"sofa": "couch"}, "'sofa' and 'couch' are both 'couch'"),
    ],
)
def test_labels_that_do_not_fit(ours, theirs, rename, message):
    with pytest.raises(InputError, match=message):
        Vocabulary.between(ours, theirs, rename)


def test_images_of_one_size_share_a_batch_and_stay_in_order():
    sizes = [(9, 9), (9, 9), (9, 9), (9, 8), (9, 9)]
    images = dataset(*(entry(number, size=size) for number, size in enumerate(sizes, start=1)))
    script = {number: [Detection((0, 0, number, 9), "cat", 0.9)] for number in range(1, 6)}
    detector = Scripted(("cat",), script)
    answers = list(detect_all(detector, images, **SETTINGS))
    assert detector.batches == [2, 1, 1, 1]
    assert [sample.image_id for sample, _ in answers] == [1, 2, 3, 4, 5]
    assert [found[0].box[2] for _, found in answers] == [1, 2, 3, 4, 5]


def test_images_are_read_no_earlier_than_needed():
    taken = []

    def samples():
        for number in range(6):
            taken.append(number)
            yield annotated([], image_id=number)

    answers = detect_all(Scripted(("cat",), {0: []}), samples(), **SETTINGS)
    next(answers)
    assert len(taken) <= 3


def test_a_phrase_gets_its_best_candidate_however_low():
    script = {0: seen(("a cat", BOX, 0.01), ("a cat", (20, 20, 30, 30), 0.02), ("a dog", BOX, 0.9))}
    detector = ScriptedPhrases(("object",), script)
    best = best_candidate(detector, annotated([]), "a cat", 0.7)
    assert best == Detection((20, 20, 30, 30), "a cat", pytest.approx(0.02))
    assert best_candidate(detector, annotated([]), "a bird", 0.7) is None

from collections import Counter

import numpy as np
import pytest

from tests.helpers.annotated import annotated, seen
from tests.helpers.matching import random_image
from vps.core.targets import Kind
from vps.data.cases.kinds import judge
from vps.data.cases.matching import match

LABELS = ("cat", "dog", "bird")
BOX = (0.0, 0.0, 10.0, 10.0)
FAR = (50.0, 50.0, 60.0, 60.0)


def part(iou):
    """A box whose IoU with BOX is `iou`."""
    return (0.0, 0.0, 10.0, 10.0 * iou)


def judged(objects, *found, known=LABELS, crowds=()):
    """(kind, detection, annotation, repeats) each."""
    sample, found = annotated(objects, crowds=crowds), seen(*found)
    items = judge(found, sample, match(found, sample), known)
    return [(item.kind.value, item.detection, item.annotation, item.repeats) for item in items]


@pytest.mark.parametrize(
    ("label", "box", "kind", "about"),
    [
        ("cat", BOX, "correct", 0),
        ("cat", part(0.4), "localisation", 0),
        ("cat", part(0.1), "localisation", 0),
        ("dog", BOX, "classification", 0),
        ("dog", part(0.5), "classification", 0),
        ("dog", part(0.4), "both", 0),
        ("dog", part(0.1), "background", -1),
        ("cat", part(0.09), "background", -1),
        ("cat", FAR, "background", -1),
    ],
)
def test_one_detection_and_one_object(label, box, kind, about):
    first, *rest = judged([("cat", BOX)], (label, box, 0.9))
    assert first == (kind, 0, about, False)
    # "both" and "background" leave the object missed: no error that, put right, would find it.
    assert rest == ([("missed", -1, 0, False)] if kind in ("both", "background") else [])


def test_the_second_on_an_object_is_a_duplicate():
    assert judged([("cat", BOX)], ("cat", BOX, 0.9), ("cat", part(0.8), 0.8)) == [
        ("correct", 0, 0, False),
        ("duplicate", 1, 0, False),
    ]


def test_localisation_goes_before_classification_and_that_before_duplicate():
    objects = [("cat", BOX), ("dog", (0, 0, 10, 4))]
    assert judged(objects, ("dog", BOX, 0.9))[0] == ("localisation", 0, 1, False)
    objects = [("cat", BOX), ("dog", (0, 0, 10, 9))]
    second = judged(objects, ("cat", BOX, 0.9), ("cat", BOX, 0.8))[1]
    assert second == ("classification", 1, 1, False)


def test_mistakes_about_one_object_are_repetitions_but_of_another_kind():
    assert judged(
        [("cat", BOX)], ("dog", BOX, 0.9), ("bird", BOX, 0.8), ("cat", part(0.4), 0.7)
    ) == [
        ("classification", 0, 0, False),
        ("classification", 1, 0, True),
        ("localisation", 2, 0, False),
    ]


def test_a_mistake_about_an_object_that_is_found_is_a_repetition_whatever_its_score():
    assert judged([("cat", BOX)], ("dog", BOX, 0.9), ("cat", BOX, 0.5)) == [
        ("classification", 0, 0, True),
        ("correct", 1, 0, False),
    ]


def test_crowds_are_no_objects():
    assert judged([("cat", BOX)], ("cat", BOX, 0.9), crowds=[0]) == []
    assert judged([("cat", BOX)], ("dog", BOX, 0.9), crowds=[0]) == [("background", 0, -1, False)]
    assert judged([("cat", BOX)], crowds=[0]) == []


def test_an_object_of_an_unknown_label_is_neither_missed_nor_background():
    objects = [("axolotl", BOX)]
    assert judged(objects, ("cat", BOX, 0.9)) == []
    assert judged(objects, ("cat", FAR, 0.9)) == [("background", 0, -1, False)]
    assert judged([*objects, ("cat", BOX)], ("dog", BOX, 0.9)) == [("classification", 0, 1, False)]


def test_every_detection_and_object_is_judged_once():
    rng = np.random.default_rng(0)
    kinds: Counter[Kind] = Counter()
    for _ in range(100):
        sample, found = random_image(rng, LABELS)
        matches = match(found, sample)
        items = list(judge(found, sample, matches, LABELS))
        detections = [item.detection for item in items if item.kind is not Kind.MISSED]
        assert detections == np.flatnonzero(~matches.ignored).tolist()
        missed = [item.annotation for item in items if item.kind is Kind.MISSED]
        pointed = {
            item.annotation
            for item in items
            if item.kind in (Kind.CORRECT, Kind.CLASSIFICATION, Kind.LOCALISATION)
        }
        assert missed == [k for k in np.flatnonzero(~sample.ignored) if k not in pointed]
        # No two cases of an image share a kind about an object, duplicates apart.
        cases = [(item.kind, item.annotation) for item in items if not item.repeats]
        once = [case for case in cases if case[0] not in (Kind.DUPLICATE, Kind.BACKGROUND)]
        assert len(set(once)) == len(once)
        kinds.update(item.kind for item in items)
    assert len(kinds) == 7

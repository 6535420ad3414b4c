"""What became of objects by two detectors, and how that is counted."""

import pytest

from tests.helpers.scripted import dataset, entry
from vps.comparing.changes import (
    Change,
    change_of,
    changes_of,
    count_changes,
    false_boxes_of,
)
from vps.comparing.outcomes import Fate, ObjectOutcome, Outcomes, outcomes_of
from vps.core.detect import Detection
from vps.data.cases.asking import Vocabulary
from vps.data.cases.selection import Selection
from vps.errors import InputError
from vps.metrics.aggregate import mean_interval

LABELS = ("cat", "dog", "cow")
ONE, TWO, FAR = (10, 10, 40, 40), (50, 50, 90, 90), (5, 60, 25, 80)


def outcomes(found, *objects, ours=LABELS, **fields):
    sample = dataset(entry(1, *objects, **fields), labels=LABELS)[0]
    words = Vocabulary.between(ours, LABELS, {})
    return outcomes_of(found, sample, words, Selection())


@pytest.mark.parametrize(
    ("found", "fate"),
    [
        ([Detection(ONE, "cat", 0.9)], Fate.FOUND),
        ([Detection(ONE, "dog", 0.9)], Fate.RELABELLED),
        ([Detection((10, 10, 40, 24), "cat", 0.9)], Fate.MOVED),
        ([Detection(TWO, "cat", 0.9)], Fate.MISSED),
        ([], Fate.MISSED),
        # What finds it counts, whatever else is said of it with a higher score.
        ([Detection(ONE, "dog", 0.9), Detection(ONE, "cat", 0.4)], Fate.FOUND),
    ],
)
def test_fates(found, fate):
    (one,) = outcomes(found, ("cat", ONE)).objects
    assert one.fate is fate
    assert (one.detection is None) == (fate is Fate.MISSED)


def test_crowds_are_no_objects_and_unknown_labels_are_said():
    found = outcomes([], ("cat", ONE), ("dog", TWO), crowds=[0])
    assert [one.label for one in found.objects] == ["dog"]
    found = outcomes([], ("cat", ONE), ("dog", TWO), ours=("dog",))
    assert [one.fate for one in found.objects] == [Fate.UNKNOWN, Fate.MISSED]


def test_false_boxes_are_paired_one_to_one():
    first = Outcomes((), (Detection(ONE, "cat", 0.9), Detection(ONE, "cat", 0.8)))
    second = Outcomes((), (Detection((10, 10, 40, 39), "cat", 0.9), Detection(FAR, "cat", 0.5)))
    found = false_boxes_of(1, first, second)
    assert found.both == 1
    assert found.only_first == (Detection(ONE, "cat", 0.8),)
    assert found.only_second == (Detection(FAR, "cat", 0.5),)
    other = Outcomes((), (Detection(ONE, "dog", 0.9),))
    assert false_boxes_of(1, first, other).both == 0


def test_every_pair_of_fates_is_a_change_and_swaps_with_its_opposite():
    opposite = {
        Change.LOST: Change.GAINED,
        Change.RELABELLED: Change.RELABELLED_RIGHT,
        Change.MOVED: Change.MOVED_RIGHT,
    }
    opposite |= {back: there for there, back in opposite.items()}
    for one in Fate:
        for other in Fate:
            found = change_of(one, other)
            assert change_of(other, one) is opposite.get(found, found)
    assert change_of(Fate.UNKNOWN, Fate.FOUND) is Change.UNCOMPARED


def outcome(number, label, fate, said=None):
    detection = None if fate in (Fate.MISSED, Fate.UNKNOWN) else Detection(ONE, said or label, 0.5)
    return ObjectOutcome(number, label, ONE, fate, detection)


def changes():
    """Of four images: a cat is lost in each, and a dog stays."""
    found = []
    for image in range(4):
        first = [outcome(1, "cat", Fate.FOUND), outcome(2, "dog", Fate.FOUND)]
        second = [
            outcome(1, "cat", Fate.MISSED if image else Fate.FOUND),
            outcome(2, "dog", Fate.UNKNOWN if image == 3 else Fate.FOUND),
        ]
        found += changes_of(image, Outcomes(tuple(first), ()), Outcomes(tuple(second), ()))
    return found


def test_counts_by_class_with_intervals_over_images():
    counts = count_changes(changes(), draws=200)
    assert [(one.label, one.change, one.count, one.objects) for one in counts] == [
        ("", Change.LOST, 3, 7),
        ("cat", Change.LOST, 3, 4),
    ]
    assert counts[1].rate == mean_interval([0, 1, 1, 1], range(4), draws=200)


def test_nothing_to_count():
    assert count_changes([]) == []


def test_another_wrong_label_is_another_mistake():
    (found,) = changes_of(
        1,
        Outcomes((outcome(1, "cat", Fate.RELABELLED, "dog"),), ()),
        Outcomes((outcome(1, "cat", Fate.RELABELLED, "cow"),), ()),
    )
    assert found.change is Change.OTHER


def test_other_objects_are_refused():
    with pytest.raises(InputError, match="image 3: the two detectors were judged by other"):
        changes_of(3, Outcomes((outcome(1, "cat", Fate.FOUND),), ()), Outcomes((), ()))

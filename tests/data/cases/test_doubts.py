from collections import Counter

import pytest

from vps.data.cases.doubts import doubts_about


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({"annotations": 16, "detections": 31}, "0 of 16, with 31 detections: are the boxes"),
        ({"annotations": 900, "detections": 800, "correct": 8}, "8 of 900, with 800"),
        ({"annotations": 16, "detections": 31, "classification": 12}, "12 are called otherwise"),
        (
            {"annotations": 16, "detections": 31, "ignored": 20},
            "20 of 31 detections do not count",
        ),
        ({"annotations": 16}, "nothing is detected"),
        ({"annotations": 16, "detections": 5, "foreign": 5}, "nothing is detected"),
        ({"detections": 31}, "there is no object in the images, for 31 detections"),
        ({"detections": 31, "ignored": 31}, "no object but those that do not count"),
    ],
)
def test_hardly_any_match_is_told(counts, message):
    (found,) = doubts_about(Counter(counts))
    assert message in found


@pytest.mark.parametrize(
    "counts",
    [
        {},
        {"annotations": 9, "detections": 9},
        {"annotations": 16, "detections": 31, "correct": 1},
        {"annotations": 900, "detections": 30, "correct": 2},
        {"annotations": 900, "detections": 800, "correct": 300},
    ],
)
def test_poor_detectors_and_small_sets_are_no_doubt(counts):
    assert doubts_about(Counter(counts)) == []

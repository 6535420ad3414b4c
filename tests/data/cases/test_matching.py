import contextlib
import io

import numpy as np
import pytest

from tests.helpers.annotated import annotated, seen
from tests.helpers.matching import random_image
from vps.data.cases.matching import match, overlaps

BOX = (0.0, 0.0, 10.0, 10.0)
LEFT = (0.0, 0.0, 10.0, 6.0)  # IoU 0.6 with BOX


def by_pycocotools(found, sample, labels, threshold, max_detections):
    """For each detection COCOeval's match, as an index or -1, and whether it is ignored."""
    coco, cocoeval = (
        pytest.importorskip("pycocotools.coco"),
        pytest.importorskip("pycocotools.cocoeval"),
    )
    ids = {label: number for number, label in enumerate(labels, start=1)}

    def record(number, label, box):
        x1, y1, x2, y2 = box
        size = {"bbox": [x1, y1, x2 - x1, y2 - y1], "area": (x2 - x1) * (y2 - y1)}
        return {"id": number, "image_id": 1, "category_id": ids[label], **size}

    truth = coco.COCO()
    truth.dataset = {
        "images": [{"id": 1}],
        "categories": [{"id": number, "name": name} for name, number in ids.items()],
        "annotations": [
            {**record(number + 1, label, box), "iscrowd": int(crowd)}
            for number, (label, box, crowd) in enumerate(
                zip(sample.labels, sample.boxes.tolist(), sample.ignored, strict=True)
            )
        ],
    }
    answers = coco.COCO()
    answers.dataset = {
        **truth.dataset,
        "annotations": [
            {**record(number + 1, item.label, item.box), "score": item.score, "iscrowd": 0}
            for number, item in enumerate(found)
        ],
    }
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
        answers.createIndex()
        judge = cocoeval.COCOeval(truth, answers, "bbox")
        judge.params.iouThrs = np.array([threshold])
        judge.params.areaRng, judge.params.areaRngLbl = [[0, 1e10]], ["all"]
        judge.params.maxDets = [max_detections]
        judge.evaluate()
    matched, ignored = np.full(len(found), -1), np.ones(len(found), dtype=bool)
    for entry in filter(None, judge.evalImgs):
        rows = np.array(entry["dtIds"], dtype=int) - 1
        matched[rows] = entry["dtMatches"][0].astype(int) - 1
        ignored[rows] = entry["dtIgnore"][0]
    return matched, ignored


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.75, 1.0])
@pytest.mark.parametrize("max_detections", [100, 2])
def test_matches_are_those_of_pycocotools(threshold, max_detections):
    rng = np.random.default_rng([int(threshold * 100), max_detections])
    labels = ("cat", "dog", "bird")
    true, crowded = 0, 0
    for _ in range(60):
        sample, found = random_image(rng, labels)
        matches = match(found, sample, iou_threshold=threshold, max_detections=max_detections)
        expected = by_pycocotools(found, sample, labels, threshold, max_detections)
        np.testing.assert_array_equal(matches.annotation, expected[0])
        np.testing.assert_array_equal(matches.ignored, expected[1])
        true += matches.true_positives.sum()
        crowded += (matches.ignored & (matches.annotation >= 0)).sum()
    assert true > 0
    assert crowded > 0


def test_the_higher_score_takes_the_object_and_the_next_finds_nothing():
    found = seen(("cat", LEFT, 0.9), ("cat", BOX, 0.8))
    matches = match(found, annotated([("cat", BOX)]))
    assert matches.annotation.tolist() == [0, -1]
    assert matches.found.tolist() == [True]
    assert not matches.ignored.any()


def test_order_is_by_score_not_by_place():
    found = seen(("cat", LEFT, 0.8), ("cat", BOX, 0.9))
    assert match(found, annotated([("cat", BOX)])).annotation.tolist() == [-1, 0]


def test_of_equal_overlaps_the_later_annotation_counts_as_in_coco():
    found = seen(("cat", BOX, 0.9))
    assert match(found, annotated([("cat", BOX), ("cat", BOX)])).annotation.tolist() == [1]


def test_a_crowd_takes_any_number_and_an_object_goes_before_it():
    crowd = ("cat", (0.0, 0.0, 100.0, 100.0))
    found = seen(("cat", LEFT, 0.9), ("cat", (50, 50, 60, 60), 0.8), ("cat", (20, 20, 30, 30), 0.7))
    matches = match(found, annotated([crowd, ("cat", BOX)], crowds=[0]))
    assert matches.annotation.tolist() == [1, 0, 0]
    assert matches.ignored.tolist() == [False, True, True]
    assert matches.found.tolist() == [False, True]


def test_overlap_with_a_crowd_is_a_share_of_the_detection():
    sample = annotated([("cat", (0, 0, 100, 50)), ("cat", (0, 0, 100, 50))], crowds=[1])
    found = seen(("cat", (0, 40, 10, 60), 0.5), ("cat", (5, 5, 5, 9), 0.5))
    ious = overlaps(found, sample)
    assert ious.dtype == np.float64
    np.testing.assert_allclose(ious, [[100 / 5100, 0.5], [0, 0]])


def test_lvis_labels_that_were_not_checked_or_not_all_annotated():
    sample = annotated(
        [("cat", BOX), ("bird", BOX)],
        verified=frozenset({"cat", "dog", "bird"}),
        partial=frozenset({"cat"}),
    )
    far = (50.0, 50.0, 60.0, 60.0)
    found = seen(
        ("cat", BOX, 0.9), ("cat", far, 0.8), ("dog", far, 0.7), ("fish", far, 0.6),
        ("bird", far, 0.5),
    )  # fmt: skip
    matches = match(found, sample)
    assert matches.annotation.tolist() == [0, -1, -1, -1, -1]
    assert matches.ignored.tolist() == [False, True, False, True, False]


def test_nothing_to_match():
    empty = match([], annotated([]))
    assert (empty.ious.shape, empty.annotation.shape) == ((0, 0), (0,))
    assert match(seen(("cat", BOX, 0.9)), annotated([])).annotation.tolist() == [-1]
    assert match([], annotated([("cat", BOX)])).found.tolist() == [False]

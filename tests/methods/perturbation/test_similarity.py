import dataclasses

import pytest
import torch

from tests.helpers.analytic import (
    LABELS,
    TARGET,
    LikelihoodDetector,
    constant,
    photo,
    strip_detector,
)
from tests.helpers.patches import BOX, question
from vps.core.candidates import Candidates
from vps.core.targets import Kind, Target
from vps.engine.problem import make_problem
from vps.errors import DetectorError
from vps.methods.perturbation.similarity import Similarity

# IoU with BOX: 1, 60 / 140, 0.
BOXES = torch.tensor([BOX, (8.0, 4.0, 18.0, 14.0), (20.0, 15.0, 28.0, 19.0)])
SCORES = torch.tensor([[0.3, 0.4, 0.0], [0.0, 0.0, 0.8], [0.0, 1.0, 0.0]])
OBJECTNESS = torch.tensor([0.5, 1.0, 1.0])
TRUTH = Kind.MISSED


def fixed(*values):
    """A detector that always answers the same."""
    return lambda shares: tuple(value.expand(len(shares), *value.shape) for value in values)


def similarity(target, values, objectness="auto"):
    asked = question(target, answer=fixed(*values))
    like = Similarity(asked, objectness)
    return like(asked.pixels[None].repeat(2, 1, 1, 1), "masks"), like


@pytest.mark.parametrize(
    ("values", "objectness", "expected"),
    [
        # The best of IoU * cosine with "dog" * objectness: cosine 0.8 of the first candidate.
        ((BOXES, SCORES), "none", 1 * 0.8),
        ((BOXES, SCORES), "auto", 1 * 0.8 * 0.4),
        ((BOXES, SCORES, OBJECTNESS), "none", 1 * 0.8),
        ((BOXES, SCORES, OBJECTNESS), "auto", 1 * 0.8 * 0.5),
    ],
)
def test_a_truth_is_compared_by_its_label(values, objectness, expected):
    found, like = similarity(Target(BOX, "dog", TRUTH), values, objectness)
    torch.testing.assert_close(found, torch.full((2, 1), expected))
    assert like.passes == 2


@pytest.mark.parametrize(
    ("label", "detections", "score", "best"),
    # Of the first label no candidate is seen: the first one is a dog to a user.
    [
        (LABELS[0], 0, 0.3, 0.3),
        ("dog", 0.4, 0.4, 1.0),
        ("bird", 60 / 140 * 0.8, 60 / 140 * 0.8, 0.8),
    ],
)
def test_scores_without_a_distribution(label, detections, score, best):
    asked = question(Target(BOX, label, TRUTH), answer=fixed(BOXES, SCORES))
    for compared, expected in (("detections", detections), ("score", score), ("class", best)):
        found = Similarity(asked, "auto", compared)(asked.pixels[None], "masks")
        torch.testing.assert_close(found, torch.full((1, 1), expected, dtype=torch.float32))


def test_the_best_product_counts_not_the_best_of_each_factor():
    found, _ = similarity(Target(BOX, "bird", TRUTH), (BOXES, SCORES))
    torch.testing.assert_close(found, torch.full((2, 1), 60 / 140 * 1 * 0.8))


# A dog that fits less but is surer, and takes the first one away: 90 / 110 of the box.
DOUBLE = torch.tensor([BOX, (5.0, 4.0, 15.0, 14.0), BOX])
DOUBLE_SCORES = torch.tensor([[0.3, 0.4, 0.0], [0.0, 0.45, 0.2], [0.0, 0.6, 0.7]])


@pytest.mark.parametrize("kind", [Kind.CORRECT, TRUTH])
@pytest.mark.parametrize(
    ("values", "compared", "expected"),
    [
        ((BOXES, SCORES), "detections", {"dog": 0.4, "bird": 60 / 140 * 0.8}),
        ((BOXES, SCORES, OBJECTNESS), "detections", {"dog": 0.4, "bird": 60 / 140 * 0.8}),
        ((DOUBLE, DOUBLE_SCORES), "detections", {"dog": 9 / 11 * 0.45, "bird": 0.7}),
        # Wherever it is, and whatever else the candidate is surer of.
        ((BOXES, SCORES), "class", {"dog": 1.0, "bird": 0.8}),
        ((DOUBLE, DOUBLE_SCORES), "class", {"dog": 0.6, "bird": 0.7}),
        ((torch.zeros(0, 4), torch.zeros(0, 3)), "detections", {"dog": 0.0, "bird": 0.0}),
        ((torch.zeros(0, 4), torch.zeros(0, 3)), "class", {"dog": 0.0, "bird": 0.0}),
    ],
)
def test_detections_and_classes(kind, values, compared, expected):
    asked = question(*(Target(BOX, label, kind) for label in expected), answer=fixed(*values))
    like = Similarity(asked, "auto", compared)
    found = like(asked.pixels[None].repeat(2, 1, 1, 1), "masks")
    torch.testing.assert_close(found, torch.tensor([list(expected.values())] * 2))
    assert like.passes == 2  # none of them for the whole image


@pytest.mark.parametrize("kind", list(Kind))
def test_what_is_the_detectors_own_is_compared_by_its_scores_of_the_whole_image(kind):
    own = kind.value in ("correct", "duplicate", "background", "grounded_right")
    found, like = similarity(Target(BOX, "dog", kind), (BOXES, SCORES), "none")
    torch.testing.assert_close(found, torch.full((2, 1), 1.0 if own else 0.8))
    assert like.passes == 2 + own


def test_the_own_detection_is_the_best_by_iou_times_score():
    # On "bird", the candidate beside the box has IoU * score 0.34 and the one on it 0.
    found, _ = similarity(Target(BOX, "bird"), (BOXES, SCORES), "none")
    torch.testing.assert_close(found, torch.full((2, 1), 60 / 140))


def test_an_own_detection_that_is_not_found_is_compared_by_its_label():
    found, _ = similarity(Target(BOX, "dog"), (BOXES, SCORES * torch.tensor([1.0, 0.0, 1.0])))
    assert not found.any()
    scores = torch.zeros(3, 3)
    assert not similarity(Target(BOX, "dog"), (BOXES, scores), "none")[0].any()


def test_no_candidates():
    none = torch.zeros(0, 4), torch.zeros(0, 3)
    for kind in (Kind.CORRECT, TRUTH):
        assert not similarity(Target(BOX, "dog", kind), none)[0].any()


def test_half_precision():
    values = [value.half() for value in (BOXES, SCORES, OBJECTNESS)]
    for kind in (Kind.CORRECT, TRUTH):
        half, _ = similarity(Target(BOX, "dog", kind), values)
        full, _ = similarity(Target(BOX, "dog", kind), (BOXES, SCORES, OBJECTNESS))
        torch.testing.assert_close(half, full, atol=1e-3, rtol=0)


def scorer(targets):
    """A detector that gives every target a score of 0.5 and an IoU of 0.25, asked for some."""
    base, image = strip_detector(constant(0.5)), photo()
    detector = LikelihoodDetector(
        image, base.regions, base.answer, lambda keep, target: (0.5, 0.25)
    )
    return detector, make_problem(detector, image, targets, regions=base.regions)


def test_a_detector_that_scores_targets_itself():
    targets = (TARGET, dataclasses.replace(TARGET, label="cat"))
    detector, asked = scorer(targets)
    like = Similarity(asked, "auto")
    assert detector.asked_about == [targets]
    torch.testing.assert_close(like(asked.pixels[None], "masks"), torch.full((1, 2), 0.125))
    assert like.passes == 1
    for compared, expected in (("detections", 0.125), ("class", 0.5)):
        found = Similarity(asked, "auto", compared)(asked.pixels[None], "masks")
        torch.testing.assert_close(found, torch.full((1, 2), expected))


def failing(error):
    def answer(shares):
        raise error

    return answer


def test_failures_name_the_detector_and_the_images():
    with pytest.raises(DetectorError, match=r"patches: no memory \(at the whole image\)"):
        Similarity(question(answer=failing(RuntimeError("no memory"))), "auto")
    asked = question(Target(BOX, "dog", TRUTH), answer=failing(KeyError()))
    like = Similarity(asked, "auto")
    with pytest.raises(DetectorError, match=r"patches: KeyError \(at masks 3 to 4\)"):
        like(asked.pixels[None], "masks 3 to 4")


@pytest.mark.parametrize(
    ("detections", "message"),
    [
        (Candidates(BOXES[None], SCORES[None], LABELS), "2 images went in, 1 came out"),
        (
            Candidates(BOXES.expand(2, -1, -1), SCORES.expand(2, -1, -1), LABELS[::-1]),
            "the columns are not the detector's labels",
        ),
    ],
)
def test_a_broken_contract(detections, message):
    asked = question(Target(BOX, "dog", TRUTH))
    asked.detector.detect = lambda pixels, size: detections
    with pytest.raises(DetectorError, match=message):
        Similarity(asked, "auto")(asked.pixels.expand(2, -1, -1, -1), "masks")


def test_boxes_too_large_to_compare():
    huge = BOXES.clone()
    huge[1] = torch.tensor([-1e30, -1e30, 1e30, 1e30])
    asked = question(Target(BOX, "dog", TRUTH), answer=fixed(huge, SCORES))
    # An IoU of 0 is the right answer to a box without end.
    found = Similarity(asked, "none")(asked.pixels[None], "masks")
    torch.testing.assert_close(found, torch.full((1, 1), 0.8))


def test_scores_of_more_targets_than_were_asked_for():
    detector, asked = scorer((TARGET,))
    score = detector.score_targets
    detector.score_targets = lambda pixels, size, targets: score(pixels, size, [*targets, TARGET])
    with pytest.raises(DetectorError, match=r"rule: similarities of shape \(1, 2\).*at masks"):
        Similarity(asked, "auto")(asked.pixels[None], "masks")

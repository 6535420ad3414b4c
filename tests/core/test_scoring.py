import numpy as np
import pytest
import torch

from tests.helpers.analytic import LABELS, TARGET
from tests.helpers.loops import DOG, by_loops
from vps.core.boxes import iou
from vps.core.candidates import Candidates, TargetScores
from vps.core.scoring import MODES, attained_by, best_candidates

BOX = torch.tensor(TARGET.box)


@pytest.mark.parametrize("mode", MODES)
def test_equals_the_definition_by_loops(mode):
    rng = np.random.default_rng(1)
    corner = rng.uniform(0, 5, (40, 8, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(3, 9, corner.shape)], axis=-1)
    scores = rng.random((40, 8, 3))
    got = best_candidates(
        Candidates(torch.tensor(boxes), torch.tensor(scores), LABELS), BOX, DOG, mode
    )
    expected = [by_loops(b, s, mode) for b, s in zip(boxes, scores, strict=True)]
    np.testing.assert_allclose(got.table, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("mode", MODES)
def test_no_candidates_and_padding_score_zero(mode):
    none = Candidates(torch.zeros(2, 0, 4), torch.zeros(2, 0, 3), LABELS)
    assert torch.equal(best_candidates(none, BOX, DOG, mode).score, torch.zeros(2))
    padded = Candidates(BOX.expand(2, 1, 4), torch.zeros(2, 1, 3), LABELS)
    for column in range(3):
        assert torch.equal(best_candidates(padded, BOX, column, mode).score, torch.zeros(2))


def test_class_score_and_iou_are_those_of_one_candidate():
    far = BOX + 5
    scores = torch.tensor([[[0.0, 0.9, 0.0], [0.0, 0.5, 0.0]]])
    best = best_candidates(
        Candidates(torch.stack([far, BOX])[None], scores, LABELS), BOX, DOG, "object"
    )
    assert (best.score, best.class_score, best.iou, best.found_score) == (0.5, 0.5, 1.0, 0.5)
    assert best.box.tolist() == [list(TARGET.box)]


def test_half_precision_detections():
    half = Candidates(BOX.half().expand(1, 1, 4), torch.full((1, 1, 3), 0.5).half(), LABELS)
    for mode in MODES:
        assert best_candidates(half, BOX, DOG, mode).table.dtype == torch.float32


@pytest.mark.parametrize("mode", MODES)
def test_scores_of_targets_equal_those_of_one_candidate_each(mode):
    rng = np.random.default_rng(2)
    corner = rng.uniform(0, 5, (30, 1, 2))
    boxes = torch.tensor(np.concatenate([corner, corner + rng.uniform(3, 9, corner.shape)], -1))
    scores = torch.tensor(rng.random((30, 1, 1))) * (torch.arange(30) % 3 > 0)[:, None, None]
    ious = iou(boxes.float(), BOX[None])[..., 0]
    best = attained_by(TargetScores(scores[..., 0], ious, boxes), mode)
    expected = best_candidates(Candidates(boxes, scores, ("dog",)), BOX, 0, mode)
    assert best.score.shape == (30, 1)
    np.testing.assert_allclose(
        best[:, 0].table[:, :13], expected.table[:, :13], rtol=1e-5, atol=1e-6
    )


def test_candidates_that_fit_another_box_better_are_left_out():
    """The first box, at IoU 0.6, would outdo the weak candidate at the target's own place."""
    other = torch.tensor([4.0, 2.0, 12.0, 10.0])
    scores = torch.zeros(1, 2, len(LABELS))
    scores[0, :, DOG] = torch.tensor([0.9, 0.5])
    found = Candidates(torch.stack([other, BOX])[None], scores, LABELS)
    assert best_candidates(found, BOX, DOG, "object").class_score == pytest.approx(0.9)
    apart = best_candidates(found, BOX, DOG, "object", other)[0]
    assert (apart.score, apart.class_score, apart.iou, apart.found_score) == (0.5, 0.5, 1, 0.5)


def seen_by(boxes, scores, target=BOX, column=DOG):
    found = Candidates(torch.tensor([boxes]).float(), torch.tensor([scores]).float(), LABELS)
    return best_candidates(found, target, column, "object")[0]


def test_what_is_called_something_else_is_not_found():
    """The wine glass that is a cup: it scores for its label, but not most."""
    best = seen_by([TARGET.box], [[0.53, 0.36, 0.1]])
    assert best.class_score == pytest.approx(0.36)
    assert best.found_score == 0
    assert (best.other_score, LABELS[int(best.other_label)]) == (pytest.approx(0.53), "cat")


def test_what_nms_removes_is_not_found():
    """A better-scoring box of the label beside it, at IoU 0.78, is off the target by half."""
    x1, y1, x2, y2 = TARGET.box
    target = torch.tensor([x1, y1, x2, y1 + 4.0])
    near, kept = (x1, y1, x2, y1 + 6.5), (x1, y1, x2, y1 + 8.2)
    best = seen_by([near, kept], [[0, 0.5, 0], [0, 0.9, 0]], target)
    assert best.found_score == 0
    assert seen_by([near], [[0, 0.5, 0]], target).found_score == 0.5


def test_the_highest_detection_of_another_label_is_told():
    best = seen_by([TARGET.box, TARGET.box], [[0.2, 0.33, 0.1], [0, 0.01, 0.77]])
    assert best.found_score == pytest.approx(0.33)
    assert (best.other_score, LABELS[int(best.other_label)]) == (pytest.approx(0.77), "bird")
    assert best.found_box.tolist() == list(TARGET.box)
    assert best.found_iou == 1

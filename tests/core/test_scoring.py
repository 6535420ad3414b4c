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
    assert torch.equal(best_candidates(none, BOX, DOG, mode).table, torch.zeros(2, 8))
    padded = Candidates(BOX.expand(2, 1, 4), torch.zeros(2, 1, 3), LABELS)
    for column in range(3):
        assert torch.equal(best_candidates(padded, BOX, column, mode).table, torch.zeros(2, 8))


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
    np.testing.assert_allclose(best[:, 0].table, expected.table, rtol=1e-5, atol=1e-6)


def test_candidates_that_fit_another_box_better_are_left_out():
    """The first box, at IoU 0.6, would outdo the weak candidate at the target's own place."""
    other = torch.tensor([4.0, 2.0, 12.0, 10.0])
    scores = torch.zeros(1, 2, len(LABELS))
    scores[0, :, DOG] = torch.tensor([0.9, 0.5])
    found = Candidates(torch.stack([other, BOX])[None], scores, LABELS)
    assert best_candidates(found, BOX, DOG, "object").class_score == pytest.approx(0.9)
    apart = best_candidates(found, BOX, DOG, "object", other)[0]
    assert (apart.score, apart.class_score, apart.iou, apart.found_score) == (0.5, 0.5, 1, 0.5)

import itertools

import numpy as np
import pytest
import torch

from tests.helpers.analytic import (
    TARGET,
    LikelihoodDetector,
    additive,
    breaking,
    per_label,
    photo,
    scattered,
    strip_detector,
)
from tests.helpers.cli import BOX, Bright
from tests.helpers.objectives import TARGETS, WEIGHTS, shared, subsets
from vps.core.candidates import TargetScores
from vps.core.targets import Target
from vps.engine import passes
from vps.errors import DetectorError, InputError
from vps.explaining.explain import explain


def test_each_subset_passes_once_for_all_targets():
    detector = strip_detector(scattered())
    source = shared(detector, batch_size=4)
    keep = subsets(20)
    for part in (keep[:7], keep, keep[::-1], ~keep):
        source.evaluate(part)
    distinct = {row.tobytes() for row in np.concatenate([keep, ~keep])}
    assert len(detector.seen) == len(distinct) == source.passes
    assert {row.tobytes() for row in detector.seen} == distinct


@pytest.mark.parametrize("mode", ["object", "class", "box"])
def test_rows_of_all_targets_equal_those_of_each_alone(mode):
    keep = subsets(25)
    together = shared(strip_detector(scattered()), mode=mode).evaluate(keep)
    assert together.score.shape == (25, 4)
    assert np.array_equal(together[:, 0].table, together[:, 3].table)
    for number, target in enumerate(TARGETS):
        alone = shared(strip_detector(scattered()), [target], mode=mode, batch_size=3)
        assert np.array_equal(together[:, [number]].table, alone.evaluate(keep).table)
    assert not np.array_equal(together[:, 0].table, together[:, 1].table)


def test_each_target_reads_the_column_of_its_label():
    weights = np.stack([WEIGHTS, WEIGHTS[::-1], np.roll(WEIGHTS, 2)], axis=1)
    targets = [Target(TARGET.box, label) for label in ("cat", "dog", "bird")]
    keep = subsets(9)
    rows = shared(strip_detector(per_label(weights)), targets).evaluate(keep)
    np.testing.assert_allclose(rows.score, keep @ weights, atol=1e-6)
    assert (rows.iou[keep.any(axis=1)] == 1).all()


def test_rows_come_back_in_the_order_asked_for_and_are_kept_in_that_of_their_passes():
    source = shared(strip_detector(additive(WEIGHTS)))
    keep = np.eye(6, dtype=bool)
    first = source.evaluate(keep[[3, 1]])
    rows = source.evaluate(keep[[5, 1, 3, 1]])
    np.testing.assert_allclose(rows.score[:, 0], WEIGHTS[[5, 1, 3, 1]], atol=1e-6)
    assert np.array_equal(rows[[2, 1]].table, first.table)
    assert np.array_equal(source.subsets, keep[[3, 1, 5]])
    assert np.array_equal(source.seen.table, rows[[2, 1, 0]].table)


def test_what_went_in_and_came_out_can_be_changed():
    source = shared(strip_detector(additive(WEIGHTS)))
    keep = np.eye(6, dtype=bool)
    source.evaluate(keep).table[:] = -1
    keep[:] = False
    assert np.array_equal(source.subsets, np.eye(6, dtype=bool))
    assert (source.seen.score[:, 0] > 0).all()


def test_new_is_the_first_of_equals_and_known_is_what_passed():
    source = shared(strip_detector(scattered()))
    keep = np.eye(6, dtype=bool)[[0, 1, 0, 2, 2, 1]]
    assert source.new(keep).tolist() == [True, True, False, True, False, False]
    assert not source.known(keep).any()
    source.evaluate(keep[[1]])
    assert source.new(keep).tolist() == [True, False, False, True, False, False]
    assert source.known(keep).tolist() == [False, True, False, False, False, True]
    source.evaluate(keep)
    assert not source.new(keep).any()
    assert source.known(keep).all()


def test_nothing_asked_for_costs_nothing():
    detector = strip_detector(scattered())
    source = shared(detector)
    nothing = np.zeros((0, 6), bool)
    assert source.evaluate(nothing).score.shape == (0, 4)
    assert source.new(nothing).shape == source.known(nothing).shape == (0,)
    assert source.passes == len(detector.batches) == 0
    assert source.subsets.shape == (0, 6)
    assert source.seen.score.shape == (0, 4)


@pytest.mark.parametrize("count", [1, 7, 8, 9, 17])
def test_no_two_subsets_of_any_number_of_regions_are_taken_for_one(count):
    rng = np.random.default_rng(count)
    keep = np.unique(rng.random((40, count)) < 0.5, axis=0)
    detector = strip_detector(additive(np.full(count, 1 / 32)), count)
    score = shared(detector, [TARGET]).evaluate(keep).score[:, 0]
    assert np.array_equal(score, keep.sum(axis=1) / 32)
    assert len(detector.seen) == len(keep)


@pytest.mark.parametrize("error", [DetectorError("out of order"), RuntimeError("out of memory")])
def test_a_failure_midway_keeps_what_passed_before(error):
    detector = breaking(strip_detector(additive(WEIGHTS)), {2: error})
    source = shared(detector, batch_size=2)
    keep = np.eye(6, dtype=bool)
    with pytest.raises(type(error), match=str(error)):
        source.evaluate(keep)
    assert source.passes == 4
    assert source.known(keep).tolist() == [True] * 4 + [False] * 2
    np.testing.assert_allclose(source.evaluate(keep).score[:, 0], WEIGHTS, atol=1e-6)
    assert len({row.tobytes() for row in detector.seen}) == len(detector.seen) == 6


def test_a_failure_of_the_detector_names_the_batch():
    detector = breaking(strip_detector(scattered()), {1: DetectorError("no boxes")})
    source = shared(detector, batch_size=3)
    keep = np.tri(6, dtype=bool)
    with pytest.raises(DetectorError, match="rule: no boxes .*shows 4, 5, 6 of 6 regions"):
        source.evaluate(keep)


def test_rows_that_are_not_finite_are_not_kept():
    def answer(keep):
        return np.array([TARGET.box]), np.array([[0.5, np.nan if keep.sum() == 5 else 0.5, 0.5]])

    source = shared(strip_detector(answer), batch_size=2)
    with pytest.raises(DetectorError, match=r"NaN.*shows 5, 6 of 6 regions"):
        source.evaluate(np.tri(6, dtype=bool))
    assert source.passes == 4


@pytest.mark.parametrize("batch_size", [64, 1000])
def test_growth_keeps_all_rows(batch_size):
    weights = 2.0 ** -np.arange(1, 11)
    detector = strip_detector(additive(weights), 10)
    source = shared(detector, [TARGET], batch_size=batch_size)
    keep = np.array(list(itertools.product([False, True], repeat=10)))
    keep = keep[np.random.default_rng(0).permutation(len(keep))]
    for start, end in [(0, 1), (1, 250), (250, 260), (260, 900), (900, 1024)]:
        source.evaluate(keep[start:end])
        assert source.passes == end
        assert np.array_equal(source.subsets, keep[:end])
        assert np.array_equal(source.seen.score[:, 0], keep[:end] @ weights)
    assert np.array_equal(source.evaluate(keep).score[:, 0], keep @ weights)
    assert len(detector.seen) == 1024


def test_targets_that_cannot_be_explained():
    detector = strip_detector(scattered())
    with pytest.raises(InputError, match="at least one target"):
        shared(detector, [])
    with pytest.raises(InputError, match="unknown label 'dgo'"):
        shared(detector, [TARGET, Target(TARGET.box, "dgo")])
    with pytest.raises(InputError, match="outside the image"):
        shared(detector, [TARGET, Target((20, 2, 30, 9), "dog")])


def likelihood(rule) -> LikelihoodDetector:
    detector = strip_detector(scattered())
    return LikelihoodDetector(photo(), detector.regions, scattered(), rule)


def test_a_detector_that_scores_targets_is_asked_for_them():
    def rule(keep, target):
        return keep.mean(), 0.5 if target.label == "dog" else 1.0

    keep = subsets(9)
    detector = likelihood(rule)
    rows = shared(detector, batch_size=4).evaluate(keep)
    assert [list(targets) for targets in detector.asked_about] == [TARGETS]
    share = keep.mean(axis=1)
    np.testing.assert_allclose(rows.class_score, np.stack([share] * 4, axis=1), rtol=1e-6)
    np.testing.assert_allclose(rows.score[:, 0], 0.5 * share, rtol=1e-6)
    np.testing.assert_allclose(rows.score[:, 1], share, rtol=1e-6)
    assert (rows.box[share > 0, 1] == TARGETS[1].box).all()


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (TargetScores(torch.ones(1, 4), torch.ones(1, 4), torch.ones(1, 4, 4)), r"got \(1, 4\)"),
        (TargetScores(torch.ones(2, 1), torch.ones(2, 1), torch.ones(2, 1, 4)), r"got \(2, 1\)"),
        ([(torch.ones(2, 4), torch.ones(2, 4), torch.ones(2, 4))], "must have shapes"),
        ([(torch.ones(2, 4), torch.ones(2, 4) * 2, torch.ones(2, 4, 4))], "lie in"),
        ([(torch.ones(2, 4), torch.ones(2, 4), torch.ones(2, 4, 4) / 0)], "NaN or infinite"),
    ],
)
def test_target_scores_that_break_the_contract(found, message):
    detector = likelihood(lambda *_: (1, 1))
    made = found if isinstance(found, TargetScores) else None
    detector.score_targets = lambda *_: made or TargetScores(*found[0])
    with pytest.raises(DetectorError, match=message):
        shared(detector).evaluate(np.tri(6, dtype=bool)[:2])


def test_a_scorer_that_fails_at_the_whole_image():
    detector = likelihood(lambda *_: (1, 1))
    detector.about = lambda *_: 1 / 0
    with pytest.raises(DetectorError, match=r"rule: division by zero \(at the whole image\)"):
        shared(detector)


def test_a_batch_that_does_not_fit_is_told(monkeypatch):
    def full(*_):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(passes, "Masker", full)
    with pytest.raises(DetectorError, match="a batch of 8 images of 40 x 32 pixels does not fit"):
        explain(Bright(), np.zeros((32, 40, 3), np.uint8), Target(BOX, "dog"), regions=4)

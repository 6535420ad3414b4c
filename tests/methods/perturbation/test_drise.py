import dataclasses

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from tests.helpers.patches import BOX, PATCHES, SIZE, one_box_a_patch, question
from vps.core.masking import make_fill
from vps.core.targets import Kind, Target
from vps.engine.budget import Budget
from vps.errors import DetectorError, InputError
from vps.methods.perturbation.drise import DRISE
from vps.methods.perturbation.masks import random_masks

DOG = Target(BOX, "dog")
BIRD = Target(BOX, "bird", Kind.MISSED)


def drise(asked, *, seed, **settings):
    return DRISE(**settings).attribute(asked, seed=seed)


def iou(one, other):
    """Of two boxes, by counting pixels: all corners are whole numbers."""
    covers = []
    for x1, y1, x2, y2 in (one, other):
        cover = np.zeros(SIZE, bool)
        cover[int(y1) : int(y2), int(x1) : int(x2)] = True
        covers.append(cover)
    return (covers[0] & covers[1]).sum() / (covers[0] | covers[1]).sum()


def cosine(one, other):
    length = np.linalg.norm(one) * np.linalg.norm(other)
    return one @ other / length if length else 0.0


@pytest.mark.parametrize(
    ("fill", "normalisation"),
    [("black", "expected"), ((0.2, 0.4, 0.6), "coverage"), ("blur", "expected")],
)
def test_the_map_is_the_papers_formula(fill, normalisation):
    asked = question(DOG, BIRD, fill=fill)
    found = drise(asked, seed=4, masks=9, grid=3, p=0.4, normalisation=normalisation)
    # What it saw was masked as the question says; the whole image came first.
    whole, *batches = asked.detector.seen
    assert torch.equal(whole[0], asked.pixels)
    masks = random_masks(range(9), SIZE, grid=3, p=0.4, seed=4).numpy()
    seen = torch.cat(batches).numpy()
    blank = np.broadcast_to(make_fill(fill, asked.pixels).numpy(), seen.shape[1:])
    for mask, image in zip(masks, seen, strict=True):
        expected = mask * asked.pixels.numpy() + (1 - mask) * blank
        np.testing.assert_allclose(image, expected, atol=1e-6)
    own = one_box_a_patch(torch.ones(1, 2))[1][0, 0].numpy()
    maps = np.zeros((2, *SIZE))
    for mask, image in zip(masks, seen, strict=True):
        shares = asked.detector.shares(torch.from_numpy(image)[None]).clamp(0, 1)
        boxes, scores = (values[0].numpy() for values in one_box_a_patch(shares))
        for number, wanted in enumerate([own, np.array([0.0, 0.0, 1.0])]):
            weight = max(
                iou(box, BOX) * cosine(row, wanted) * row.max()
                for box, row in zip(boxes, scores, strict=True)
            )
            maps[number] += weight * mask
    maps /= 9 * 0.4 if normalisation == "expected" else masks.sum(axis=0)
    np.testing.assert_allclose(found.maps, maps, rtol=1e-5, atol=1e-7)
    assert found.maps.dtype == np.float32
    assert found.passes == 10


@pytest.mark.parametrize(("target", "patch"), [(DOG, 0), (BIRD, 1)])
def test_the_maximum_lies_in_what_the_detector_reads(target, patch):
    (values,) = drise(question(target), seed=0, masks=1500, grid=5).maps
    row, column = np.unravel_index(values.argmax(), SIZE)
    top, bottom, left, right = PATCHES[patch]
    assert top <= row < bottom
    assert left <= column < right
    # What is not read gets about the mean weight.
    assert values[top:bottom, left:right].mean() > 1.2 * np.median(values)


@pytest.mark.parametrize("batch_size", [1, 7, 60])
def test_the_batch_size_changes_nothing_and_bounds_what_is_alive(batch_size):
    usual = drise(question(DOG, BIRD), seed=1, masks=60, grid=4)
    asked = question(DOG, BIRD, batch_size=batch_size)
    found = drise(asked, seed=1, masks=60, grid=4)
    np.testing.assert_allclose(found.maps, usual.maps, rtol=1e-5)
    assert max(len(pixels) for pixels in asked.detector.seen) == batch_size
    assert sum(len(pixels) for pixels in asked.detector.seen) == found.passes == 61


def test_masks_are_made_a_batch_at_a_time(monkeypatch):
    made = []

    def counted(numbers, *args, **settings):
        made.append(list(numbers))
        return random_masks(numbers, *args, **settings)

    monkeypatch.setattr("vps.methods.perturbation.drise.random_masks", counted)
    drise(question(DOG, batch_size=4), seed=0, masks=10)
    assert made == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def test_the_seed_decides():
    maps = [drise(question(DOG), seed=seed, masks=20).maps for seed in (1, 1, 2)]
    np.testing.assert_array_equal(maps[0], maps[1])
    assert np.abs(maps[0] - maps[2]).max() > 0.01


def test_targets_share_the_passes():
    together = drise(question(DOG, BIRD), seed=1, masks=20)
    alone = [drise(question(target), seed=1, masks=20) for target in (DOG, BIRD)]
    for number, one in enumerate(alone):
        np.testing.assert_array_equal(together.maps[number], one.maps[0])
    assert (together.passes, *(one.passes for one in alone)) == (21, 21, 20)


def test_a_detector_that_finds_nothing_gets_a_map_of_zeros():
    def nothing(shares):
        return torch.zeros(len(shares), 0, 4), torch.zeros(len(shares), 0, 3)

    assert not drise(question(DOG, answer=nothing), seed=0, masks=5).maps.any()


def test_without_a_factor_for_objectness_a_detector_of_one_label_shows_boxes_only():
    def answer(shares):
        scores = torch.zeros(len(shares), 1, 3)
        scores[:, 0, 1] = 0.01 + 0.9 * shares[:, 0]
        return torch.tensor([[BOX]]).expand(len(shares), -1, -1), scores

    asked = question(BIRD, DOG, answer=answer)
    masks = random_masks(range(30), SIZE, grid=16, p=0.5, seed=0)
    found = drise(asked, seed=0, masks=30, objectness="none", normalisation="expected")
    np.testing.assert_allclose(found.maps[1], masks.mean(0) / 0.5, rtol=1e-5)
    # Every mask weighs 1, and so does their mean.
    found = drise(asked, seed=0, masks=30, objectness="none")
    np.testing.assert_allclose(found.maps[1], 1, rtol=1e-5)


def test_other_similarities_weigh_other_answers():
    def answer(shares):
        # A dog beside the box as sure as patch 1 is shown, and one on it by patch 0.
        boxes = torch.tensor([BOX, (8.0, 4.0, 18.0, 14.0)]).expand(len(shares), -1, -1)
        scores = torch.zeros(len(shares), 2, 3)
        scores[:, :, 1] = 0.5 + 0.5 * shares
        return boxes, scores

    asked = question(DOG, answer=answer)
    masks = random_masks(range(40), SIZE, grid=4, p=0.5, seed=2).numpy()
    shown = asked.detector.shares(asked.pixels * torch.from_numpy(masks)[:, None]).numpy()
    sure = 0.5 + 0.5 * shown
    for similarity, weights in (
        ("class", sure.max(axis=1)),
        ("detections", np.maximum(sure[:, 0], 60 / 140 * sure[:, 1])),
        ("score", np.maximum(sure[:, 0], 60 / 140 * sure[:, 1])),
    ):
        found = drise(asked, seed=2, masks=40, grid=4, similarity=similarity)
        expected = np.einsum("k,khw->hw", weights, masks) / masks.sum(axis=0)
        np.testing.assert_allclose(found.maps[0], expected, rtol=1e-5)
        assert found.passes == 40  # none for the whole image
    with pytest.raises(InputError, match="no factor objectness"):
        DRISE(similarity="class", objectness="none")
    with pytest.raises(InputError, match="did you mean 'detections'"):
        DRISE(similarity="detection")


def test_a_failure_names_the_masks():
    calls = []

    def answer(shares):
        calls.append(len(shares))
        if len(calls) == 3:
            raise RuntimeError("out of memory")
        return one_box_a_patch(shares)

    found = drise(question(DOG, answer=answer, batch_size=4), seed=0, masks=20)
    assert str(found.error).startswith("patches: out of memory (at masks 4 to 7 of D-RISE")
    assert found.stopped == "failed"
    usual = drise(question(DOG), seed=0, masks=4)
    np.testing.assert_allclose(found.maps, usual.maps, rtol=1e-6)


def test_a_failure_before_the_first_masks_is_raised():
    def answer(shares):
        if (shares < 1).any():
            raise RuntimeError("out of memory")
        return one_box_a_patch(shares)

    with pytest.raises(DetectorError, match=r"patches: out of memory \(at masks 0 to 3 of D-RISE"):
        drise(question(DOG, answer=answer, batch_size=4), seed=0, masks=20)


def test_a_budget_means_fewer_masks():
    usual = drise(question(DOG), seed=3, masks=7)
    asked = question(DOG)
    found = DRISE(masks=20).attribute(asked, Budget(passes=8), seed=3)
    np.testing.assert_array_equal(found.maps, usual.maps)
    assert found.passes == sum(len(pixels) for pixels in asked.detector.seen) == 8
    assert (usual.stopped, found.stopped) == ("finished", "budget")
    assert (usual.limit, found.limit) == (None, 8)
    with pytest.raises(InputError, match="budget of 1 passes is too small for D-RISE"):
        DRISE().attribute(question(DOG), Budget(passes=1), seed=3)


def test_when_the_time_is_over_the_masks_until_then_make_the_map():
    usual = drise(question(DOG), seed=3, masks=8)
    seen = []
    budget = Budget(progress=seen.append, cancelled=lambda: len(seen) == 2)
    found = DRISE(masks=20).attribute(question(DOG, batch_size=4), budget, seed=3)
    np.testing.assert_allclose(found.maps, usual.maps, rtol=1e-6)
    assert found.stopped == "cancelled"
    assert [progress.passes for progress in seen] == [5, 9]


def normalised_by_coverage(asked, masks):
    """D-RISE as the toolkit XAITK has it, of a question about a dog and a bird that are truths.

    Boxes hold the pixels of both their edges; a map is the weighted sum of the masks over their
    sum, pixel by pixel, and is scaled by its largest absolute value.
    """

    def edges_included(one, other):
        wide = min(one[2], other[2]) - max(one[0], other[0]) + 1
        high = min(one[3], other[3]) - max(one[1], other[1]) + 1
        shared = max(wide, 0) * max(high, 0)
        areas = [(b[2] - b[0] + 1) * (b[3] - b[1] + 1) for b in (one, other)]
        return shared / (sum(areas) - shared + np.finfo(float).eps)

    images = asked.pixels * masks[:, None]
    boxes, scores = one_box_a_patch(asked.detector.shares(images).clamp(0, 1))
    maps = []
    for label in (1, 2):
        wanted = np.eye(3)[label]
        weights = [
            max(
                edges_included(box, BOX) * cosine(row, wanted) * row.max()
                for box, row in zip(of_image[0].numpy(), of_image[1].numpy(), strict=True)
            )
            for of_image in zip(boxes, scores, strict=True)
        ]
        summed = np.einsum("k,khw->hw", weights, masks.numpy()) / masks.numpy().sum(axis=0)
        maps.append(np.clip(summed / np.abs(summed).max(), -1, 1))
    return np.stack(maps)


def test_regions_rank_as_in_an_implementation_that_divides_by_coverage():
    # Boxes that hold their edges shrink the IoU of what lies beside the target, of all alike.
    targets = Target(BOX, "dog", Kind.MISSED), BIRD
    asked = question(*targets)
    found = drise(asked, seed=0, masks=2000, grid=5)
    masks = random_masks(range(2000), SIZE, grid=5, p=0.5, seed=0)
    theirs = dataclasses.replace(found, maps=normalised_by_coverage(asked, masks))
    for one, other in zip(
        found.means_of(asked.regions), theirs.means_of(asked.regions), strict=True
    ):
        assert spearmanr(one, other).statistic > 0.99
        assert one.argmax() == other.argmax()

import numpy as np
import pytest
import torch

from vps.core.boxes import iou
from vps.core.candidates import Candidates, as_seen
from vps.data.sample import Sample
from vps.errors import DetectorError, InputError

IMAGE = np.zeros((20, 30, 3), np.uint8)
BOXES = np.array([[1, 2, 4, 6], [0, 0, 30, 20]], np.float64)


def sample(**fields) -> Sample:
    return Sample(IMAGE, 7, BOXES, ("cat", "dog"), (1, 2), **fields)


def test_what_is_not_annotated_has_a_default():
    found = sample()
    assert found.ignored.tolist() == [False, False]
    assert found.areas.tolist() == [12, 600]
    assert found.segmentations == (None, None)
    assert found.mask(0) is None
    assert found.verified is None
    assert found.partial == frozenset()


def test_an_image_without_objects():
    empty = Sample(IMAGE, "x", np.zeros((0, 4)), (), ())
    assert empty.ignored.shape == empty.areas.shape == (0,)


def test_masks():
    coder = pytest.importorskip("pycocotools.mask")
    inside = np.zeros((20, 30), bool)
    inside[2:6, 1:4] = True
    found = sample(segmentations=(coder.encode(np.asfortranarray(inside, np.uint8)), None))
    assert found.mask(0).dtype == bool
    assert np.array_equal(found.mask(0), inside)
    assert found.mask(1) is None


def test_masks_that_cannot_be_used():
    coder = pytest.importorskip("pycocotools.mask")
    turned = coder.encode(np.zeros((30, 20), np.uint8, order="F"))
    with pytest.raises(InputError, match=r"mask of object 1 has size \(30, 20\)"):
        sample(segmentations=(turned, None)).mask(0)
    with pytest.raises(InputError, match="object 1 cannot be decoded"):
        sample(segmentations=({"size": [20, 30]}, None)).mask(0)


@pytest.mark.parametrize(
    "fields",
    [{"ignored": np.zeros(3, bool)}, {"areas": np.ones(1)}, {"segmentations": (None,) * 3}],
)
def test_fields_of_another_length(fields):
    with pytest.raises(InputError, match=f"as many {next(iter(fields))}"):
        sample(**fields)


def with_objectness(objectness):
    return Candidates(torch.zeros(2, 3, 4), torch.zeros(2, 3, 1), ("dog",), objectness)


def test_objectness_is_a_number_a_box_or_none():
    objectness = torch.tensor([[0, 0.5, 1], [1, 1, 1]])
    assert with_objectness(objectness).objectness is objectness
    assert with_objectness(None).objectness is None


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("name", ["boxes", "scores", "objectness"])
def test_numbers_that_are_none_are_refused_wherever_they_are(name, value):
    parts = {
        "boxes": torch.zeros(2, 3, 4),
        "scores": torch.zeros(2, 3, 1),
        "objectness": torch.zeros(2, 3),
    }
    parts[name][1, 2] = value
    with pytest.raises(DetectorError, match="NaN or infinite boxes or scores or objectness"):
        Candidates(labels=("dog",), **parts)


def test_scores_out_of_range_are_told_with_their_range():
    with pytest.raises(DetectorError, match=r"^scores must lie in \[0, 1\], got -0.5 to 2$"):
        Candidates(torch.zeros(1, 2, 4), torch.tensor([[[-0.5], [2.0]]]), ("dog",))


@pytest.mark.parametrize(
    ("objectness", "message"),
    [
        (torch.zeros(2, 3, 1), r"must have shape \(2, 3\).*got \(2, 3, 1\)"),
        (torch.zeros(3), r"must have shape \(2, 3\)"),
        (torch.full((2, 3), 1.1), r"lie in \[0, 1\]"),
        (torch.full((2, 3), -0.1), r"lie in \[0, 1\]"),
        (torch.full((2, 3), torch.nan), "finite"),
    ],
)
def test_wrong_objectness_is_refused(objectness, message):
    with pytest.raises(DetectorError, match=message):
        with_objectness(objectness)


def test_of_what_fits_a_target_the_same_is_seen_as_everywhere():
    generator = torch.Generator().manual_seed(0)
    corners = 20 * torch.rand(40, 150, 2, generator=generator)
    sizes = 10 + 20 * torch.rand(40, 150, 2, generator=generator)
    found = Candidates(
        torch.cat([corners, corners + sizes], dim=-1),
        torch.rand(40, 150, 3, generator=generator),
        ("cat", "dog", "hen"),
    )
    near = torch.tensor([[10.0, 10, 30, 30], [70, 70, 75, 75]])
    fits = (iou(found.boxes, near[None]) > 0.5).any(dim=-1)
    everywhere, there = as_seen(found), as_seen(found, near=near)
    assert 0 < (everywhere.kept & fits).sum() < fits.sum()
    assert torch.equal(everywhere.kept & fits, there.kept & fits)


def test_what_is_removed_by_a_box_that_does_not_touch_the_target_removes_nothing():
    boxes = [[0.0, 0, 20, 10], [6, 0, 20, 10], [10.2, 0, 20, 10]]
    found = Candidates(torch.tensor([boxes]), torch.tensor([[[0.3], [0.6], [0.9]]]), ("dog",))
    target = torch.tensor([[0.0, 0, 10.1, 10]])
    assert (iou(found.boxes, target[None])[0, :, 0] > 0.5).tolist() == [True, False, False]
    seen = as_seen(found, nms_iou=0.69, near=target)
    assert seen.kept[0].tolist() == [True, False, True]


def test_boxes_are_cut_off_at_the_borders_in_a_copy():
    boxes = torch.tensor([[[-5.0, 2, 12, 30], [1, 1, 2, 2]]])
    found = Candidates(boxes, torch.rand(1, 2, 1), ("dog",), torch.rand(1, 2))
    inside = found.within((20, 10))
    assert inside.boxes.tolist() == [[[0, 2, 10, 20], [1, 1, 2, 2]]]
    assert found.boxes is boxes
    assert (inside.scores, inside.objectness, inside.labels) == (
        found.scores,
        found.objectness,
        found.labels,
    )

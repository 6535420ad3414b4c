import pytest
import torch
from torchvision.ops import box_convert, box_iou

from vps.core import boxes


def random_boxes(*shape: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(len(shape))
    corner = torch.rand(*shape, 2, generator=generator) * 50
    return torch.cat([corner, corner + torch.rand(*shape, 2, generator=generator) * 50], dim=-1)


@pytest.mark.parametrize(
    ("there", "back", "name"),
    [
        (boxes.xyxy_to_xywh, boxes.xywh_to_xyxy, "xywh"),
        (boxes.xyxy_to_cxcywh, boxes.cxcywh_to_xyxy, "cxcywh"),
    ],
)
def test_formats_agree_with_torchvision_and_round_trip(there, back, name):
    given = random_boxes(7)
    torch.testing.assert_close(there(given), box_convert(given, "xyxy", name))
    torch.testing.assert_close(back(there(given)), given)


def test_iou_agrees_with_torchvision():
    one, other = random_boxes(9), random_boxes(5)[torch.randperm(5)] + 10
    torch.testing.assert_close(boxes.iou(one, other), box_iou(one, other))


def test_iou_broadcasts_over_a_batch():
    batch, other = random_boxes(3, 9), random_boxes(2)
    expected = torch.stack([box_iou(one, other) for one in batch])
    torch.testing.assert_close(boxes.iou(batch, other[None]), expected)


def test_empty_and_inverted_boxes_have_iou_zero():
    empty = torch.tensor([[3.0, 3, 3, 3], [9, 9, 1, 1]])
    assert torch.equal(boxes.iou(empty, empty), torch.zeros(2, 2))
    assert torch.equal(boxes.area(empty), torch.zeros(2))


def test_overlap_is_the_iou_of_two_boxes():
    assert boxes.overlap((2, 2, 10, 10), (4, 2, 12, 10)) == pytest.approx(0.6)

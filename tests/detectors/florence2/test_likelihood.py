import itertools

import pytest
import torch

pytest.importorskip("transformers")

from detectors.florence2.checkpoint import read_florence2  # noqa: E402
from detectors.florence2.encoder import encode_images, encode_prompts  # noqa: E402
from detectors.florence2.likelihood import Beginning, expected_boxes, read_answers  # noqa: E402
from detectors.florence2.writing import write_answers  # noqa: E402
from tests.models.tiny_florence2 import write_checkpoint  # noqa: E402
from vps.core.boxes import iou  # noqa: E402


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return read_florence2(str(write_checkpoint(tmp_path_factory.mktemp("tiny"))))


@pytest.fixture(scope="module")
def encoded(checkpoint):
    """Four images, read with prompts of different lengths."""
    pixels = torch.rand(4, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    prompts = [[0, *range(260, 260 + length), 2] for length in (1, 3, 4, 2)]
    with torch.no_grad():
        return encode_prompts(checkpoint, encode_images(checkpoint, pixels), prompts)


def test_an_answer_that_was_written_is_as_likely_as_when_it_was(checkpoint, encoded):
    answers = write_answers(checkpoint, encoded, beams=1, max_new_tokens=9)
    bins = {token: number for number, token in enumerate(checkpoint.locations)}
    # The first and the second box of one label.
    for start in (1, 5):
        places = slice(start, start + 4)
        beginnings = [Beginning(tuple(answer.tokens[:start]), (0,)) for answer in answers]
        boxes = [[bins[token] for token in answer.tokens[places]] for answer in answers]
        begun, corners = read_answers(checkpoint, encoded, beginnings, boxes)
        for row, answer in enumerate(answers):
            expected = torch.tensor(answer.said[0] + answer.located[start]).exp()
            assert torch.isclose(begun[row], expected, rtol=1e-4)
            # Among locations only, so by the share that locations have.
            said = torch.tensor(answer.said[places]) - torch.tensor(answer.located[places])
            found = corners[row, range(4), boxes[row]].log()
            assert torch.allclose(found, said, atol=1e-4)


def test_answers_of_different_lengths_are_read_together(checkpoint, encoded):
    beginnings = [
        Beginning((260,), (0,)),
        Beginning((261, 262, 263, 264), (0, 1, 2, 3)),
        Beginning((260, *checkpoint.locations[:4], 265, 266), (5, 6)),
        Beginning((260, *checkpoint.locations[:4]), (0,)),
    ]
    boxes = [[1, 2, 3, 4], [500, 20, 700, 999], [0, 0, 999, 999], [9, 8, 7, 6]]
    together = read_answers(checkpoint, encoded, beginnings, boxes)
    assert torch.allclose(together[1].sum(-1), torch.ones(4, 4))
    for row in range(4):
        one = encoded.rows(torch.tensor([row]))
        alone = read_answers(checkpoint, one, beginnings[row : row + 1], boxes[row : row + 1])
        assert torch.allclose(alone[0], together[0][row : row + 1], rtol=1e-4)
        assert torch.allclose(alone[1], together[1][row : row + 1], atol=1e-6)


def exact(distributions, box):
    """The expected IoU by a sum over all boxes."""
    count = distributions.shape[-1]
    bins = torch.tensor(list(itertools.product(range(count), repeat=4)))
    chance = distributions[torch.arange(4), bins].double().prod(-1)
    return float((chance * iou((bins.double() + 0.5) / count, box[None].double())[:, 0]).sum())


@pytest.mark.parametrize("sharpness", [0.0, 1.0, 3.0, 10.0])
def test_the_expected_iou_is_that_of_all_boxes(sharpness):
    random = torch.Generator().manual_seed(int(sharpness))
    distributions = (sharpness * torch.randn(24, 4, 12, generator=random)).softmax(-1)
    corners = torch.rand(24, 2, 2, generator=random).sort(dim=1).values
    boxes = corners.flatten(1)
    _, found = expected_boxes(distributions, boxes)
    expected = torch.tensor([exact(d, b) for d, b in zip(distributions, boxes, strict=True)])
    assert (found - expected).abs().max() < 0.01


def test_where_the_model_is_sure_the_iou_is_that_of_its_box():
    bins = torch.tensor([[100, 200, 300, 400], [0, 0, 999, 999], [300, 200, 100, 400]])
    distributions = torch.nn.functional.one_hot(bins, 1000).float()
    target = torch.tensor([[0.1, 0.2, 0.25, 0.3]]).expand(3, -1)
    boxes, ious = expected_boxes(distributions, target)
    assert torch.allclose(boxes, (bins + 0.5) / 1000)
    expected = iou(boxes[:, None], target[:, None])[:, 0, 0]
    assert torch.allclose(ious, expected, atol=1e-6)
    # Swapped corners hold nothing.
    assert ious[2] == 0


def test_a_box_of_two_minds_counts_by_halves():
    distributions = torch.zeros(1, 4, 10)
    distributions[0, 0, [0, 5]] = 0.5
    distributions[0, [1, 2, 3], [0, 9, 9]] = 1
    target = torch.tensor([[0.05, 0.05, 0.95, 0.95]])
    boxes, ious = expected_boxes(distributions, target)
    assert float(ious) == pytest.approx((1 + 0.4 / 0.9) / 2, abs=1e-3)
    assert torch.allclose(boxes, torch.tensor([[0.3, 0.05, 0.95, 0.95]]))


def test_the_expected_iou_has_the_gradient_of_the_exact_one():
    torch.manual_seed(0)
    count = 6
    logits = torch.randn(3, 4, count, requires_grad=True)
    boxes = torch.tensor([[0.1, 0.2, 0.8, 0.9], [0.3, 0.0, 0.7, 1.0], [0.0, 0.4, 0.5, 0.8]])
    places = (torch.cartesian_prod(*[torch.arange(count)] * 4) + 0.5) / count
    chances = logits.softmax(-1)
    first, second, third, fourth = chances.unbind(1)
    joint = torch.einsum("ra,rb,rc,rd->rabcd", first, second, third, fourth).flatten(1)
    exact = (joint * iou(places, boxes).T).sum(1)
    _, ious = expected_boxes(chances, boxes)
    with torch.no_grad():
        _, plain = expected_boxes(chances, boxes)
    assert torch.equal(ious, plain)
    assert torch.allclose(ious, exact, atol=0.01)
    (right,) = torch.autograd.grad(exact.sum(), logits, retain_graph=True)
    (ours,) = torch.autograd.grad(ious.sum(), logits)
    assert torch.allclose(ours, right, atol=0.08 * float(right.abs().max()))

import warnings

import numpy as np
import pytest
import torch

from detectors import wrap
from detectors.function import FunctionDetector
from vps import detect, explain
from vps.core.detector import DifferentiableDetector, FeatureDetector, FeatureLayer
from vps.core.targets import Target
from vps.errors import InputError

RED = np.zeros((32, 32, 3), np.uint8)
RED[8:24, 8:24, 0] = 230


def first_channel(image):
    """Finds what is bright in the first channel."""
    return np.array([[8.0, 8, 24, 24]]), np.array([image[8:24, 8:24, 0].mean() / 255])


def last_channel(image):
    return first_channel(image[..., ::-1])


def test_a_function_made_for_the_other_order_is_doubted_and_mended():
    with pytest.warns(UserWarning, match="red and blue exchanged.*0.90 and not 0.00.*'bgr'"):
        assert not detect(wrap(last_channel, labels=["a"], boxes="xyxy"), RED)
    mended = wrap(last_channel, labels=["a"], boxes="xyxy", channels="bgr")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (found,) = detect(mended, RED)
    assert found.score == pytest.approx(230 / 255)
    assert mended.name == "last_channel (bgr)"
    assert explain(mended, RED, found, regions=4, region_method="grid").insertion[-1] > 0.8


@pytest.mark.parametrize("channels", [None, "rgb"])
def test_the_right_order_is_not_doubted(channels):
    detector = wrap(first_channel, labels=["a"], boxes="xyxy", channels=channels)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(detect(detector, RED)) == 1
        grey = np.broadcast_to(RED[..., :1], RED.shape).copy()
        assert len(detect(wrap(last_channel, labels=["a"], boxes="xyxy"), grey)) == 1


def test_the_doubt_takes_one_pass_at_the_first_image_alone():
    seen = []

    def counted(image):
        seen.append(image)
        return first_channel(image)

    detector = wrap(counted, labels=["a"], boxes="xyxy")
    batch = torch.stack([detector.prepare(RED)] * 3)
    for expected in (4, 3, 3):
        detector.detect(batch, (32, 32))
        assert len(seen) == expected
        seen.clear()


def test_orders_that_do_not_exist():
    with pytest.raises(InputError, match="order of channels 'grb'"):
        wrap(first_channel, labels=["a"], channels="grb")


class Feature(FunctionDetector):
    """The mean of the first channel's features."""

    def __init__(self):
        self.model = torch.nn.Conv2d(3, 1, 4, stride=4, bias=False)
        with torch.no_grad():
            self.model.weight.zero_()[:, 0] = 1 / 16

        def answer(pixels):
            score = self.model(pixels).mean((1, 2, 3))[:, None, None]
            return pixels.new_tensor([8.0, 8, 24, 24]).expand(len(pixels), 1, 4), score

        super().__init__(answer, ("a",))

    def feature_layers(self):
        return {"neck.0": FeatureLayer(self.model)}


def test_gradients_are_those_of_the_order_that_is_shown():
    target = Target((8.0, 8.0, 24.0, 24.0), "a")
    swapped = wrap(Feature(), channels="bgr")
    assert isinstance(swapped, FeatureDetector)
    assert list(swapped.feature_layers()) == ["neck.0"]
    pixels = torch.rand(1, 3, 32, 32, requires_grad=True)
    score = swapped.scores(pixels, (32, 32), [target])
    assert float(score) == pytest.approx(float(pixels[:, 2].mean()))
    (gradient,) = torch.autograd.grad(score.sum(), pixels)
    assert torch.allclose(gradient[:, 2], torch.tensor(1 / 1024))
    assert not gradient[:, :2].any()


def test_what_gives_no_gradients_gives_none_in_another_order():
    swapped = wrap(first_channel, labels=["a"], boxes="xyxy", channels="bgr")
    assert not isinstance(swapped, DifferentiableDetector)
    assert not hasattr(swapped, "scores")


@pytest.mark.parametrize("form", ["parts", "mappings", "rows"])
def test_tensors_of_a_function_that_takes_a_batch_keep_their_gradients(form):
    def detect_all(batch):
        scores = batch[:, 0].mean((1, 2))
        boxes = batch.new_tensor([[8.0, 8, 24, 24]]) + scores[:, None, None]
        if form == "parts":
            return boxes, scores[:, None]
        if form == "rows":
            return [
                torch.cat([box[0], score[None]])[None]
                for box, score in zip(boxes, scores, strict=True)
            ]
        return [
            {"boxes": box, "scores": score[None]} for box, score in zip(boxes, scores, strict=True)
        ]

    detector = wrap(detect_all, labels=["a"], takes="batch", boxes="xyxy", channels="rgb")
    assert isinstance(detector, DifferentiableDetector)
    pixels = torch.rand(2, 3, 32, 32, requires_grad=True)
    found = detector.detect(pixels, (64, 32))
    (of_box,) = torch.autograd.grad(found.boxes[:, 0, 3].sum(), pixels, retain_graph=True)
    (of_score,) = torch.autograd.grad(found.scores.sum(), pixels)
    assert torch.allclose(of_box[:, 0], torch.tensor(2 / 1024))
    assert torch.allclose(of_score[:, 0], torch.tensor(1 / 1024))
    assert not detector.detect(pixels.detach(), (64, 32)).scores.requires_grad

import warnings

import numpy as np
import pytest
import torch

from detectors import wrap
from vps import detect, explain
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

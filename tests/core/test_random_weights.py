"""Weights made random, and put back."""

import pytest
import torch
from torch import nn

from tests.helpers.contract import snapshot
from tests.helpers.small_cnn import SmallCNN
from vps.core.random_weights import randomised, torch_model
from vps.errors import InputError


def weights(detector):
    return {name: value.clone() for name, value in detector.model.state_dict().items()}


def changed(before, after):
    return {name for name in before if not torch.equal(before[name], after[name])}


def test_layers_change_from_the_output_down_and_are_put_back():
    detector = SmallCNN()
    before, state = weights(detector), snapshot(detector.model)
    for share, layers in ((0.3, {"5"}), (0.6, {"5", "2"}), (1.0, {"5", "2", "0"})):
        with randomised(detector, share, seed=0) as other:
            assert other is detector
            now = weights(detector)
        assert {name.split(".")[0] for name in changed(before, now)} == layers
        for name in before:
            assert torch.equal(before[name].flatten().sort()[0], now[name].flatten().sort()[0])
        assert not changed(before, weights(detector))
    assert snapshot(detector.model) == state


def test_the_seed_decides():
    detector, found = SmallCNN(), []
    for seed in (0, 0, 1):
        with randomised(detector, 1.0, seed):
            found.append(weights(detector))
    assert not changed(found[0], found[1])
    assert changed(found[0], found[2])


def test_weights_are_put_back_after_an_exception():
    detector = SmallCNN()
    before = weights(detector)
    with pytest.raises(RuntimeError), randomised(detector, 1.0, 0):
        raise RuntimeError
    assert not changed(before, weights(detector))


def test_weights_that_two_layers_share_are_shuffled_once():
    detector = SmallCNN()
    tied = nn.Linear(4, 4)
    detector.model = nn.Sequential(tied, nn.ReLU(), tied)
    before = weights(detector)
    with randomised(detector, 1.0, 0):
        pass
    assert not changed(before, weights(detector))


def test_detectors_without_a_module():
    class Elsewhere:
        name, model = "elsewhere", "a path"

    for detector in (Elsewhere(),):
        with pytest.raises(InputError, match="elsewhere has no torch module"):
            torch_model(detector)

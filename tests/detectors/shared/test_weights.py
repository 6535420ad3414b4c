import argparse
import pickle

import pytest
import torch

from detectors.shared.weights import read_state_dict
from vps.errors import InputError

STATE = {"layer.weight": torch.arange(6.0).reshape(2, 3), "layer.bias": torch.ones(2)}


def check(state):
    assert list(state) == list(STATE)
    assert all(torch.equal(state[name], STATE[name]) for name in STATE)


@pytest.mark.parametrize(
    "content",
    [
        STATE,
        {"model": STATE, "epoch": 3},
        {"state_dict": STATE},
        {"model": {f"module.{name}": value for name, value in STATE.items()}},
    ],
)
def test_weights_alone_wrapped_and_of_data_parallel(content, tmp_path):
    torch.save(content, tmp_path / "a.pth")
    check(read_state_dict(tmp_path / "a.pth"))


def test_safetensors(tmp_path):
    save_file = pytest.importorskip("safetensors.torch").save_file
    save_file(STATE, tmp_path / "a.safetensors")
    state = read_state_dict(tmp_path / "a.safetensors")
    check({name: state[name] for name in STATE})
    (tmp_path / "b.safetensors").write_bytes((tmp_path / "a.safetensors").read_bytes()[:50])
    with pytest.raises(InputError, match="b.safetensors cannot be read"):
        read_state_dict(tmp_path / "b.safetensors")


@pytest.mark.parametrize("content", [[torch.ones(2)], {"epoch": 3}, {"model": [1, 2]}, {"a": "b"}])
def test_what_is_no_state_dict(content, tmp_path):
    torch.save(content, tmp_path / "a.pth")
    with pytest.raises(InputError, match="a.pth hold no state dict"):
        read_state_dict(tmp_path / "a.pth")


class Trap:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.mark.parametrize("wrap", [lambda trap: trap, lambda trap: {"model": STATE, "args": trap}])
def test_nothing_in_a_file_is_run(wrap, tmp_path):
    torch.save(wrap(Trap(tmp_path / "ran")), tmp_path / "a.pth")
    (tmp_path / "b.pth").write_bytes(pickle.dumps(wrap(Trap(tmp_path / "ran")), protocol=2))
    torch.save({"model": STATE, "args": argparse.Namespace(lr=1)}, tmp_path / "c.pth")
    for name in "abc":
        with pytest.raises(InputError, match="hold more than weights, which could run code"):
            read_state_dict(tmp_path / f"{name}.pth")
    assert not (tmp_path / "ran").exists()


def test_a_missing_file(tmp_path):
    with pytest.raises(InputError, match="no weights .*a.pth; give their file"):
        read_state_dict(tmp_path / "a.pth")

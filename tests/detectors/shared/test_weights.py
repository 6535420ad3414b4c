import pickle
from argparse import Namespace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

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
        # torchvision's references/detection/train.py
        {
            "model": STATE,
            "optimizer": {},
            "lr_scheduler": {},
            "args": Namespace(lr=0.1),
            "epoch": 1,
        },
        {"model_state_dict": STATE, "optimizer_state_dict": {"state": {}}},
        {"model": {f"_orig_mod.{name}": value for name, value in STATE.items()}},
        {"net": {f"_orig_mod.module.{name}": value for name, value in STATE.items()}},
        {"ema": {"module": STATE, "updates": 7}, "hyper_parameters": {"out": Path("a")}},
        {"n_averaged": torch.tensor(3), **{f"module.{k}": value for k, value in STATE.items()}},
        # Lightning, with a loss that has weights of its own
        {
            "state_dict": {**{f"model.{k}": v for k, v in STATE.items()}, "loss.w": torch.ones(1)},
            "hyper_parameters": {"args": SimpleNamespace(lr=0.1)},
            "pytorch-lightning_version": "2.1",
        },
    ],
)
def test_weights_alone_wrapped_and_of_data_parallel(content, tmp_path):
    torch.save(content, tmp_path / "a.pth")
    check(read_state_dict(tmp_path / "a.pth", ["layer.weight", "layer.bias"]))


def test_layers_that_were_compiled_by_themselves(tmp_path):
    torch.save({"layer._orig_mod.weight": torch.ones(1)}, tmp_path / "a.pth")
    assert list(read_state_dict(tmp_path / "a.pth")) == ["layer.weight"]


def test_a_moving_average_is_taken_and_said(tmp_path):
    later = {name: value + 1 for name, value in STATE.items()}
    torch.save({"model": later, "ema": {"module": STATE}}, tmp_path / "a.pth")
    together = {f"model.{k}": v for k, v in later.items()}
    together |= {f"ema_model.{k}": v for k, v in STATE.items()}
    torch.save({"state_dict": together}, tmp_path / "b.pth")
    for name in "ab":
        with pytest.warns(UserWarning, match="moving average.* is taken"):
            check(read_state_dict(tmp_path / f"{name}.pth", list(STATE)))


def test_two_models_in_a_file_are_not_guessed_among(tmp_path):
    both = {f"{who}.{k}": v for who in ("teacher", "student") for k, v in STATE.items()}
    torch.save(both, tmp_path / "a.pth")
    with pytest.raises(InputError, match="several models, 'teacher.', 'student.'"):
        read_state_dict(tmp_path / "a.pth", list(STATE))


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
    torch.save({"model": STATE, "args": [Path("a"), Fraction(1, 2)]}, tmp_path / "c.pth")
    for name in "abc":
        with pytest.raises(InputError, match="hold more than weights, which could run code"):
            read_state_dict(tmp_path / f"{name}.pth")
    assert not (tmp_path / "ran").exists()


def test_what_a_file_may_not_hold_is_named_in_full(tmp_path):
    torch.save({"model": STATE, "args": Fraction(1, 2)}, tmp_path / "a.pth")
    with pytest.raises(InputError) as caught:
        read_state_dict(tmp_path / "a.pth")
    assert "(of fractions.Fraction)" in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_a_missing_file(tmp_path):
    torch.save(STATE, tmp_path / "fasterrcnn.pth")
    for name, message in {
        "a.pth": "no weights .*a.pth; give their file",
        "fastrcnn.pth": "did you mean .*fasterrcnn.pth",
        "": "are a folder",
    }.items():
        with pytest.raises(InputError, match=message):
            read_state_dict(tmp_path / name)
    with pytest.raises(InputError, match="an address on the web"):
        read_state_dict(Path("https://example.org/a.pth"))


@pytest.mark.parametrize("name", ["a.pth", "a.safetensors"])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
            "LFS pointer.*pull",
        ),
        (b"\n<!DOCTYPE HTML><title>Sign in</title>", "a web page"),
        (b"<html><body>404", "a web page"),
        (b'<?xml version="1.0"?><Error>', "a web page"),
        (b"", "is empty"),
    ],
)
def test_what_was_downloaded_in_place_of_weights_is_named(name, content, message, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_state_dict(tmp_path / name)

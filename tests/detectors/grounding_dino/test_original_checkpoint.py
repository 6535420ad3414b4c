import shutil
from fractions import Fraction

import pytest
import torch

# Neither without the package nor with a version of transformers that it does not run on.
pytest.importorskip("detectors.grounding_dino.original_checkpoint", exc_type=ImportError)

from groundingdino.util.slconfig import SLConfig  # noqa: E402

from detectors.grounding_dino.original_checkpoint import (  # noqa: E402
    _SHIPPED,
    CONFIGS,
    read_original,
    read_original_config,
)
from detectors.shared.weights import read_state_dict  # noqa: E402
from tests.models.tiny_groundingdino import load_checkpoint, write_checkpoint  # noqa: E402
from vps.errors import InputError  # noqa: E402


@pytest.fixture(scope="module")
def intact(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    write_checkpoint(folder)
    return folder


@pytest.fixture
def folder(intact, tmp_path):
    return shutil.copytree(intact, tmp_path / "model")


def change(folder, **weights):
    """Replace weights of the checkpoint; None takes one away."""
    state = torch.load(folder / "model.pth", weights_only=True)["model"]
    for name, value in weights.items():
        state[f"module.{name}"] = value
    state = {name: value for name, value in state.items() if value is not None}
    torch.save({"model": state}, folder / "model.pth")


@pytest.mark.parametrize("name", CONFIGS.values())
def test_shipped_configs_are_read_as_the_package_reads_them(name):
    assert (
        read_original_config(_SHIPPED / name) == SLConfig.fromfile(str(_SHIPPED / name))._cfg_dict
    )


def test_a_state_dict_alone_is_a_checkpoint(folder):
    state = torch.load(folder / "model.pth", weights_only=True)["model"]
    torch.save(state, folder / "model.pth")
    assert "bbox_embed.0.layers.0.weight" in read_state_dict(folder / "model.pth")
    load_checkpoint(folder)


def test_what_is_loaded_is_ready(intact):
    model = load_checkpoint(intact).checkpoint.model
    assert not any(module.training for module in model.modules())
    assert not any(parameter.requires_grad for parameter in model.parameters())
    saved = read_state_dict(intact / "model.pth")["feat_map.weight"]
    assert torch.equal(model.feat_map.weight, saved)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nheads = 8\nimport os", "line 2: expected NAME = VALUE .* got 'import os'"),
        ("trap = open('{trap}', 'w')", "line 1: expected NAME = VALUE"),
        ("a.b = 1", "line 1: expected NAME = VALUE"),
        ("a = b = 1", "line 1: expected NAME = VALUE"),
        ("a = {[]: 1}", "line 1: expected NAME = VALUE"),
        ("nheads = ", "cannot be read"),
        ("\0", "cannot be read"),
        ("nheads = 8", "the backbone must be a Swin"),
        ("backbone = 'resnet50'", "the backbone must be a Swin"),
        ("backbone = 'swin_T_224_1k'", "describes no model: the config has no attribute"),
    ],
)
def test_bad_configs(folder, tmp_path, text, message):
    trap = tmp_path / "trapped"
    (folder / "config.py").write_text(text.replace("{trap}", str(trap)), encoding="utf-8")
    with pytest.raises(InputError, match=f"config .*{message}"):
        load_checkpoint(folder)
    assert not trap.exists()


def test_a_setting_that_the_package_does_not_take(folder):
    with (folder / "config.py").open("a", encoding="utf-8") as file:
        file.write("two_stage_type = 'three'\n")
    with pytest.raises(InputError, match="describes no model: unknown param three"):
        load_checkpoint(folder)


def test_a_missing_config():
    with pytest.raises(InputError, match="nowhere.py cannot be read.*swint, swinb"):
        read_original("nowhere.py", "model.pth")


def test_weights_of_another_model(folder):
    torch.save({"conv1.weight": torch.zeros(4, 3, 7, 7)}, folder / "model.pth")
    with pytest.raises(
        InputError, match="are missing, e.g. transformer.level_embed; 1 are unknown"
    ):
        load_checkpoint(folder)


def test_weights_of_another_config(folder):
    with (folder / "config.py").open("a", encoding="utf-8") as file:
        file.write("dim_feedforward = 64\n")
    message = r"have another shape, e.g. .*linear1.weight of \(32, 256\) instead of \(64, 256\)"
    with pytest.raises(InputError, match=message):
        load_checkpoint(folder)


def test_weights_that_the_config_does_not_have(folder):
    change(folder, **{"transformer.encoder.layers.1.norm1.weight": torch.zeros(256)})
    with pytest.raises(InputError, match="does not fit.* 1 are unknown, e.g. transformer.encoder"):
        load_checkpoint(folder)


def test_incomplete_weights(folder):
    change(folder, **{"feat_map.bias": None})
    with pytest.raises(InputError, match="1 are missing, e.g. feat_map.bias"):
        load_checkpoint(folder)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"model": {}, "args": Fraction(1, 2)}, "hold more than weights"),
        ({"model": [1, 2]}, "hold no state dict"),
        ([torch.zeros(1)], "hold no state dict"),
        ({"epoch": 3}, "hold no state dict"),
    ],
)
def test_files_without_a_state_dict(folder, content, message):
    torch.save(content, folder / "model.pth")
    with pytest.raises(InputError, match=message):
        load_checkpoint(folder)


def test_text_encoders_that_are_none(folder):
    (folder / "bert" / "config.json").write_text('{"model_type": "roberta"}', encoding="utf-8")
    with pytest.raises(InputError, match="type roberta, not bert"):
        load_checkpoint(folder)
    empty = folder / "empty"
    empty.mkdir()
    with pytest.raises(InputError, match="text_encoder=FOLDER"):
        load_checkpoint(folder, text_encoder=str(empty))
    with pytest.raises(InputError, match="no checkpoint folder ./nowhere"):
        load_checkpoint(folder, text_encoder="./nowhere")


@pytest.mark.parametrize(
    ("sides", "message"),
    [
        ((0, 64), "whole numbers"),
        ((64, 48), "whole numbers"),
        ((48.5, 64), "min_size of groundingdino must be a whole number, got 48.5"),
    ],
)
def test_bad_sides(intact, sides, message):
    with pytest.raises(InputError, match=message):
        load_checkpoint(intact, min_size=sides[0], max_size=sides[1])

from types import SimpleNamespace

import pytest
import torch
from torch import nn

pytest.importorskip("transformers")

from detectors.hf.checkpoint import MODEL_TYPES, _fill_buffers, loading  # noqa: E402
from vps.errors import InputError, MissingExtraError  # noqa: E402


def test_every_type_of_model_has_one_kind_of_detector():
    types = [name for names in MODEL_TYPES.values() for name in names]
    assert len(set(types)) == len(types)
    assert {"detr", "rt_detr", "d_fine", "yolos", "table-transformer"} <= set(types)
    assert not [name for name in types if "ocr" in name]


@pytest.mark.parametrize(
    ("raised", "kind", "message"),
    [
        (ValueError("two\n   lines"), InputError, "^checkpoint here cannot be loaded: two lines$"),
        (ZeroDivisionError(), InputError, "cannot be loaded: ZeroDivisionError$"),
        (
            ImportError("\nThis needs\ntimm: `pip`. Please note that ..."),
            MissingExtraError,
            "^checkpoint here: This needs timm: `pip`.$",
        ),
        (ValueError("pass trust_remote_code=True"), InputError, "code of its own, .* never run"),
        (InputError("as it is"), InputError, "^as it is$"),
    ],
)
def test_what_transformers_raises_becomes_one_line_of_ours(raised, kind, message):
    with pytest.raises(kind, match=message), loading("here"):
        raise raised


def test_buffers_that_are_left_empty_are_computed():
    model = nn.Sequential(nn.BatchNorm1d(3), nn.BatchNorm1d(2))
    model.config = "of the model"
    model[1].register_buffer("mask", torch.empty(4, device="meta"), persistent=False)
    fresh = nn.Sequential(nn.BatchNorm1d(3), nn.BatchNorm1d(2))
    fresh[1].register_buffer("mask", torch.arange(4.0), persistent=False)
    model[0].running_mean.fill_(7)
    asked = []
    auto = SimpleNamespace(from_config=lambda config: asked.append(config) or fresh)
    _fill_buffers(model, auto)
    assert asked == ["of the model"]
    assert torch.equal(model[1].mask, torch.arange(4.0))
    assert "1.mask" not in model.state_dict()
    assert float(model[0].running_mean[0]) == 7
    _fill_buffers(model, auto)
    assert len(asked) == 1

"""Weights of the original Grounding DINO under the names that transformers gives them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

from vps.errors import InputError

# What published checkpoints hold beyond the model: an embedding for training with noisy queries,
# and a buffer of older versions of transformers.
NOT_OF_THE_MODEL = ("label_enc.weight", "bert.embeddings.position_ids")

# The pooled text is never used; transformers builds Grounding DINO without it.
_DROPPED = re.compile(r"bert\.pooler\..*")
_SWIN = r"model.backbone.conv_encoder.model."
# How the name of a part begins there and here, and what its own layers are called.
_PARTS: tuple[tuple[str, str, dict[str, str]], ...] = (
    (r"backbone\.0\.patch_embed\.norm\.", rf"{_SWIN}embeddings.norm.", {}),
    (
        r"backbone\.0\.patch_embed\.",
        rf"{_SWIN}embeddings.patch_embeddings.",
        {"proj": "projection"},
    ),
    (
        r"backbone\.0\.layers\.(\d+)\.blocks\.(\d+)\.",
        rf"{_SWIN}encoder.layers.\1.blocks.\2.",
        {
            "norm1": "layernorm_before",
            "norm2": "layernorm_after",
            "attn.proj": "attention.output.dense",
            "attn": "attention.self",
            "mlp.fc1": "intermediate.dense",
            "mlp.fc2": "output.dense",
        },
    ),
    (r"backbone\.0\.layers\.(\d+)\.downsample\.", rf"{_SWIN}encoder.layers.\1.downsample.", {}),
    (
        r"backbone\.0\.",
        rf"{_SWIN}hidden_states_norms.",
        {f"norm{stage}": f"stage{stage + 1}" for stage in range(4)},
    ),
    (r"bert\.", r"model.text_backbone.", {}),
    (r"feat_map\.", r"model.text_projection.", {}),
    (r"input_proj\.", r"model.input_proj_vision.", {}),
    (
        r"transformer\.encoder\.layers\.(\d+)\.",
        r"model.encoder.layers.\1.deformable_layer.",
        {
            "norm1": "self_attn_layer_norm",
            "norm2": "final_layer_norm",
            "linear1": "fc1",
            "linear2": "fc2",
        },
    ),
    (
        r"transformer\.encoder\.text_layers\.(\d+)\.",
        r"model.encoder.layers.\1.text_enhancer_layer.",
        {
            "norm1": "layer_norm_before",
            "norm2": "layer_norm_after",
            "linear1": "fc1",
            "linear2": "fc2",
        },
    ),
    (
        r"transformer\.encoder\.fusion_layers\.(\d+)\.",
        r"model.encoder.layers.\1.fusion_layer.",
        {
            "gamma_v": "vision_param",
            "gamma_l": "text_param",
            "layer_norm_v": "layer_norm_vision",
            "layer_norm_l": "layer_norm_text",
            "attn.v_proj": "attn.vision_proj",
            "attn.l_proj": "attn.text_proj",
            "attn.values_v_proj": "attn.values_vision_proj",
            "attn.values_l_proj": "attn.values_text_proj",
            "attn.out_v_proj": "attn.out_vision_proj",
            "attn.out_l_proj": "attn.out_text_proj",
        },
    ),
    (
        r"transformer\.decoder\.layers\.(\d+)\.",
        r"model.decoder.layers.\1.",
        {
            "norm1": "encoder_attn_layer_norm",
            "norm2": "self_attn_layer_norm",
            "norm3": "final_layer_norm",
            "catext_norm": "encoder_attn_text_layer_norm",
            "cross_attn": "encoder_attn",
            "ca_text": "encoder_attn_text",
            "linear1": "fc1",
            "linear2": "fc2",
        },
    ),
    (
        r"transformer\.decoder\.",
        r"model.decoder.",
        {"norm": "layer_norm", "ref_point_head": "reference_points_head"},
    ),
    (
        r"transformer\.",
        r"model.",
        {
            "tgt_embed": "query_position_embeddings",
            "enc_out_bbox_embed": "encoder_output_bbox_embed",
        },
    ),
    (r"bbox_embed\.", r"bbox_embed.", {}),
)
# Query, key and value in one matrix: Swin's, and that of torch's attention.
_PACKED = re.compile(r"(.*\.)(?:qkv\.|in_proj_)(weight|bias)")


def convert_state_dict(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same weights for `GroundingDinoForObjectDetection` of transformers.

    Its configuration must describe the same model: for the two published checkpoints those of
    IDEA-Research/grounding-dino-tiny (SwinT) and -base (SwinB) do.

    Both then give the same boxes and scores, but for one thing: before a box is refined, the
    original limits its coordinates (cxcywh in [0, 1]) to 0.001 ... 0.999, and transformers to
    0.00001 ... 0.99999. Boxes that are thinner than a thousandth of the image come out different.

    Args:
        state: the state dict of the original model, without "module." before the names.

    Returns:
        A state dict that loads strictly; tensors are shared with `state` except those that had to
        be split.

    Raises:
        InputError: a name that the original model does not have.
    """
    converted = {}
    for name, value in state.items():
        if name in NOT_OF_THE_MODEL or _DROPPED.fullmatch(name):
            continue
        new = _rename(name)
        packed = _PACKED.fullmatch(new)
        if packed:
            place, kind = packed.groups()
            for part, third in zip(("query", "key", "value"), value.chunk(3), strict=True):
                converted[f"{place}{part}.{kind}"] = third.clone()
        else:
            converted[new] = value
    return converted


def _rename(name: str) -> str:
    for pattern, beginning, layers in _PARTS:
        match = re.match(pattern, name)
        if match:
            rest = name[match.end() :]
            for old, new in layers.items():
                if rest == old or rest.startswith(f"{old}."):
                    rest = new + rest[len(old) :]
                    break
            return match.expand(beginning) + rest
    raise InputError(f"{name} is no weight of the original Grounding DINO")

"""Configurations of tiny closed-set detectors of transformers, a family each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from tests.models.zoo import Reduction

# One name twice, and one that nobody gave.
ID2LABEL = {0: "cat", 1: "dog", 2: "cat", 3: "LABEL_3"}
LABELS = ["cat", "dog", "cat (2)", "LABEL_3"]
EDGES = {"shortest_edge": 64, "longest_edge": 96}
# Small: on a plain image proposals tie, but for what its borders change, which here reaches all.
SQUARE = {"height": 64, "width": 64}
TRANSFORMER = {
    "d_model": 32,
    "encoder_layers": 1,
    "decoder_layers": 2,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 32,
    "decoder_ffn_dim": 32,
    "num_queries": 12,
}


def resnet(*stages: str) -> Any:
    import transformers

    return transformers.ResNetConfig(
        embedding_size=8,
        hidden_sizes=[8, 16, 24, 32],
        depths=[1, 1, 1, 1],
        layer_type="basic",
        out_features=list(stages),
    )


def detr_like(family: str, *stages: str, **settings: Any) -> Any:
    """The configuration of a relative of DETR on a ResNet of transformers' own."""
    import transformers

    return getattr(transformers, f"{family}Config")(
        use_timm_backbone=False,
        use_pretrained_backbone=False,
        backbone=None,
        backbone_config=resnet(*(stages or ("stage4",))),
        **{**TRANSFORMER, **settings},
    )


def detr_on_timm() -> Any:
    """As DETR is published: a backbone of timm, and the wish to fetch its weights."""
    import transformers

    return transformers.DetrConfig(
        use_timm_backbone=True, use_pretrained_backbone=True, backbone="resnet10t", **TRANSFORMER
    )


def dab_detr() -> Any:
    settings = {key: value for key, value in TRANSFORMER.items() if key != "d_model"}
    return detr_like("DabDetr", hidden_size=32, **settings)


def rt_detr(family: str, backbone: Any, channels: list[int], **settings: Any) -> Any:
    import transformers

    return getattr(transformers, f"{family}Config")(
        backbone_config=backbone,
        encoder_in_channels=channels,
        feat_strides=[8, 16, 32],
        encoder_hidden_dim=32,
        encoder_layers=1,
        encoder_ffn_dim=32,
        encoder_attention_heads=2,
        d_model=32,
        num_queries=12,
        decoder_in_channels=[32, 32, 32],
        decoder_ffn_dim=32,
        decoder_layers=2,
        decoder_attention_heads=2,
        num_denoising=0,
        **settings,
    )


def rt_detr_resnet() -> Any:
    import transformers

    return transformers.RTDetrResNetConfig(
        embedding_size=8,
        hidden_sizes=[8, 16, 24, 32],
        depths=[1, 1, 1, 1],
        layer_type="basic",
        out_features=["stage2", "stage3", "stage4"],
    )


def hg_net() -> Any:
    import transformers

    return transformers.HGNetV2Config(
        stem_channels=[3, 8, 8],
        stage_in_channels=[8, 16, 24, 32],
        stage_mid_channels=[8, 8, 8, 8],
        stage_out_channels=[16, 24, 32, 40],
        stage_num_blocks=[1, 1, 1, 1],
        stage_numb_of_layers=[1, 1, 1, 1],
        embedding_size=8,
        hidden_sizes=[16, 24, 32, 40],
        depths=[1, 1, 1, 1],
        out_features=["stage2", "stage3", "stage4"],
    )


def yolos() -> Any:
    import transformers

    return transformers.YolosConfig(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        image_size=[64, 96],
        patch_size=16,
        num_detection_tokens=12,
    )


def small_vit(**settings: Any) -> dict[str, Any]:
    return {
        "hidden_size": 32,
        "num_hidden_layers": 4,
        "num_attention_heads": 2,
        "mlp_ratio": 2,
        "image_size": 64,
        "patch_size": 16,
        "out_indices": [2, 4],
        **settings,
    }


def lw_detr(family: str, backbone: Any, **settings: Any) -> Any:
    """LW-DETR, or RF-DETR, which is built on it."""
    import transformers

    return getattr(transformers, f"{family}Config")(
        backbone_config=backbone,
        d_model=32,
        decoder_ffn_dim=32,
        decoder_layers=2,
        decoder_self_attention_heads=2,
        decoder_cross_attention_heads=2,
        num_queries=12,
        group_detr=2,
        **settings,
    )


def lw_detr_vit() -> Any:
    import transformers

    return transformers.LwDetrViTConfig(
        **small_vit(pretrain_image_size=64, window_block_indices=[0, 2], num_windows=4)
    )


def rf_detr_dino() -> Any:
    import transformers

    return transformers.RfDetrDinov2Config(**small_vit(num_windows=2))


def pp_doclayout() -> Any:
    order = {
        "hidden_size": 32,
        "num_attention_heads": 2,
        "intermediate_size": 32,
        "num_hidden_layers": 1,
        "coordinate_size": 6,
        "shape_size": 4,
    }
    return rt_detr(
        "PPDocLayoutV2",
        hg_net(),
        [24, 32, 40],
        reading_order_config=order,
        class_thresholds=[0.5] * len(ID2LABEL),
        class_order=list(ID2LABEL),
    )


class Family(NamedTuple):
    """How a family's checkpoint is made, and how its processor goes from candidates to results."""

    config: Callable[[], Any]
    images: str
    size: dict[str, int]
    reduction: Reduction
    since: int = 4


SOFTMAX = Reduction()
SIGMOID = Reduction(multi_label=True)
AS_MANY_AS_QUERIES = Reduction(multi_label=True, top=12)
LEVELS = ("stage2", "stage3", "stage4")

FAMILIES = {
    "Detr": Family(lambda: detr_like("Detr"), "Detr", EDGES, SOFTMAX),
    "TableTransformer": Family(lambda: detr_like("TableTransformer"), "Detr", EDGES, SOFTMAX),
    "ConditionalDetr": Family(
        lambda: detr_like("ConditionalDetr"), "ConditionalDetr", EDGES, SIGMOID
    ),
    "DabDetr": Family(dab_detr, "ConditionalDetr", EDGES, SIGMOID),
    "DeformableDetr": Family(
        lambda: detr_like("DeformableDetr", *LEVELS, num_feature_levels=3),
        "DeformableDetr",
        EDGES,
        SIGMOID,
    ),
    "RTDetr": Family(
        lambda: rt_detr("RTDetr", rt_detr_resnet(), [16, 24, 32]),
        "RTDetr",
        SQUARE,
        AS_MANY_AS_QUERIES,
    ),
    "RTDetrV2": Family(
        lambda: rt_detr("RTDetrV2", rt_detr_resnet(), [16, 24, 32]),
        "RTDetr",
        SQUARE,
        AS_MANY_AS_QUERIES,
    ),
    "DFine": Family(
        lambda: rt_detr("DFine", hg_net(), [24, 32, 40]), "RTDetr", SQUARE, AS_MANY_AS_QUERIES
    ),
    "Yolos": Family(yolos, "Yolos", EDGES, SOFTMAX),
    "LwDetr": Family(
        lambda: lw_detr("LwDetr", lw_detr_vit(), projector_scale_factors=[1.0]),
        "DeformableDetr",
        SQUARE,
        SIGMOID,
        since=5,
    ),
    "RfDetr": Family(
        lambda: lw_detr("RfDetr", rf_detr_dino()), "RfDetr", SQUARE, AS_MANY_AS_QUERIES, since=5
    ),
    "Deimv2": Family(
        lambda: rt_detr("Deimv2", hg_net(), [24, 32, 40]),
        "RTDetr",
        SQUARE,
        AS_MANY_AS_QUERIES,
        since=5,
    ),
    "PPDocLayoutV2": Family(pp_doclayout, "PPDocLayoutV2", SQUARE, AS_MANY_AS_QUERIES, since=5),
}

"""Models of mmdet's own configs, made tiny, with random weights, as config and checkpoint."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from detectors import load
from tests.helpers.contract import picture
from tests.models.zoo import Case, Own, Reduction
from vps.core.detector import Detector

LABELS = ("cat", "dog", "bird")
CLASSES = {"num_classes": len(LABELS)}
TOP = 20
"""How many detections the small models give."""

RESNET = {"depth": 18, "base_channels": 8}
FPN = {"in_channels": [8, 16, 32, 64], "out_channels": 16}
DENSE = {**CLASSES, "in_channels": 16, "feat_channels": 16, "stacked_convs": 1}
RPN = {"in_channels": 16, "feat_channels": 16}
ROI = {"in_channels": 16, "fc_out_channels": 32, **CLASSES}
TWO_STAGE = {
    "backbone": RESNET,
    "neck": FPN,
    "rpn_head": RPN,
    "roi_head": {"bbox_roi_extractor": {"out_channels": 16}, "bbox_head": ROI},
}


def transformer(dims: int = 32) -> dict[str, Any]:
    """What is other in a DETR; Conditional DETR wants the `dims` of its config."""
    attention = {"embed_dims": dims, "num_heads": 4}
    feed = {"embed_dims": dims, "feedforward_channels": 32}
    layer = {"self_attn_cfg": attention, "ffn_cfg": feed}
    return {
        "num_queries": 12,
        "backbone": RESNET,
        "neck": {"in_channels": [64], "out_channels": dims},
        "encoder": {"num_layers": 1, "layer_cfg": layer},
        "decoder": {"num_layers": 2, "layer_cfg": {**layer, "cross_attn_cfg": attention}},
        "positional_encoding": {"num_feats": dims // 2},
        "bbox_head": {**CLASSES, "embed_dims": dims},
        "test_cfg": {"max_per_img": TOP},
    }


DEFORMABLE = {
    **transformer(),
    "neck": {"in_channels": [16, 32, 64], "out_channels": 32, "norm_cfg": {"num_groups": 4}},
}
WIDTHS = {"deepen_factor": 0.167, "widen_factor": 0.125}
PYRAMID = {"in_channels": [32, 64, 128], "out_channels": 32, "num_csp_blocks": 1}
DARKNET = {
    "backbone": WIDTHS,
    "neck": PYRAMID,
    "bbox_head": {**CLASSES, "in_channels": 32, "feat_channels": 32},
}
# Few proposals, whose scores, and so their order, are clear.
RPN_TEST = {"nms": {"iou_threshold": 0.3}}
# Distances that cannot be negative.
RTMDET = {**DARKNET, "bbox_head": {**DARKNET["bbox_head"], "exp_on_reg": True}}
NMS = {"score_thr": 0.0, "nms": {"type": "nms", "iou_threshold": 0.5}, "max_per_img": TOP}
DENSE_TEST = {**NMS, "nms_pre": 100_000}

MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "faster-rcnn": (
        "faster_rcnn/faster-rcnn_r50_fpn_1x_coco",
        {**TWO_STAGE, "test_cfg": {"rpn": RPN_TEST, "rcnn": {**NMS, "score_thr": 0.05}}},
    ),
    "mask-rcnn": (
        "mask_rcnn/mask-rcnn_r50_fpn_1x_coco",
        {
            **TWO_STAGE,
            "roi_head": {
                **TWO_STAGE["roi_head"],
                "mask_roi_extractor": {"out_channels": 16},
                "mask_head": {"in_channels": 16, "conv_out_channels": 16, **CLASSES},
            },
            "test_cfg": {"rpn": RPN_TEST, "rcnn": NMS},
        },
    ),
    "cascade-rcnn": (
        "cascade_rcnn/cascade-rcnn_r50_fpn_1x_coco",
        {
            **TWO_STAGE,
            "roi_head": {
                "bbox_roi_extractor": {"out_channels": 16},
                "bbox_head": {"0": ROI, "1": ROI, "2": ROI},
            },
            "test_cfg": {"rpn": RPN_TEST, "rcnn": NMS},
        },
    ),
    "retinanet": (
        "retinanet/retinanet_r50_fpn_1x_coco",
        {"backbone": RESNET, "neck": FPN, "bbox_head": DENSE, "test_cfg": DENSE_TEST},
    ),
    "ssdlite": (
        "ssd/ssdlite_mobilenetv2-scratch_8xb24-600e_coco",
        {
            "backbone": {"widen_factor": 0.25},
            "neck": {
                "in_channels": [24, 1280],
                "out_channels": [24, 1280, 32, 32],
                "level_strides": [2, 2],
                "level_paddings": [1, 1],
            },
            "bbox_head": {
                **CLASSES,
                "in_channels": [24, 1280, 32, 32],
                "anchor_generator": {
                    "strides": [16, 32, 48, 96],
                    "ratios": [[2, 3]] * 4,
                    "min_sizes": [16, 32, 48, 64],
                    "max_sizes": [32, 48, 64, 96],
                },
            },
            "test_cfg": DENSE_TEST,
        },
    ),
    "yolov3": (
        "yolo/yolov3_mobilenetv2_8xb24-320-300e_coco",
        {
            "backbone": {"widen_factor": 0.25},
            "neck": {"in_channels": [80, 24, 8], "out_channels": [16, 16, 16]},
            "bbox_head": {**CLASSES, "in_channels": [16, 16, 16], "out_channels": [16, 16, 16]},
            "test_cfg": {**DENSE_TEST, "conf_thr": 0.0},
        },
    ),
    # Normalised as BGR.
    "fcos": (
        "fcos/fcos_r50-caffe_fpn_gn-head_1x_coco",
        {
            "backbone": RESNET,
            "neck": FPN,
            "bbox_head": {**DENSE, "norm_cfg": {"type": "GN", "num_groups": 4}},
            "test_cfg": DENSE_TEST,
        },
    ),
    "rtmdet": ("rtmdet/rtmdet_tiny_8xb32-300e_coco", {**RTMDET, "test_cfg": DENSE_TEST}),
    "rtmdet-ins": (
        "rtmdet/rtmdet-ins_tiny_8xb32-300e_coco",
        {**DARKNET, "test_cfg": {**DENSE_TEST, "mask_thr_binary": 0.5}},
    ),
    "yolox": (
        "yolox/yolox_tiny_8xb8-300e_coco",
        {**DARKNET, "test_cfg": {**NMS, "nms": {"type": "nms", "iou_threshold": 0.5}}},
    ),
    # Softmax over classes and nothing.
    "detr": ("detr/detr_r50_8xb2-150e_coco", {**transformer(), "test_cfg": {"max_per_img": 10}}),
    "conditional-detr": (
        "conditional_detr/conditional-detr_r50_8xb2-50e_coco",
        transformer(256),
    ),
    "deformable-detr": (
        "deformable_detr/deformable-detr-refine_r50_16xb2-50e_coco",
        DEFORMABLE,
    ),
    "dino": ("dino/dino-4scale_r50_8xb2-12e_coco", DEFORMABLE),
}
"""Name of the config in mmdet, and what is other in its model."""


def settings_of(path: str, changes: dict[str, Any]) -> Any:
    """The config of this name in mmdet with a changed model, and 96 pixels for 320 to 1333."""
    import mmdet
    from mmengine.config import Config

    settings = Config.fromfile(Path(mmdet.__file__).parent / ".mim" / "configs" / f"{path}.py")
    settings.merge_from_dict({"model": changes}, allow_list_keys=True)
    for step in settings.test_dataloader.dataset.pipeline:
        if step.type == "Resize":
            step.scale = (96, 96)
        elif step.type == "Pad" and "size" in step:
            step.size = (96, 96)
    return settings


def build(settings: Any) -> Any:
    """A random model whose scores and boxes differ from place to place.

    Each layer gives numbers of variance 1 on an image (Mishkin and Matas, "All you need is a good
    init", ICLR 2016), so that scores are neither alike nor 1 to the last digit.
    """
    from mmdet.registry import MODELS as registry
    from mmdet.structures import DetDataSample

    torch.manual_seed(0)
    with mmdet_scope():
        model = registry.build(settings.model)
    for name, parameter in model.named_parameters():
        # Only `init_weights` gives it values, and it might fetch a backbone.
        if name.endswith("level_embed"):
            nn.init.normal_(parameter)
    levelled: set[nn.Module] = set()
    handles = []
    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
            handles.append(module.register_forward_hook(partial(_level, levelled)))
    meta = {"img_shape": (96, 96), "ori_shape": (96, 96), "scale_factor": (1.0, 1.0)}
    image = torch.from_numpy(picture((96, 96))).permute(2, 0, 1)
    data = {"inputs": [image], "data_samples": [DetDataSample(metainfo=meta)]}
    model.eval()
    with torch.no_grad():
        model(**model.data_preprocessor(data, False), mode="tensor")
    for handle in handles:
        handle.remove()
    return model


def _level(levelled: set[nn.Module], module: nn.Module, _: Any, output: Tensor) -> Tensor:
    spread = output.std(correction=0)
    # Nothing to tell apart; or a layer used again, on another level, which is only made less.
    if spread < 1e-3 or (module in levelled and spread < 1):
        return output
    levelled.add(module)
    assert isinstance(module.weight, Tensor)
    module.weight.data.div_(spread)
    return output / spread


def write(folder: Path, settings: Any, meta: Mapping[str, Any]) -> None:
    """Write model.pth, and what of the settings a detector needs as config.py."""
    plain = settings.to_dict()
    kept = ("default_scope", "model", "test_dataloader")
    # Its own `dump` formats the text for seconds.
    text = "".join(f"{key} = {plain[key]!r}\n" for key in kept)
    (folder / "config.py").write_text(text, encoding="utf-8")
    torch.save({"state_dict": build(settings).state_dict(), "meta": meta}, folder / "model.pth")


def save(folder: Path, name: str) -> None:
    write(folder, settings_of(*MODELS[name]), {"dataset_meta": {"classes": LABELS}})


def load_model(folder: Path, device: str, **options: Any) -> Detector:
    options = {"weights": folder / "model.pth", "floor": 0, **options}
    return load(f"mmdet:{folder / 'config.py'}", device=device, **options)


def own_detections(folder: Path, image: np.ndarray) -> Own:
    """mmdet's own way from an image to its detections."""
    from mmdet.apis import inference_detector, init_detector

    with mmdet_scope(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = init_detector(str(folder / "config.py"), str(folder / "model.pth"), device="cpu")
        if type(getattr(model, "bbox_head", None)).__name__ == "SSDHead":
            # Without it, its own inference fails: issue 11780 of open-mmlab/mmdetection.
            model.bbox_head.loss_cls = None
        bgr = np.ascontiguousarray(image[..., ::-1])
        found = inference_detector(model, bgr).pred_instances
    return Own(found.bboxes, found.scores, [LABELS[label] for label in found.labels.tolist()])


def mmdet_scope() -> Any:
    """A block in which mmengine finds what mmdet registers, as its tools set it for good."""
    from mmengine.registry import DefaultScope

    return DefaultScope.overwrite_default_scope("mmdet")


REDUCTIONS = {
    "faster-rcnn": Reduction(threshold=0.05, nms_iou=0.5, multi_label=True, top=TOP),
    "yolox": Reduction(nms_iou=0.5),
    "detr": Reduction(top=10),
    "conditional-detr": Reduction(multi_label=True, top=TOP),
    "deformable-detr": Reduction(multi_label=True, top=TOP),
    "dino": Reduction(multi_label=True, top=TOP),
}

CASES = [
    Case(
        f"mmdet {name}",
        save=partial(save, name=name),
        load=load_model,
        needs=("mmdet", "mmcv", "mmengine"),
        weights="model.pth",
        model=lambda detector: detector.model,
        own=own_detections,
        reduction=REDUCTIONS.get(name, Reduction(nms_iou=0.5, multi_label=True, top=TOP)),
        whole=not name.endswith("rcnn"),
        marks=("mmdet",),
    )
    for name in MODELS
]

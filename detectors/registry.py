"""The kinds of detectors, by the names under which `detectors.load` knows them."""

from __future__ import annotations

from dataclasses import dataclass

from detectors.names import unknown_detector


@dataclass(frozen=True)
class DetectorEntry:
    """A kind of detector.

    Attributes:
        loader: "module:function", imported when it is used: each brings a library of its own.
        about: what it runs, in a few words.
        needs: the modules that must be installed.
        extra: the extra of this project that installs them; "" if the core needs no more.
        example: what to write after `vps detect street.jpg --detector`.
        prompted: whether the user says what to look for; others have labels of their own.
        source: what stands behind the colon of a name, "|" between the choices; "" if nothing does.
    """

    loader: str
    about: str
    needs: tuple[str, ...]
    extra: str
    example: str
    prompted: bool = False
    source: str = ""


DETECTORS = {
    "demo-florence-2": DetectorEntry(
        "detectors.florence2.detector:load_demo_florence2",
        "a small Florence-2 for drawn scenes that comes with this package",
        ("transformers", "safetensors"),
        "hf",
        'demo-florence-2 --prompt "circle . wheel ."',
        prompted=True,
    ),
    "demo-grounding-dino": DetectorEntry(
        "detectors.grounding_dino.hf:load_demo_grounding_dino",
        "a small Grounding DINO for drawn scenes that comes with this package",
        ("transformers", "safetensors"),
        "hf",
        'demo-grounding-dino --prompt "circle . wheel ."',
        prompted=True,
    ),
    "groundingdino": DetectorEntry(
        "detectors.grounding_dino.original:load_original",
        "Grounding DINO of its authors' package (SwinT, SwinB): config and checkpoint",
        ("groundingdino", "transformers", "safetensors"),
        "groundingdino",
        'groundingdino:swint --option weights=groundingdino_swint_ogc.pth --prompt "dog . cat ."',
        prompted=True,
        source="swint|swinb|CONFIG.py",
    ),
    "hf-closed-set": DetectorEntry(
        "detectors.hf.closed_set:load_closed_set",
        "DETR, Deformable DETR, RT-DETR, D-FINE, YOLOS ... of transformers",
        ("transformers", "safetensors"),
        "hf",
        "hf-closed-set:PekingU/rtdetr_r50vd",
        source="CHECKPOINT|FOLDER",
    ),
    "hf-florence-2": DetectorEntry(
        "detectors.florence2.detector:load_florence2",
        "Florence-2 of transformers: open vocabulary, phrase grounding, object detection",
        ("transformers", "safetensors"),
        "hf",
        "hf-florence-2:florence-community/Florence-2-base --option scoring=likelihood "
        '--prompt "dog . cat ."',
        prompted=True,
        source="CHECKPOINT|FOLDER",
    ),
    "hf-grounding-dino": DetectorEntry(
        "detectors.grounding_dino.hf:load_grounding_dino",
        "Grounding DINO and MM-Grounding-DINO of transformers",
        ("transformers", "safetensors"),
        "hf",
        'hf-grounding-dino:IDEA-Research/grounding-dino-tiny --prompt "dog . cat ."',
        prompted=True,
        source="CHECKPOINT|FOLDER",
    ),
    "hf-zero-shot": DetectorEntry(
        "detectors.hf.zero_shot:load_zero_shot",
        "OWL-ViT, OWLv2 and OmDet-Turbo of transformers",
        ("transformers", "safetensors"),
        "hf",
        'hf-zero-shot:google/owlv2-base-patch16-ensemble --prompt "dog . cat ."',
        prompted=True,
        source="CHECKPOINT|FOLDER",
    ),
    "mmdet": DetectorEntry(
        "detectors.mmdet3.detector:load_mmdet",
        "any config and checkpoint of mmdet 3: R-CNN, RetinaNet, FCOS, RTMDet, DETR, DINO ...",
        ("mmdet", "mmcv", "mmengine"),
        "mmdet",
        "mmdet:rtmdet_tiny_8xb32-300e_coco.py --option weights=rtmdet_tiny.pth",
        source="CONFIG.py",
    ),
    "onnx": DetectorEntry(
        "detectors.onnx_files.loading:load_onnx",
        "ONNX files of YOLOs, RT-DETR, NanoDet, torchvision ... alone, or with a YAML description",
        ("onnxruntime", "onnx", "yaml"),
        "onnx",
        "onnx:model.onnx",
        source="FILE.onnx|FILE.yaml|FOLDER",
    ),
    "torchvision": DetectorEntry(
        "detectors.torchvision_models.detector:load_torchvision",
        "Faster, Mask and Keypoint R-CNN, RetinaNet, FCOS, SSD and SSDlite of torchvision",
        ("torchvision",),
        "",
        "torchvision:fasterrcnn_resnet50_fpn_v2",
        source="MODEL|MODULE:FUNCTION",
    ),
    "ultralytics": DetectorEntry(
        "detectors.ultralytics_models.detector:load_ultralytics",
        "models of Ultralytics (AGPL-3.0): YOLO of all versions, RT-DETR; weights as a state dict",
        ("ultralytics",),
        "ultralytics",
        "ultralytics:yolo11n.yaml --option weights=yolo11n.safetensors",
        source="MODEL.yaml",
    ),
}


def find_entry(name: str) -> DetectorEntry:
    """The entry of a detector's kind; `name` is as for `detectors.load`.

    Raises:
        InputError: there is no such kind.
    """
    kind = name.partition(":")[0]
    if kind not in DETECTORS:
        raise unknown_detector(name, dict(DETECTORS))
    return DETECTORS[kind]

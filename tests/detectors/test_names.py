import json

import pytest

from detectors import load
from vps.errors import InputError


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("yolov8n.pt", r"checkpoint of PyTorch.*yolo export model=yolov8n.pt.*onnx:yolov8n.onnx"),
        ("runs/best.pth", "torchvision:MODEL --option weights=runs/best.pth"),
        ("model.onnx", "write onnx:model.onnx"),
        ("config.yaml", "write onnx:config.yaml"),
        ("rtmdet_tiny.py", "write mmdet:rtmdet_tiny.py"),
        ("model.safetensors", "give the folder"),
        ("fasterrcnn_resnet50_fpn", "write torchvision:fasterrcnn_resnet50_fpn"),
        ("facebook/detr-resnet-50", "hf-closed-set:facebook/detr-resnet-50 .*hf-grounding-dino"),
        ("https://example.org/model.onnx", "an address on the web.*download"),
        ("https://huggingface.co/facebook/detr-resnet-50", "on the hub, as hf-closed-set:facebook"),
        ("torchvison:fasterrcnn_resnet50_fpn", "did you mean torchvision:"),
        ("groundingdno", "did you mean 'groundingdino'"),
        ("demo-grounding-dyno", "did you mean 'demo-grounding-dino'"),
    ],
)
def test_what_people_write_first_is_answered(name, message):
    with pytest.raises(InputError, match=message):
        load(name)


def test_a_folder_names_the_kind_that_reads_it(tmp_path, monkeypatch):
    pytest.importorskip("transformers")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    for content, message in {
        None: "a folder without the config.json",
        "detr": "write hf-closed-set:mine",
        "owlv2": "write hf-zero-shot:mine",
        "bert": "a model of type 'bert', which no kind",
    }.items():
        if content:
            (tmp_path / "mine" / "config.json").write_text(json.dumps({"model_type": content}))
        with pytest.raises(InputError, match=message):
            load("mine")


def test_checkpoints_of_transformers_that_are_not_there(tmp_path, monkeypatch):
    pytest.importorskip("transformers")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "detr-finetuned").mkdir(parents=True)
    (tmp_path / "a.safetensors").write_bytes(b"")
    for source, message in {
        "runs/detr-finetund": "no checkpoint folder.*did you mean runs/detr-finetuned",
        "a.safetensors": "is a file; give the folder",
        "https://huggingface.co/org/name/tree/main": "hf-closed-set:org/name",
        "https://example.org/a": "an address on the web",
    }.items():
        with pytest.raises(InputError, match=message):
            load(f"hf-closed-set:{source}")


def test_a_pointer_in_a_checkpoint_folder_is_named(tmp_path):
    pytest.importorskip("transformers")
    (tmp_path / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(InputError, match="Git LFS pointer"):
        load(f"hf-closed-set:{tmp_path}")

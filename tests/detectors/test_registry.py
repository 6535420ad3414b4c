import importlib
import sys

import pytest

from detectors import DETECTORS, load
from vps.errors import InputError, MissingExtraError


@pytest.mark.parametrize("entry", DETECTORS.values(), ids=DETECTORS)
def test_every_entry_can_be_imported(entry):
    for needed in entry.needs:
        pytest.importorskip(needed)
    module, function = entry.loader.split(":")
    # A library may be there and unusable: groundingdino-py beside transformers 5.
    adapter = pytest.importorskip(module, exc_type=ImportError)
    assert callable(getattr(adapter, function))


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("onx:a.yaml", {}, "did you mean 'onnx'.*demo-grounding-dino"),
        ("onnx:a.yaml", {"thread": 2}, "unknown option of onnx 'thread', did you mean 'threads'"),
        ("onnx:a.yaml", {"labels": ["a"], "prompt": "a ."}, "not as both"),
        ("onnx:a.yaml", {"labels": ["a"]}, "has the labels of its description"),
        ("onnx:a.yaml", {"device": "cuda"}, "not on cuda in float32"),
        ("onnx:a.yaml", {"dtype": "float16"}, "not on cpu in float16"),
        ("onnx", {}, "needs a description"),
        ("onnx:nowhere.yaml", {}, "nowhere.yaml does not exist"),
        ("onnx:nowhere.onnx", {}, "ONNX model nowhere.onnx does not exist"),
    ],
)
def test_what_cannot_be_loaded(name, settings, message):
    with pytest.raises(InputError, match=message):
        load(name, **settings)


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("hf-grounding-dino", {"labels": ["dog"]}, "needs a checkpoint"),
        ("hf-grounding-dino:./nowhere", {}, "say what"),
        ("hf-grounding-dino:./nowhere", {"labels": ["dog"]}, "no checkpoint folder"),
        ("demo-grounding-dino:./here", {"labels": ["dog"]}, "takes no path"),
    ],
)
def test_what_grounding_dino_cannot_load(name, settings, message):
    pytest.importorskip("transformers")
    with pytest.raises(InputError, match=message):
        load(name, **settings)


def test_prompts_become_labels(tiny_checkpoint):
    found = load(f"hf-grounding-dino:{tiny_checkpoint}", prompt="red circle . Dog .")
    assert found.labels == ("red circle", "Dog")
    assert found.name == f"hf-grounding-dino:{tiny_checkpoint}"


def test_the_demo_says_when_its_weights_are_missing(tmp_path, monkeypatch):
    pytest.importorskip("transformers")
    import detectors.grounding_dino.hf as adapter

    monkeypatch.setattr(adapter, "DEMO_GROUNDING_DINO", tmp_path)
    with pytest.raises(InputError, match="weights are not installed"):
        load("demo-grounding-dino", labels=["dog"])


def test_the_demo_is_found_in_its_folder(tiny_checkpoint, monkeypatch):
    import detectors.grounding_dino.hf as adapter

    monkeypatch.setattr(adapter, "DEMO_GROUNDING_DINO", tiny_checkpoint)
    assert load("demo-grounding-dino", labels=["dog"]).name == "demo-grounding-dino"


def test_a_missing_library_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    monkeypatch.setitem(sys.modules, "transformers.modeling_outputs", None)
    modules = (
        "detectors.grounding_dino.hf",
        "detectors.grounding_dino.hf_checkpoint",
        "detectors.grounding_dino.text_cache",
        "detectors.hf.checkpoint",
    )
    for module in modules:
        package, _, name = module.rpartition(".")
        monkeypatch.delitem(sys.modules, module, raising=False)
        monkeypatch.delattr(importlib.import_module(package), name, raising=False)
    with pytest.raises(MissingExtraError, match=r"pip install 'visual-precision-search\[hf\]'"):
        load("demo-grounding-dino", labels=["dog"])

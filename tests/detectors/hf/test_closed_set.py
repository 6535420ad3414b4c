import contextlib
import importlib
import importlib.util
import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

transformers = pytest.importorskip("transformers")

from detectors import load  # noqa: E402
from detectors.hf.closed_set import label_scores, read_labels  # noqa: E402
from tests.helpers.contract import assert_same_detections, picture, reduce  # noqa: E402
from tests.models.tiny_detr_configs import FAMILIES, LABELS, LEVELS, detr_like, detr_on_timm  # noqa: E402
from tests.models.tiny_hf_closed_set import (  # noqa: E402
    installed_version,
    own_detections,
    pillow_processor,
    write_checkpoint,
)
from vps.errors import DetectorError, InputError, MissingExtraError  # noqa: E402

INSTALLED = [name for name, family in FAMILIES.items() if family.since <= installed_version()]
SIZE = (48, 70)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A family's checkpoint, written once."""
    folders = {}

    def save(family):
        if family not in folders:
            folders[family] = write_checkpoint(tmp_path_factory.mktemp(family), family)
        return folders[family]

    return save


@pytest.fixture
def broken(saved, tmp_path):
    """A copy of a checkpoint that may be damaged."""
    return shutil.copytree(saved("Detr"), tmp_path / "broken")


def change(path, **values):
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def assert_equals_the_library(folder, family, size=SIZE):
    detector = load(f"hf-closed-set:{folder}")
    image = picture(size)
    found = detector.detect(detector.prepare(image)[None], size)
    ours = reduce(found, FAMILIES[family].reduction)
    assert_same_detections(ours, own_detections(folder, image), size, 1e-4)
    return detector


@pytest.mark.parametrize("family", ["Detr", "Yolos", "DeformableDetr", "RTDetr"])
def test_prepare_equals_the_processor(family, saved):
    detector = load(f"hf-closed-set:{saved(family)}")
    processor = pillow_processor(saved(family))
    mean, std = 0.0, 1.0
    if processor.do_normalize:
        mean, std = (
            np.array(values)[:, None, None]
            for values in (processor.image_mean, processor.image_std)
        )
    sizes = np.random.default_rng(0).integers(30, 150, (20, 2)).tolist()
    for height, width in [*sizes, [64, 64], [64, 96], [96, 64], [3, 12], [2, 2]]:
        image = picture((height, width))
        expected = processor(
            Image.fromarray(image), return_tensors="np", input_data_format="channels_last"
        )["pixel_values"][0]
        ours = detector.prepare(image).numpy()
        assert ours.shape == expected.shape
        assert np.abs(ours - (expected * std + mean)).max() < 1e-5


@pytest.mark.parametrize("family", ["Detr", "DeformableDetr", "Yolos"])
def test_padding_to_a_fixed_size_is_masked_as_in_the_library(family, tmp_path):
    padded = {"do_pad": True, "pad_size": {"height": 112, "width": 128}}
    write_checkpoint(tmp_path, family, processor=padded)
    detector = assert_equals_the_library(tmp_path, family)
    assert detector.prepare(picture(SIZE)).shape[1:] < (112, 128)
    with pytest.raises(InputError, match="larger than the 112 x 128"):
        detector.detect(torch.zeros(1, 3, 120, 100), SIZE)


@pytest.mark.parametrize(
    "processor",
    [
        {"do_rescale": False, "image_mean": [123.7, 116.3, 103.5], "image_std": [58.4, 57.1, 57.4]},
        {"rescale_factor": 1 / 127.5},
        {"do_normalize": False},
        {"do_resize": False},
        {"size": {"height": 40, "width": 72}},
    ],
)
def test_what_a_processor_may_be_set_to(processor, tmp_path):
    write_checkpoint(tmp_path, "Detr", processor=processor)
    detector = assert_equals_the_library(tmp_path, "Detr")
    image = picture(SIZE)
    colour = torch.from_numpy(image.reshape(-1, 3).mean(0) / 255).float()
    assert torch.allclose(detector.prepare(image).mean((1, 2)), colour, atol=0.01)


def test_labels_of_a_configuration():
    names = {0: "N/A", 1: "person", 2: " n/a ", 3: "dog", 4: "dog", 5: "LABEL_5", 6: "dog (7)"}
    named = read_labels({**names, 7: "dog"})
    assert named == {
        1: "person",
        3: "dog",
        4: "dog (4)",
        5: "LABEL_5",
        6: "dog (7)",
        7: "dog (7) (7)",
    }
    with pytest.raises(InputError, match="names no labels"):
        read_labels({0: "N/A"})
    assert read_labels({0: 0, 1: 17}) == {0: "0", 1: "17"}
    with pytest.raises(InputError, match="from 1 to 2, .* from 0 to 1: give .* as labels.*mend"):
        read_labels({1: "person", 2: "dog"})


def test_heads():
    logits = torch.randn(2, 5, 4)
    assert torch.equal(label_scores(logits, 4), logits.sigmoid())
    assert torch.equal(label_scores(logits, 3), logits.softmax(-1)[..., :3])
    with pytest.raises(DetectorError, match="4 columns for 7 labels"):
        label_scores(logits, 7)


@pytest.mark.parametrize("family", ["Detr", "DeformableDetr"])
def test_gaps_in_the_ids_are_left_out(family, saved, tmp_path):
    whole = load(f"hf-closed-set:{saved(family)}")
    folder = shutil.copytree(saved(family), tmp_path / "gaps")
    change(folder / "config.json", id2label={"0": "cat", "1": "N/A", "2": "dog", "3": "cow"})
    detector = load(f"hf-closed-set:{folder}")
    assert whole.labels == tuple(LABELS)
    assert detector.labels == ("cat", "dog", "cow")
    pixels = whole.prepare(picture(SIZE))[None]
    expected = whole.detect(pixels, SIZE).scores[..., [0, 2, 3]]
    assert torch.equal(detector.detect(pixels, SIZE).scores, expected)


@pytest.mark.parametrize("family", INSTALLED)
def test_half_precision_on_the_cpu(family, saved):
    half = load(f"hf-closed-set:{saved(family)}", dtype="bfloat16")
    found = half.detect(half.prepare(picture(SIZE))[None], SIZE)
    assert found.scores.dtype == found.boxes.dtype == torch.float32
    assert half.model.dtype == torch.float32


@pytest.mark.skipif(not importlib.util.find_spec("timm"), reason="needs timm")
def test_a_backbone_of_timm_is_made_without_fetching_it(tmp_path, monkeypatch):
    import timm

    created = []
    create_model = timm.create_model

    def watch(*names, pretrained=False, **settings):
        created.append(pretrained)
        return create_model(*names, pretrained=False, **settings)

    for module in ("detr.modeling_detr", "timm_backbone.modeling_timm_backbone"):
        place = importlib.import_module(f"transformers.models.{module}")
        for holder in (place, timm):
            if hasattr(holder, "create_model"):
                monkeypatch.setattr(holder, "create_model", watch)
    write_checkpoint(tmp_path, "Detr", detr_on_timm())
    created.clear()
    load(f"hf-closed-set:{tmp_path}")
    assert created == [False]
    change(tmp_path / "config.json", use_pretrained_backbone=False)
    assert_equals_the_library(tmp_path, "Detr")


@pytest.mark.skipif(bool(importlib.util.find_spec("timm")), reason="timm is installed")
def test_a_backbone_of_timm_names_the_command(broken):
    settings = json.loads((broken / "config.json").read_text())
    for key in ("backbone_config", "backbone", "use_timm_backbone"):
        settings.pop(key, None)
    settings.update(backbone="resnet50", use_timm_backbone=True, use_pretrained_backbone=True)
    (broken / "config.json").write_text(json.dumps(settings))
    with pytest.raises(MissingExtraError, match=r"broken: .*`pip install timm`"):
        load(f"hf-closed-set:{broken}")


def test_deformable_detr_in_two_stages(tmp_path):
    config = detr_like(
        "DeformableDetr",
        *LEVELS,
        num_feature_levels=3,
        two_stage=True,
        with_box_refine=True,
        two_stage_num_proposals=12,
    )
    write_checkpoint(tmp_path, "DeformableDetr", config)
    detector = assert_equals_the_library(tmp_path, "DeformableDetr")
    with pytest.raises(InputError, match="fewer places than its 12 queries"):
        detector.detect(torch.rand(1, 3, 8, 40), SIZE)


def test_an_image_too_narrow_to_be_resized(saved):
    with pytest.raises(InputError, match="cannot resize an image of 2 x 200 pixels"):
        load(f"hf-closed-set:{saved('Yolos')}").prepare(picture((2, 200)))


def test_labels_name_the_classes_in_order_and_no_others(saved, tmp_path):
    folder = write_checkpoint(tmp_path, "Detr")
    names = {number + 1: name for number, name in enumerate(("cat", "dog", "cow", "bird"))}
    change(folder / "config.json", id2label=names)
    with pytest.raises(InputError, match="numbers its 4 labels from 1 to 4"):
        load(f"hf-closed-set:{folder}")
    named = load(f"hf-closed-set:{folder}", prompt="cat . dog . cow . bird .")
    assert named.labels == ("cat", "dog", "cow", "bird")
    with pytest.raises(InputError, match="the 4 classes .*takes no prompt.*1 were given"):
        load(f"hf-closed-set:{saved('Detr')}", labels=["cat"])
    with pytest.raises(InputError, match="hf-closed-set needs a checkpoint"):
        load("hf-closed-set")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"model_type": "bert"}, "type 'bert'; this adapter runs .*detr"),
        ({"model_type": "vit"}, "type 'vit'; this adapter runs .*yolos"),
        ({"model_type": "owlvit"}, "type 'owlvit'; load it as hf-zero-shot"),
        ({"model_type": "grounding-dino"}, "'grounding-dino'; load it as hf-grounding-dino"),
        ({"model_type": "no such model"}, "cannot be loaded"),
        ({"no": "type"}, "cannot be loaded"),
    ],
)
def test_another_model(config, message, broken):
    (broken / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match=message):
        load(f"hf-closed-set:{broken}")


def test_a_configuration_that_is_none(broken):
    (broken / "config.json").write_text("{")
    with pytest.raises(InputError, match="cannot be loaded"):
        load(f"hf-closed-set:{broken}")


@pytest.mark.parametrize("settings", [{"num_queries": 13}, {"decoder_ffn_dim": 48}])
def test_a_configuration_that_does_not_fit_the_weights(settings, broken):
    change(broken / "config.json", **settings)
    with pytest.raises(InputError, match=r"broken.*(size|shape|fit)"):
        load(f"hf-closed-set:{broken}")


def test_a_configuration_of_more_layers(broken):
    change(broken / "config.json", decoder_layers=3)
    with pytest.raises(InputError, match=r"lacks \d+ of the model's weights, e.g. .*layers.2"):
        load(f"hf-closed-set:{broken}")


def test_frozen_statistics_that_are_missing(broken):
    from safetensors.torch import load_file, save_file

    weights = load_file(broken / "model.safetensors")
    name = next(key for key in weights if key.endswith("running_var"))
    del weights[name]
    save_file(weights, broken / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(InputError, match="lacks 1 of the model's weights, e.g. .*running_var"):
        load(f"hf-closed-set:{broken}")


def test_pickled_weights_are_not_read(broken):
    (broken / "model.safetensors").unlink()
    torch.save({"weight": torch.zeros(1)}, broken / "pytorch_model.bin")
    with pytest.raises(InputError, match=r"pickled weights only.*save_pretrained"):
        load(f"hf-closed-set:{broken}")


def test_a_missing_image_processor(broken):
    (broken / "preprocessor_config.json").unlink()
    with pytest.raises(InputError, match="lacks preprocessor_config.json"):
        load(f"hf-closed-set:{broken}")


def test_an_image_processor_that_cuts_images_off(broken):
    change(
        broken / "preprocessor_config.json",
        image_processor_type="OwlViTImageProcessor",
        do_center_crop=True,
        size={"height": 64, "width": 64},
        crop_size={"height": 48, "width": 48},
    )
    with pytest.raises(InputError, match="crops images to their centre"):
        load(f"hf-closed-set:{broken}")


@pytest.fixture
def trap(broken, tmp_path):
    """What code beside a checkpoint would leave behind, were it run."""
    path = tmp_path / "trapped"
    (broken / "own.py").write_text(f"open({str(path)!r}, 'w')\nclass Own: pass\n")
    return path


def test_code_of_a_model_is_not_run(broken, trap):
    own = {"AutoConfig": "own.Own", "AutoModelForObjectDetection": "own.Own"}
    change(broken / "config.json", model_type="own", auto_map=own)
    with pytest.raises(InputError, match="brings code of its own, which is never run"):
        load(f"hf-closed-set:{broken}")
    assert not trap.exists()


def test_code_of_an_image_processor_is_not_run(broken, trap):
    own = {"AutoImageProcessor": "own.Own"}
    change(broken / "preprocessor_config.json", image_processor_type=None, auto_map=own)
    # From version 5 on, the processor for the type of the model takes its place.
    with contextlib.suppress(InputError):
        load(f"hf-closed-set:{broken}")
    assert not trap.exists()

import importlib.util
import json
import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.ops import batched_nms

transformers = pytest.importorskip("transformers")

from detectors import load  # noqa: E402
from detectors.hf.omdet import as_task  # noqa: E402
from detectors.shared.pixels import scale_boxes  # noqa: E402
from tests.helpers.contract import picture  # noqa: E402
from tests.models.tiny_hf_zero_shot import (  # noqa: E402
    LABELS,
    QUERIES,
    SIDE,
    TOKENS,
    load_checkpoint,
    own_output,
    own_processor,
    write_checkpoint,
)
from vps.core.boxes import cxcywh_to_xyxy  # noqa: E402
from vps.core.detector import PromptedDetector  # noqa: E402
from vps.errors import InputError, MissingExtraError  # noqa: E402

SIZE = (48, 64)
OWL = ("owlvit", "owlv2")
FAMILIES = tuple(TOKENS)
# Four of these make a task too long for OmDet-Turbo's 24 tokens.
MANY = ("red hat 12", "dog", "cat 345", "hat 678", "circle 90", "red circle of a cat", "dog 1234")


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A family's checkpoint, written once."""
    folders = {}

    def save(family):
        if family not in folders:
            folders[family] = write_checkpoint(tmp_path_factory.mktemp(family), family)
        return folders[family]

    return save


@pytest.fixture(scope="module")
def loaded(saved):
    """A family's detector, loaded once."""
    detectors = {}

    def get(family):
        if family not in detectors:
            detectors[family] = load_checkpoint(saved(family), "cpu")
        return detectors[family]

    return get


@pytest.fixture
def broken(saved, tmp_path):
    """A copy of a family's checkpoint that may be damaged."""
    return lambda family: shutil.copytree(saved(family), tmp_path / "broken")


def change(path, **values):
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def batch(detector, size=SIZE):
    first = detector.prepare(picture(size))
    return torch.stack([first, first.flip(-1), torch.full_like(first, 0.4)])


@pytest.mark.parametrize("family", FAMILIES)
def test_prepare_equals_the_processor(family, saved, loaded):
    images = own_processor(saved(family), family).image_processor
    white = 1 if images.do_rescale else 255
    mean, std = (
        np.array(values)[:, None, None] for values in (images.image_mean, images.image_std)
    )
    for size in ((SIDE, SIDE), (200, 200), (13, 13), (48, 64), (90, 40), (427, 640), (3, 9)):
        image = picture(size)
        expected = images(
            Image.fromarray(image), return_tensors="np", input_data_format="channels_last"
        )["pixel_values"][0]
        ours = loaded(family).prepare(image).numpy()
        if family == "owlv2":
            longest = max(size)
            rounded = [max(1, round(SIDE * side / longest)) for side in size]
            assert list(ours.shape[1:]) == rounded
            expected = expected[:, : rounded[0], : rounded[1]]
        assert ours.shape == expected.shape
        assert np.abs(ours - (expected * std + mean) / white).max() < 1e-5


@pytest.mark.parametrize("size", [(64, 64), (30, 64), (480, 640), (960, 300), (13, 11)])
def test_the_padding_of_owlv2_is_the_library_s_but_for_a_thin_line(size, saved, loaded):
    detector = loaded("owlv2")
    images = own_processor(saved("owlv2"), "owlv2").image_processor
    image = picture(size)
    expected = images(Image.fromarray(image), return_tensors="pt")["pixel_values"][0]
    inputs, mask = detector.checkpoint.images.inputs(detector.prepare(image)[None])
    assert mask is None
    assert inputs.shape[1:] == expected.shape
    height, width = detector.prepare(image).shape[1:]
    differ = (inputs[0] - expected).abs().amax(0) > 1e-4
    # Half a pixel of the image, or what the smoothing reaches, beyond its end.
    line = 2 + max(1, round(SIDE / max(size) / 2))
    assert not differ[:height, :width].any()
    assert not differ[height + line :].any()
    assert not differ[:, width + line :].any()


@pytest.mark.parametrize("family", OWL)
def test_labels_are_embedded_as_in_the_plain_model(family, saved, loaded):
    image = picture((SIDE, SIDE))
    processor, output = own_output(saved(family), image, family)
    detector = loaded(family)
    found = detector.detect(detector.prepare(image)[None], image.shape[:2])
    assert torch.allclose(detector._question.embedded, output.text_embeds[0], atol=1e-6)
    assert torch.allclose(found.scores[0], output.logits[0].sigmoid(), atol=1e-6)
    (expected,) = processor.post_process_grounded_object_detection(
        output, threshold=0.0, target_sizes=[image.shape[:2]]
    )
    assert torch.allclose(found.boxes[0], expected["boxes"], atol=1e-4)


def test_omdet_turbo_equals_the_plain_pipeline_with_nms(saved, loaded):
    image = picture(SIZE)
    processor, output = own_output(saved("omdet-turbo"), image, "omdet-turbo")
    detector = loaded("omdet-turbo")
    found = detector.detect(detector.prepare(image)[None], SIZE)
    assert torch.allclose(found.scores[0], output.decoder_class_logits[0].sigmoid(), atol=1e-5)
    (expected,) = processor.post_process_grounded_object_detection(
        output, threshold=0.0, nms_threshold=0.1, target_sizes=[SIZE], max_num_det=3 * QUERIES
    )
    rows = torch.arange(QUERIES).repeat_interleave(3)
    labels = torch.arange(3).repeat(QUERIES)
    scores = found.scores[0].flatten()
    # The library clips boxes after NMS, and candidates are what it shows in the end.
    raw = scale_boxes(cxcywh_to_xyxy(output.decoder_coord_logits[0]), (1, 1), SIZE)
    kept = batched_nms(raw[rows], scores, labels, 0.1)
    assert 0 < len(kept) < len(rows)
    assert torch.allclose(scores[kept], expected["scores"], atol=1e-5)
    assert torch.allclose(found.boxes[0][rows[kept]], expected["boxes"], atol=1e-3)


@pytest.mark.parametrize("family", FAMILIES)
def test_text_is_read_once(family, saved):
    detector = load_checkpoint(saved(family), "cpu")
    model = detector.checkpoint.model
    text = model.language_backbone if family == "omdet-turbo" else model.base_model.text_model
    calls = []
    text.register_forward_hook(lambda *_: calls.append(1))
    pixels = batch(detector)
    first = detector.detect(pixels[:1], SIZE)
    assert torch.allclose(detector.detect(pixels, SIZE).scores[0], first.scores[0], atol=1e-5)
    assert not calls
    fresh = detector.with_labels(LABELS)
    assert calls
    assert torch.allclose(fresh.detect(pixels[:1], SIZE).scores, first.scores, atol=1e-6)
    assert fresh.checkpoint is detector.checkpoint


@pytest.mark.parametrize("family", OWL)
def test_labels_of_owl_do_not_know_of_each_other(family, loaded):
    detector = loaded(family)
    pixels = batch(detector)
    whole = detector.detect(pixels, SIZE)
    for column, label in enumerate(LABELS):
        for alone in (detector.with_labels((label,)), detector.narrowed((label,))):
            assert isinstance(alone, PromptedDetector)
            assert alone.labels == (label,)
            found = alone.detect(pixels, SIZE)
            assert torch.allclose(found.scores[..., 0], whole.scores[..., column], atol=1e-6)
            assert torch.equal(found.boxes, whole.boxes)
    assert detector.narrowed(LABELS[::-1]) is detector
    assert detector.narrowed((LABELS[2], LABELS[0])).labels == (LABELS[0], LABELS[2])


def test_long_tasks_of_omdet_turbo_are_split(saved, loaded):
    detector = loaded("omdet-turbo").with_labels(MANY)
    tasks = detector._question.tasks
    assert len(tasks) == 3
    assert [column for task in tasks for column in task.columns] == list(range(len(MANY)))
    tokenizer = detector.checkpoint.tokenizer
    lengths = [len(tokenizer(as_task([MANY[c] for c in t.columns]))["input_ids"]) for t in tasks]
    assert [task.mask.shape[1] for task in tasks] == lengths
    assert max(lengths) <= TOKENS["omdet-turbo"]

    pixels = batch(detector)
    whole = detector.detect(pixels, SIZE)
    assert whole.scores.shape == (3, 3 * QUERIES, len(MANY))
    for number, task in enumerate(tasks):
        rows = slice(number * QUERIES, (number + 1) * QUERIES)
        labels = tuple(MANY[column] for column in task.columns)
        alone = detector.with_labels(labels).detect(pixels, SIZE)
        part = whole.scores[:, rows]
        assert torch.allclose(part[..., list(task.columns)], alone.scores, atol=1e-6)
        assert int((part > 0).any(1).any(0).sum()) == len(labels)
        assert torch.allclose(whole.boxes[:, rows], alone.boxes, atol=1e-4)
        narrow = detector.narrowed((labels[-1],))
        assert narrow.labels == labels
        assert torch.equal(narrow.detect(pixels, SIZE).scores, alone.scores)
    both = detector.narrowed((MANY[-1], MANY[0]))
    columns = [*tasks[0].columns, *tasks[2].columns]
    assert both.labels == tuple(MANY[column] for column in columns)
    expected = torch.cat([whole.scores[:, :QUERIES], whole.scores[:, 2 * QUERIES :]], dim=1)
    assert torch.equal(both.detect(pixels, SIZE).scores, expected[..., columns])
    with pytest.raises(InputError, match="unknown label 'cow'"):
        detector.narrowed(("cow",))


def test_the_image_is_read_once_for_all_tasks(loaded):
    detector = loaded("omdet-turbo").with_labels(MANY)
    calls = []
    handle = detector.checkpoint.model.vision_backbone.register_forward_hook(
        lambda *_: calls.append(1)
    )
    detector.detect(batch(detector), SIZE)
    handle.remove()
    assert len(calls) == 1


def test_templates(saved, loaded):
    folder = saved("owlvit")
    written = load(f"hf-zero-shot:{folder}", labels=["a photo of a dog"], template="{}")
    pixels = batch(written)
    expected = loaded("owlvit").with_labels(("dog",))
    assert torch.equal(expected.detect(pixels, SIZE).scores, written.detect(pixels, SIZE).scores)
    assert written.with_labels(("cat",)).template == "{}"
    other = load(f"hf-zero-shot:{folder}", labels=["dog"], template="red {}").detect(pixels, SIZE)
    assert not torch.allclose(other.scores, written.detect(pixels, SIZE).scores, atol=1e-4)
    for template in ("a photo", "{} and {}", ""):
        with pytest.raises(InputError, match="must have one {}"):
            load(f"hf-zero-shot:{folder}", labels=["dog"], template=template)


@pytest.mark.parametrize("family", FAMILIES)
def test_labels_that_cannot_be_asked_for(family, loaded):
    detector = loaded(family)
    with pytest.raises(InputError, match=r"reads at most \d+; shorten the label"):
        detector.with_labels(("red circle " * 12,))
    with pytest.raises(InputError, match="no labels"):
        detector.with_labels(())
    with pytest.raises(InputError, match="read the same"):
        detector.with_labels(("dog", "Dog"))
    if family == "omdet-turbo":
        with pytest.raises(InputError, match="knows no part of the label in '狗'"):
            detector.with_labels(("狗",))


def test_unknown_words_in_a_template(saved):
    with pytest.raises(InputError, match="knows no part"):
        load(f"hf-zero-shot:{saved('owlvit')}", labels=["狗"], template="{}")


@pytest.mark.parametrize("family", FAMILIES)
def test_threads_with_different_labels_do_not_mix(family, loaded):
    detector = loaded(family)
    pixels = batch(detector)
    others = [detector.with_labels(labels) for labels in (("dog",), ("cat", "hat"), LABELS)]
    expected = [other.detect(pixels, SIZE).scores for other in others]
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda other: other.detect(pixels, SIZE).scores, others * 3))
    for row, scores in enumerate(found):
        assert torch.allclose(scores, expected[row % 3], atol=1e-5)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("family", FAMILIES)
def test_half_precision_on_the_cpu(family, dtype, saved, loaded):
    half = load(f"hf-zero-shot:{saved(family)}", labels=LABELS, dtype=dtype)
    pixels = batch(half)
    found, full = half.detect(pixels, SIZE), loaded(family).detect(pixels, SIZE)
    assert found.scores.dtype == found.boxes.dtype == torch.float32
    assert found.scores.shape == full.scores.shape
    if family in OWL:
        assert (found.scores - full.scores).abs().max() < 0.1


def test_labels_are_needed(saved):
    with pytest.raises(InputError, match="say what"):
        load(f"hf-zero-shot:{saved('owlvit')}")
    with pytest.raises(InputError, match="hf-zero-shot needs a checkpoint"):
        load("hf-zero-shot", labels=["dog"])


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"model_type": "bert"}, "type 'bert'; this adapter runs owlvit, owlv2, omdet-turbo"),
        ({"model_type": "grounding-dino"}, "load it as hf-grounding-dino"),
        ({"model_type": "mm-grounding-dino"}, "load it as hf-grounding-dino"),
        ({"model_type": "detr"}, "load it as hf-closed-set"),
        ({"model_type": "florence2"}, "load it as hf-florence-2"),
    ],
)
def test_another_model(config, message, broken):
    folder = broken("owlvit")
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match=message):
        load(f"hf-zero-shot:{folder}", labels=["dog"])


@pytest.mark.parametrize("family", FAMILIES)
def test_a_missing_tokenizer(family, broken):
    folder = broken(family)
    for name in ("vocab.json", "merges.txt", "tokenizer_config.json"):
        (folder / name).unlink()
    with pytest.raises(InputError, match="broken"):
        load(f"hf-zero-shot:{folder}", labels=["dog"])


def test_a_tokenizer_of_another_model(broken):
    folder = broken("owlvit")
    words = json.loads((folder / "vocab.json").read_text())
    (folder / "vocab.json").write_text(json.dumps({**words, "one</w>": len(words)}))
    with pytest.raises(InputError, match=r"has \d+ tokens, and the model of config.json knows"):
        load(f"hf-zero-shot:{folder}", labels=["dog"])


@pytest.mark.parametrize("family", FAMILIES)
def test_a_missing_image_processor(family, broken):
    folder = broken(family)
    (folder / "preprocessor_config.json").unlink()
    with pytest.raises(InputError, match="lacks preprocessor_config.json"):
        load(f"hf-zero-shot:{folder}", labels=["dog"])


@pytest.mark.parametrize("family", OWL)
def test_an_image_processor_of_another_size(family, broken):
    folder = broken(family)
    change(folder / "preprocessor_config.json", size={"height": 32, "width": 32})
    with pytest.raises(InputError, match="sees 64 x 64 pixels"):
        load(f"hf-zero-shot:{folder}", labels=["dog"])


def test_a_configuration_that_does_not_fit_the_weights(broken):
    folder = broken("owlv2")
    settings = json.loads((folder / "config.json").read_text())
    settings["vision_config"]["intermediate_size"] = 48
    (folder / "config.json").write_text(json.dumps(settings))
    with pytest.raises(InputError, match=r"broken.*(size|shape|fit)"):
        load(f"hf-zero-shot:{folder}", labels=["dog"])


def test_pickled_weights_are_not_read(broken):
    folder = broken("owlvit")
    (folder / "model.safetensors").unlink()
    torch.save({"weight": torch.zeros(1)}, folder / "pytorch_model.bin")
    with pytest.raises(InputError, match="pickled weights only"):
        load(f"hf-zero-shot:{folder}", labels=["dog"])


@pytest.mark.skipif(bool(importlib.util.find_spec("timm")), reason="timm is installed")
def test_a_backbone_of_timm_names_the_command(broken):
    folder = broken("omdet-turbo")
    settings = json.loads((folder / "config.json").read_text())
    for key in ("backbone_config", "backbone", "use_timm_backbone"):
        settings.pop(key, None)
    settings.update(use_timm_backbone=True, backbone="swin_tiny_patch4_window7_224")
    (folder / "config.json").write_text(json.dumps(settings))
    with pytest.raises(MissingExtraError, match=r"broken: .*`pip install timm`"):
        load(f"hf-zero-shot:{folder}", labels=["dog"])

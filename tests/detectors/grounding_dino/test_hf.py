import json
import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from PIL import Image

transformers = pytest.importorskip("transformers")

from detectors import load  # noqa: E402
from detectors.grounding_dino.hf import HFGroundingDino  # noqa: E402
from detectors.grounding_dino.hf_checkpoint import read_grounding_dino  # noqa: E402
from detectors.grounding_dino.text_cache import TextFeatures, reading  # noqa: E402
from detectors.hf.checkpoint import ImageSettings, plain_processor  # noqa: E402
from tests.helpers.contract import picture  # noqa: E402
from tests.models.tiny_grounding_dino import LABELS, MAX_TOKENS  # noqa: E402
from vps.core.detector import PromptedDetector  # noqa: E402
from vps.errors import InputError  # noqa: E402

SIZE = (48, 70)


@pytest.fixture(scope="module")
def detector(tiny_checkpoint):
    return load(f"hf-grounding-dino:{tiny_checkpoint}", labels=LABELS)


@pytest.fixture(scope="module")
def pixels(detector):
    first = detector.prepare(picture(SIZE))
    return torch.stack([first, first.flip(-1), torch.full_like(first, 0.4), first.flip(-2)])


def test_prepare_equals_the_processor(detector, tiny_checkpoint):
    images = plain_processor("GroundingDinoImageProcessor").from_pretrained(tiny_checkpoint)
    mean, std = (
        np.array(values)[:, None, None] for values in (images.image_mean, images.image_std)
    )
    sizes = np.random.default_rng(0).integers(8, 120, (25, 2)).tolist()
    for height, width in [*sizes, [48, 48], [48, 64], [64, 48], [10, 200]]:
        image = picture((height, width))
        expected = images(Image.fromarray(image), return_tensors="np")["pixel_values"][0]
        ours = detector.prepare(image).numpy()
        assert ours.shape == expected.shape
        assert np.abs(ours - (expected * std + mean)).max() < 1e-5


def test_fixed_and_native_sizes():
    settings = ImageSettings({"height": 30, "width": 50}, 2, (0, 0, 0), (1, 1, 1))
    assert settings.grid((100, 100)) == (30, 50)
    assert ImageSettings(None, 2, (0, 0, 0), (1, 1, 1)).grid((17, 19)) == (17, 19)


def test_batches_of_any_size_equal_single_images(detector, pixels):
    single = [detector.detect(image[None], SIZE) for image in pixels]
    for count in (2, 3, 4):
        found = detector.detect(pixels[:count], SIZE)
        for row in range(count):
            assert torch.allclose(found.scores[row], single[row].scores[0], atol=1e-5)
            assert torch.allclose(found.boxes[row], single[row].boxes[0], atol=1e-3)


def test_text_is_read_once_and_the_result_is_the_same(tiny_checkpoint, pixels):
    detector = load(f"hf-grounding-dino:{tiny_checkpoint}", labels=LABELS)
    calls = []
    text = detector.checkpoint.model.model.text_backbone
    text.backbone.register_forward_hook(lambda *_: calls.append(1))
    first = detector.detect(pixels[:1], SIZE)
    again = detector.detect(pixels, SIZE)
    assert len(calls) == 1
    assert torch.allclose(first.scores[0], again.scores[0], atol=1e-5)

    fresh = detector.with_labels(LABELS).detect(pixels, SIZE)
    assert len(calls) == 2
    assert torch.equal(fresh.scores, again.scores)

    asked = detector._asked[0]
    ids = asked.ids.repeat(len(pixels), 1)
    images = detector.checkpoint.images
    mean, std = (torch.tensor(values)[:, None, None] for values in (images.mean, images.std))
    with torch.no_grad():
        output = detector.checkpoint.model(pixel_values=(pixels - mean) / std, input_ids=ids)
    assert len(calls) == 3
    uncached = asked.label_scores(output.logits)
    assert torch.allclose(uncached, again.scores, atol=1e-5)


def test_the_text_cache_is_left_even_after_an_error(detector, pixels):
    with pytest.raises(ZeroDivisionError), reading(TextFeatures(torch.zeros(1, 2, 3))):
        _ = 1 / 0
    expected = detector.detect(pixels[:1], SIZE)
    with pytest.raises(RuntimeError):
        detector._ask(detector._asked[0], torch.zeros(1, 5, 48, 64))
    assert torch.equal(detector.detect(pixels[:1], SIZE).scores, expected.scores)


def test_threads_with_different_labels_do_not_mix(detector, pixels):
    others = [detector.with_labels(labels) for labels in (("dog",), ("cat", "man"), LABELS)]
    expected = [other.detect(pixels, SIZE).scores for other in others]
    fresh = [other.with_labels(other.labels) for other in others] * 4
    with ThreadPoolExecutor(3) as pool:
        scores = list(pool.map(lambda other: other.detect(pixels, SIZE).scores, fresh))
    for row, found in enumerate(scores):
        assert torch.allclose(found, expected[row % 3], atol=1e-5)


def test_labels_keep_their_names_and_share_weights(detector):
    assert detector.labels == LABELS
    other = detector.with_labels(("cat",))
    assert other.labels == ("cat",)
    assert other.checkpoint is detector.checkpoint
    with pytest.raises(InputError, match="no labels"):
        detector.with_labels(())
    with pytest.raises(InputError, match="shorten it"):
        detector.with_labels((" ".join(["red"] * MAX_TOKENS),))


def test_long_prompts_are_split(detector, pixels):
    first = [f"{word} circle {letter}" for word in ("red", "blue") for letter in "abc"][:5]
    second = ["dog hat", "cat hat"]
    both = detector.with_labels((*first, *second)).detect(pixels, SIZE)
    queries = detector.checkpoint.model.config.num_queries
    assert both.scores.shape == (len(pixels), 2 * queries, 7)
    assert (both.scores[:, :queries, 5:] == 0).all()
    assert (both.scores[:, queries:, :5] == 0).all()
    for labels, rows, columns in (
        (first, slice(0, queries), slice(0, 5)),
        (second, slice(queries, None), slice(5, None)),
    ):
        alone = detector.with_labels(tuple(labels)).detect(pixels, SIZE)
        assert torch.allclose(alone.scores, both.scores[:, rows, columns], atol=1e-6)
        assert torch.allclose(alone.boxes, both.boxes[:, rows], atol=1e-4)


def test_narrowed_keeps_the_scores_of_what_is_asked(detector, pixels):
    assert isinstance(detector, PromptedDetector)
    # Packed anew, "cat" would slip into the prompt before it and change its scores.
    long = [f"dog hat red blue circle {letter}" for letter in "abcde"]
    labels = (*long[:2], "man", *long[2:], "cat")
    whole = detector.with_labels(labels)
    assert [len(set(prompt.columns)) - 1 for prompt in whole.prompts] == [3, 3, 1]
    narrow = whole.narrowed(("cat", "man"))
    assert narrow.labels == (*long[:2], "man", "cat")
    assert narrow.prompts[0].token_ids == whole.prompts[0].token_ids
    assert narrow.prompts[1].token_ids == whole.prompts[2].token_ids
    everything, some = whole.detect(pixels, SIZE), narrow.detect(pixels, SIZE)
    queries = detector.checkpoint.model.config.num_queries
    assert torch.equal(some.boxes[:, :queries], everything.boxes[:, :queries])
    assert torch.equal(some.boxes[:, queries:], everything.boxes[:, 2 * queries :])
    for label in ("cat", "man"):
        column, same = whole.labels.index(label), narrow.labels.index(label)
        scores = everything.scores[..., column].sort(1).values[:, -queries:]
        assert torch.equal(some.scores[..., same].sort(1).values[:, -queries:], scores)
    assert narrow.narrowed(narrow.labels) is narrow
    with pytest.raises(InputError, match="unknown label 'horse'"):
        whole.narrowed(("horse",))


def test_channels_change_places_for_the_model_alone(tiny_checkpoint, detector, pixels):
    name = f"hf-grounding-dino:{tiny_checkpoint}"
    turned = load(name, labels=LABELS, channels="bgr")
    assert torch.equal(turned.prepare(picture(SIZE)), pixels[0])
    expected = detector.detect(pixels[:, [2, 1, 0]], SIZE)
    found = turned.detect(pixels, SIZE)
    assert torch.equal(found.scores, expected.scores)
    assert torch.equal(found.boxes, expected.boxes)
    assert (found.scores - detector.detect(pixels, SIZE).scores).abs().max() > 1e-4
    assert turned.name == f"{name} (channels=bgr)"
    for other in (turned.with_labels(LABELS[:1]), turned.with_labels(LABELS).narrowed(LABELS)):
        same = detector.with_labels(other.labels).detect(pixels[:, [2, 1, 0]], SIZE)
        assert torch.equal(other.detect(pixels, SIZE).scores, same.scores)


def test_all_tokens_of_a_caption_score(tiny_checkpoint, detector, pixels):
    name = f"hf-grounding-dino:{tiny_checkpoint}"
    captions = load(name, labels=LABELS, phrase="caption")
    found = captions.detect(pixels, SIZE)
    images, model = detector.checkpoint.images, detector.checkpoint.model
    mean, std = (torch.tensor(values)[:, None, None] for values in (images.mean, images.std))
    for column, label in enumerate(LABELS):
        ids = captions.checkpoint.tokenizer(f"{label.lower()}.", return_tensors="pt")["input_ids"]
        with torch.no_grad():
            output = model((pixels - mean) / std, ids.expand(len(pixels), -1))
        rows = slice(12 * column, 12 * column + 12)
        expected = output.logits.sigmoid().amax(dim=-1)
        assert torch.allclose(found.scores[:, rows, column], expected, atol=1e-6)
        (one,) = captions.narrowed((label,)).detect(pixels[:1], SIZE).scores
        assert torch.allclose(one[:, 0], expected[0], atol=1e-6)
    usual = detector.with_labels(LABELS[:1]).detect(pixels, SIZE).scores[..., 0]
    assert (found.scores[:, :12, 0] >= usual - 1e-6).all()
    assert (found.scores[:, :12, 0] > usual + 1e-4).any()


def test_a_hidden_word_of_a_caption_does_not_score(tiny_checkpoint, pixels):
    captions = load(f"hf-grounding-dino:{tiny_checkpoint}", labels=("red dog",), phrase="caption")
    hidden = captions.with_hidden("red dog", np.array([False, True]))
    (asked,) = hidden._asked
    logits = torch.zeros(1, 1, asked.ids.shape[1])
    logits[..., 1] = 5.0  # [CLS] red dog . [SEP]
    assert captions._asked[0].label_scores(logits) > 0.9
    assert asked.label_scores(logits) == 0.5


@pytest.mark.parametrize(("option", "message"), [("channels", "'bgr'"), ("phrase", "'caption'")])
def test_what_is_no_way_of_asking(tiny_checkpoint, option, message):
    wrong = {option: message[1:-2]}
    with pytest.raises(InputError, match=f"option {option} .*did you mean {message}"):
        load(f"hf-grounding-dino:{tiny_checkpoint}", labels=LABELS, **wrong)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_on_the_cpu(tiny_checkpoint, pixels, dtype):
    half = load(f"hf-grounding-dino:{tiny_checkpoint}", labels=LABELS, dtype=dtype)
    found = half.detect(pixels, SIZE)
    assert found.scores.dtype == found.boxes.dtype == torch.float32
    assert found.scores.shape == (len(pixels), 12, len(LABELS))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_cuda(tiny_checkpoint, detector, pixels, dtype):
    there = load(f"hf-grounding-dino:{tiny_checkpoint}", labels=LABELS, device="cuda", dtype=dtype)
    found = there.detect(pixels.cuda(), SIZE)
    assert found.scores.is_cuda
    assert found.scores.dtype == torch.float32


def test_an_image_too_narrow_for_the_queries(detector):
    with pytest.raises(InputError, match="fewer places"):
        detector.detect(torch.zeros(1, 3, 4, 40), (4, 40))


@pytest.fixture
def broken(tiny_checkpoint, tmp_path):
    return shutil.copytree(tiny_checkpoint, tmp_path / "broken")


def change(path, **values):
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_a_missing_folder():
    with pytest.raises(InputError, match="no checkpoint folder"):
        read_grounding_dino("./nowhere/at/all")


def test_incomplete_weights(broken):
    from safetensors.torch import load_file, save_file

    weights = load_file(broken / "model.safetensors")
    del weights["model.text_projection.weight"]
    save_file(weights, broken / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(InputError, match=r"lacks 1 of .* model.text_projection.weight"):
        read_grounding_dino(str(broken))


def test_another_model(broken):
    (broken / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(InputError, match="type 'bert'"):
        read_grounding_dino(str(broken))


def test_a_tokenizer_with_other_separators(broken):
    words = (broken / "vocab.txt").read_text().split("\n")
    words[1012], words[500] = words[500], words[1012]
    (broken / "vocab.txt").write_text("\n".join(words))
    with pytest.raises(InputError, match="separates the labels"):
        read_grounding_dino(str(broken))


def test_an_unknown_size_rule(broken):
    change(broken / "preprocessor_config.json", size={"max_height": 4, "max_width": 4})
    with pytest.raises(InputError, match="must give height and width"):
        read_grounding_dino(str(broken))


def test_settings_are_checked(tiny_checkpoint):
    with pytest.raises(InputError, match="unknown dtype"):
        read_grounding_dino(str(tiny_checkpoint), dtype="int8")
    if not torch.cuda.is_available():
        with pytest.raises(InputError, match="finds 0 CUDA GPUs"):
            read_grounding_dino(str(tiny_checkpoint), device="cuda")


def test_checkpoints_may_skip_resizing_and_normalising(broken):
    change(broken / "preprocessor_config.json", do_resize=False, do_normalize=False)
    checkpoint = read_grounding_dino(str(broken))
    assert checkpoint.images.size is None
    assert checkpoint.images.mean == (0, 0, 0)
    assert checkpoint.images.std == (1, 1, 1)
    assert HFGroundingDino(checkpoint, ["dog"], name="x").prepare(picture(SIZE)).shape[1:] == SIZE

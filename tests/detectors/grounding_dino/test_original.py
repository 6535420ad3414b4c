import sys

import numpy as np
import pytest
import torch

# Neither without the package nor with a version of transformers that it does not run on.
pytest.importorskip("detectors.grounding_dino.original_checkpoint", exc_type=ImportError)

import groundingdino.datasets.transforms as transforms  # noqa: E402
from PIL import Image  # noqa: E402

from detectors import (
    grounding_dino,
    load,  # noqa: E402
)
from detectors.grounding_dino.original import MEAN, STD, fitted_size  # noqa: E402
from tests.helpers.contract import picture  # noqa: E402
from tests.models.tiny_grounding_dino import MAX_TOKENS  # noqa: E402
from tests.models.tiny_groundingdino import (  # noqa: E402
    LABELS,
    load_checkpoint,
    own_model,
    own_pixels,
    write_checkpoint,
)
from vps.core.detector import PromptedDetector  # noqa: E402
from vps.errors import InputError, MissingExtraError  # noqa: E402

SIZE = (48, 70)
QUERIES = 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    write_checkpoint(folder)
    return folder


@pytest.fixture(scope="module")
def detector(folder):
    return load_checkpoint(folder)


@pytest.fixture(scope="module")
def pixels(detector):
    first = detector.prepare(picture(SIZE))
    return torch.stack([first, first.flip(-1), torch.full_like(first, 0.4), first.flip(-2)])


def test_prepare_equals_the_package(detector):
    mean, std = (torch.tensor(values)[:, None, None] for values in (MEAN, STD))
    sizes = np.random.default_rng(0).integers(8, 120, (25, 2)).tolist()
    for height, width in [*sizes, [48, 48], [48, 64], [64, 48], [10, 200]]:
        image = picture((height, width))
        expected = own_pixels(image) * std + mean
        ours = detector.prepare(image)
        assert ours.shape == expected.shape
        assert (ours - expected).abs().max() < 1e-5


def test_full_sizes_equal_the_package():
    sizes = np.random.default_rng(0).integers(200, 2000, (15, 2)).tolist()
    for height, width in [*sizes, [800, 1000], [480, 640], [801, 1334], [1333, 800], [30, 2000]]:
        blank = Image.new("L", (width, height))
        expected = transforms.resize(blank, None, 800, 1333)[0]
        assert fitted_size((height, width), 800, 1333) == expected.size[::-1]


def test_the_model_is_asked_what_it_would_read_in_the_caption(detector, folder):
    own = own_model(folder)
    asked = ". ".join(label.lower() for label in LABELS) + "."
    assert own.tokenizer([asked])["input_ids"] == detector._asked[0].ids.tolist()


def test_text_is_read_once_and_the_result_is_the_same(folder, pixels):
    detector = load_checkpoint(folder)
    calls = []
    detector.checkpoint.model.bert.backbone.register_forward_hook(lambda *_: calls.append(1))
    first = detector.detect(pixels[:1], SIZE)
    again = detector.detect(pixels, SIZE)
    assert len(calls) == 1
    assert torch.allclose(first.scores[0], again.scores[0], atol=1e-5)
    fresh = detector.with_labels(LABELS).detect(pixels, SIZE)
    assert len(calls) == 2
    assert torch.equal(fresh.scores, again.scores)


def test_labels_keep_their_names_and_share_weights(detector):
    assert isinstance(detector, PromptedDetector)
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
    assert both.scores.shape == (len(pixels), 2 * QUERIES, 7)
    assert (both.scores[:, :QUERIES, 5:] == 0).all()
    assert (both.scores[:, QUERIES:, :5] == 0).all()
    for labels, rows, columns in (
        (first, slice(0, QUERIES), slice(0, 5)),
        (second, slice(QUERIES, None), slice(5, None)),
    ):
        alone = detector.with_labels(tuple(labels)).detect(pixels, SIZE)
        assert torch.allclose(alone.scores, both.scores[:, rows, columns], atol=1e-6)
        assert torch.allclose(alone.boxes, both.boxes[:, rows], atol=1e-4)


def test_narrowed_keeps_the_scores_of_what_is_asked(detector, pixels):
    # Packed anew, "cat" would slip into the prompt before it and change its scores.
    long = [f"dog hat red blue circle {letter}" for letter in "abcde"]
    whole = detector.with_labels((*long[:2], "man", *long[2:], "cat"))
    assert [len(set(prompt.columns)) - 1 for prompt in whole.prompts] == [3, 3, 1]
    narrow = whole.narrowed(("cat", "man"))
    assert narrow.labels == (*long[:2], "man", "cat")
    everything, some = whole.detect(pixels, SIZE), narrow.detect(pixels, SIZE)
    kept = torch.cat([torch.arange(QUERIES), torch.arange(2 * QUERIES, 3 * QUERIES)])
    assert torch.equal(some.boxes, everything.boxes[:, kept])
    columns = [whole.labels.index(label) for label in narrow.labels]
    assert torch.equal(some.scores, everything.scores[:, kept][..., columns])
    assert narrow.narrowed(narrow.labels) is narrow
    with pytest.raises(InputError, match="unknown label 'horse'"):
        whole.narrowed(("horse",))


def test_channels_change_places_for_the_model_alone(folder, detector, pixels):
    turned = load_checkpoint(folder, channels="bgr")
    assert torch.equal(turned.prepare(picture(SIZE)), pixels[0])
    expected = detector.detect(pixels[:, [2, 1, 0]], SIZE)
    assert torch.equal(turned.detect(pixels, SIZE).scores, expected.scores)
    assert not torch.equal(detector.detect(pixels, SIZE).scores, expected.scores)


def test_a_caption_scores_as_in_the_package(folder):
    from groundingdino.util.inference import predict

    image = picture(SIZE)
    captions = load_checkpoint(folder, phrase="caption", channels="bgr")
    found = captions.detect(captions.prepare(image)[None], SIZE)
    model = own_model(folder)
    for column, label in enumerate(LABELS):
        # An image that OpenCV has read, given to the package as it is.
        pixels = own_pixels(np.ascontiguousarray(image[..., ::-1]))
        _, scores, _ = predict(model, pixels, label, 0.0, 0.0, "cpu")
        rows = slice(QUERIES * column, QUERIES * (column + 1))
        assert torch.allclose(found.scores[0, rows, column], scores, atol=1e-5)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_on_the_cpu(folder, detector, pixels, dtype):
    found = load_checkpoint(folder, dtype=dtype).detect(pixels, SIZE)
    assert found.scores.dtype == found.boxes.dtype == torch.float32
    assert found.scores.shape == (len(pixels), QUERIES, len(LABELS))
    assert torch.isfinite(found.boxes).all()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_cuda(folder, pixels, dtype):
    found = load_checkpoint(folder, "cuda", dtype=dtype).detect(pixels.cuda(), SIZE)
    assert found.scores.is_cuda
    assert found.scores.dtype == torch.float32


def test_an_image_too_narrow_for_the_queries(detector):
    with pytest.raises(InputError, match="fewer places than its 12 queries"):
        detector.detect(torch.zeros(1, 3, 4, 40), (4, 40))


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("groundingdino:swint", {}, "say what"),
        ("groundingdino:swint", {"labels": ["dog"]}, "weights=FILE.pth"),
        ("groundingdino", {"labels": ["dog"], "weights": "a.pth"}, "needs a config"),
        ("groundingdino:swint", {"labels": ["a"], "weight": "a.pth"}, "did you mean 'weights'"),
    ],
)
def test_what_cannot_be_loaded(name, settings, message):
    with pytest.raises(InputError, match=message):
        load(name, **settings)


@pytest.fixture
def fresh(monkeypatch):
    """As if the adapter had not been imported yet."""
    for module in ("original", "original_checkpoint"):
        monkeypatch.delitem(sys.modules, f"detectors.grounding_dino.{module}", raising=False)
        monkeypatch.delattr(grounding_dino, module, raising=False)
    return monkeypatch


def test_version_5_of_transformers_is_refused(fresh):
    fresh.setattr("transformers.__version__", "5.1.0")
    with pytest.raises(MissingExtraError, match=r"here is 5\.1\.0.*search\[groundingdino\]'"):
        load("groundingdino:swint", labels=["dog"])


def test_a_missing_package_names_the_extra(fresh):
    fresh.setitem(sys.modules, "groundingdino.models", None)
    with pytest.raises(MissingExtraError, match=r"search\[groundingdino\]'"):
        load("groundingdino:swint", labels=["dog"])

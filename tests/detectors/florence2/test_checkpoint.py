import json
import shutil

import pytest
import torch

transformers = pytest.importorskip("transformers")

from detectors.florence2.checkpoint import read_florence2  # noqa: E402
from tests.models.tiny_florence2 import (  # noqa: E402
    BINS,
    IMAGE_TOKENS,
    POSITIONS,
    SIDE,
    write_checkpoint,
    write_tokenizer,
)
from vps.errors import InputError  # noqa: E402


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_checkpoint(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def copy(folder, tmp_path):
    """A copy of the folder, to be damaged."""
    return shutil.copytree(folder, tmp_path / "model")


def change(path, **settings):
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))


def remove_tokenizer(folder):
    for path in folder.iterdir():
        if path.name not in ("config.json", "generation_config.json", "preprocessor_config.json"):
            path.unlink() if path.suffix != ".safetensors" else None


def test_what_is_read(folder):
    found = read_florence2(str(folder))
    assert found.grid == (SIDE, SIDE)
    assert found.prompt_limit == POSITIONS - IMAGE_TOKENS
    assert found.answer_limit == POSITIONS - 2
    assert len(found.locations) == BINS
    assert found.tokenizer.convert_ids_to_tokens(found.locations[7]) == "<loc_7>"
    assert (found.prefix, found.end, found.ngram) == ((2, 0), 2, 3)
    assert found.silent == {0, 1, 2}
    assert found.silent | set(found.locations) < found.added
    assert not found.model.training


def test_as_many_image_tokens_as_the_model_makes(folder):
    found = read_florence2(str(folder))
    with torch.no_grad():
        features = found.model.get_image_features(torch.zeros(1, 3, SIDE, SIDE))
    features = getattr(features, "pooler_output", features)
    assert features.shape[1] == IMAGE_TOKENS


def test_a_checkpoint_may_let_its_answers_begin_and_repeat_freely(copy):
    change(copy / "generation_config.json", forced_bos_token_id=None, no_repeat_ngram_size=0)
    found = read_florence2(str(copy))
    assert (found.prefix, found.ngram) == ((2,), 0)


def test_half_precision_is_that_of_the_weights(folder):
    found = read_florence2(str(folder), dtype="bfloat16")
    assert found.model.dtype == torch.bfloat16


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            lambda folder: change(folder / "preprocessor_config.json", do_center_crop=True),
            "do_center_crop to false",
        ),
        (lambda folder: change(folder / "config.json", model_type="bart"), "of type 'bart'"),
        (lambda folder: change(folder / "config.json", auto_map={"a": "b"}), "code of its own"),
        (
            lambda folder: change(folder / "config.json", text_config={"d_model": 16}),
            "cannot be|fit",
        ),
        (remove_tokenizer, "cannot be loaded|no location tokens"),
        (lambda folder: (folder / "preprocessor_config.json").unlink(), "cannot be loaded"),
        (
            lambda folder: change(folder / "preprocessor_config.json", size={"shortest_edge": 9}),
            "height and width",
        ),
        (
            lambda folder: change(folder / "preprocessor_config.json", do_resize=False),
            "one height and width",
        ),
    ],
    ids=[
        "crop",
        "other",
        "code",
        "misfit",
        "no tokenizer",
        "no images",
        "shortest edge",
        "no resize",
    ],
)
def test_what_cannot_be_read(copy, damage, message):
    damage(copy)
    with pytest.raises(InputError, match=message) as caught:
        read_florence2(str(copy))
    assert str(copy) in str(caught.value)


@pytest.mark.parametrize(
    ("bins", "message"), [(0, "no location tokens"), (BINS + 50, "model knows only")]
)
def test_the_tokenizer_must_be_that_of_the_model(copy, bins, message):
    remove_tokenizer(copy)
    write_tokenizer(copy, bins)
    with pytest.raises(InputError, match=message):
        read_florence2(str(copy))

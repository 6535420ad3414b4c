import json

import pytest
import torch

# Neither without the package nor with a version of transformers that it does not run on.
pytest.importorskip("detectors.grounding_dino.original_checkpoint", exc_type=ImportError)
transformers = pytest.importorskip("transformers")

from detectors import load  # noqa: E402
from detectors.grounding_dino.original import MEAN, STD  # noqa: E402
from detectors.grounding_dino.original_checkpoint import CONFIGS  # noqa: E402
from detectors.grounding_dino.original_keys import convert_state_dict  # noqa: E402
from tests.helpers.contract import batch_of, picture  # noqa: E402
from tests.models.tiny_grounding_dino import LABELS, write_vocabulary  # noqa: E402
from tests.models.tiny_groundingdino import (  # noqa: E402
    SIDES,
    SMALL,
    SWIN,
    bert_config,
    build_model,
    load_checkpoint,
    own_model,
    shipped_settings,
    write_checkpoint,
)
from vps.core.boxes import cxcywh_to_xyxy  # noqa: E402
from vps.errors import InputError  # noqa: E402

SWINS = {
    "swint": {"embed_dim": 96, "depths": [2, 2, 6, 2], "num_heads": [3, 6, 12, 24]},
    "swinb": {
        "embed_dim": 128,
        "depths": [2, 2, 18, 2],
        "num_heads": [4, 8, 16, 32],
        "window_size": 12,
    },
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    write_checkpoint(folder)
    return folder


@pytest.fixture(scope="module")
def state(folder):
    return own_model(folder).state_dict()


def same_model():
    """The model of the tiny config, as transformers describes it."""
    config = transformers.GroundingDinoConfig(
        backbone_config=transformers.SwinConfig(
            **SWIN, out_features=["stage2", "stage3", "stage4"]
        ),
        text_config=bert_config(),
        encoder_layers=SMALL["enc_layers"],
        decoder_layers=SMALL["dec_layers"],
        encoder_attention_heads=SMALL["nheads"],
        decoder_attention_heads=SMALL["nheads"],
        encoder_ffn_dim=SMALL["dim_feedforward"],
        decoder_ffn_dim=SMALL["dim_feedforward"],
        num_queries=SMALL["num_queries"],
    )
    return transformers.GroundingDinoForObjectDetection(config).eval()


def test_the_same_weights_give_the_same_detections(folder, state, tmp_path):
    model = same_model()
    model.load_state_dict(convert_state_dict(state))
    model.save_pretrained(tmp_path)
    write_vocabulary(tmp_path / "vocab.txt")
    settings = {"tokenizer_class": "BertTokenizer", "do_lower_case": True}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    size = {"shortest_edge": SIDES[0], "longest_edge": SIDES[1]}
    transformers.GroundingDinoImageProcessor(size=size).save_pretrained(tmp_path)
    # Two prompts, so that their splitting is compared as well.
    labels = (*LABELS, "left hat", "blue cat", "the man's dog", "square")
    theirs = load(f"hf-grounding-dino:{tmp_path}", labels=labels)
    ours = load_checkpoint(folder, labels=labels)
    assert len(ours.prompts) == 2
    for size in ((48, 64), (40, 80), (80, 40)):
        batch = batch_of(ours, size)
        assert torch.equal(batch, batch_of(theirs, size))
        mine, other = ours.detect(batch, size), theirs.detect(batch, size)
        assert torch.allclose(mine.scores, other.scores, atol=1e-4)
        assert torch.allclose(mine.boxes, other.boxes, atol=1e-4 * max(size))
        # Not because all is alike: scores and boxes differ from query to query.
        # Of the labels that a pass was asked for.
        assert mine.scores[mine.scores > 0].std() > 0.1
        assert (mine.boxes.std(1) > 1).all()


def test_weights_that_are_not_of_the_model_are_dropped(state):
    more = {"label_enc.weight": torch.zeros(2), "bert.embeddings.position_ids": torch.zeros(1)}
    assert convert_state_dict({**state, **more}).keys() == convert_state_dict(state).keys()
    assert convert_state_dict(state).keys() == same_model().state_dict().keys()


def test_attention_is_split(state):
    name = "transformer.decoder.layers.1.ca_text.in_proj_weight"
    converted = convert_state_dict({name: state[name]})
    place = "model.decoder.layers.1.encoder_attn_text"
    assert list(converted) == [f"{place}.{part}.weight" for part in ("query", "key", "value")]
    assert torch.equal(torch.cat(list(converted.values())), state[name])


@pytest.mark.parametrize("name", ["module.bert.a", "layer1.0.conv1.weight"])
def test_other_names_are_refused(name):
    with pytest.raises(InputError, match=f"{name} is no weight"):
        convert_state_dict({name: torch.zeros(1)})


@pytest.mark.slow
@pytest.mark.parametrize("name", CONFIGS)
def test_full_size(name, tmp_path):
    bert = transformers.BertConfig()
    bert.save_pretrained(tmp_path)
    write_vocabulary(tmp_path / "vocab.txt")
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path)
    settings = shipped_settings(CONFIGS[name].removeprefix("GroundingDINO_").removesuffix(".py"))
    state = build_model(settings, tokenizer, bert).state_dict()
    torch.save({"model": state}, tmp_path / "model.pth")
    detector = load(
        f"groundingdino:{name}",
        labels=("dog", "red hat"),
        weights=str(tmp_path / "model.pth"),
        text_encoder=str(tmp_path),
        min_size=256,
        max_size=320,
    )
    pixels = detector.prepare(picture((240, 300)))[None]
    found = detector.detect(pixels, (240, 300))
    assert found.boxes.shape == (1, 900, 4)
    assert found.scores.shape == (1, 900, 2)

    # In double precision: rounding must not decide which of 900 queries comes first.
    swin = transformers.SwinConfig(**SWINS[name], out_features=["stage2", "stage3", "stage4"])
    config = transformers.GroundingDinoConfig(backbone_config=swin, text_config=bert)
    same = transformers.GroundingDinoForObjectDetection(config).eval()
    same.load_state_dict(convert_state_dict(state))
    detector.checkpoint.model.double()
    found = detector.with_labels(detector.labels).detect(pixels.double(), (240, 300))
    (asked,) = detector._asked
    mean, std = (torch.tensor(values)[:, None, None] for values in (MEAN, STD))
    with torch.no_grad():
        output = same.double()(
            pixel_values=(pixels.double() - mean) / std, input_ids=asked.ids, return_dict=True
        )
    assert torch.allclose(asked.label_scores(output.logits), found.scores, atol=1e-4)
    boxes = cxcywh_to_xyxy(output.pred_boxes) * torch.tensor([300, 240, 300, 240])
    assert torch.allclose(boxes.float(), found.boxes, atol=1e-2)

import pytest
import torch
from PIL import Image

transformers = pytest.importorskip("transformers")

from detectors.florence2.checkpoint import read_florence2  # noqa: E402
from detectors.florence2.encoder import encode_images, encode_prompts, next_tokens, read_pairs  # noqa: E402
from detectors.florence2.writing import repeats, write_answers  # noqa: E402
from detectors.shared.pixels import to_pixels  # noqa: E402
from tests.helpers.contract import picture  # noqa: E402
from tests.models.tiny_florence2 import own_processor, write_checkpoint  # noqa: E402

TEXTS = (
    "Locate dog in the image.",
    "Locate the objects with category name in the image.",
    "Locate sun in the image.",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_checkpoint(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def checkpoint(folder):
    return read_florence2(str(folder))


@pytest.fixture(scope="module")
def encoded(checkpoint):
    """Nine pairs of an image and a prompt."""
    with torch.no_grad():
        return pairs_of(checkpoint)


def pairs_of(checkpoint):
    plain = see(checkpoint)
    pixels = torch.stack([plain, plain.flip(-1), torch.full_like(plain, 0.5)])
    prompts = {
        number: [0, *checkpoint.tokenizer(text, add_special_tokens=False)["input_ids"], 2]
        for number, text in enumerate(TEXTS)
    }
    ((pairs, encoded),) = read_pairs(checkpoint, pixels, prompts, 100)
    assert pairs == [(image, number) for image in range(3) for number in range(3)]
    return encoded


def see(checkpoint):
    return to_pixels(picture((48, 64)), checkpoint.grid, torch.device("cpu"), 3)


@pytest.mark.parametrize("beams", [1, 2, 4])
@pytest.mark.parametrize("length", [1, 12, 30])
def test_answers_are_those_of_generate(folder, checkpoint, encoded, beams, length):
    model = transformers.Florence2ForConditionalGeneration.from_pretrained(folder).eval()
    # It would put an end after what is cut off, in place of the last token.
    model.generation_config.forced_eos_token_id = None
    answers = write_answers(checkpoint, encoded, beams=beams, max_new_tokens=length)
    for row, answer in enumerate(answers):
        one = encoded.rows(torch.tensor([row]))
        real = int(one.mask.sum())
        (expected,) = model.generate(
            encoder_outputs=transformers.modeling_outputs.BaseModelOutput(one.states[:, :real]),
            attention_mask=one.mask[:, :real],
            num_beams=beams,
            early_stopping=beams > 1,
            repetition_penalty=1.0,
            max_new_tokens=length + 1,
        )
        assert answer.tokens == expected[2:].tolist()


@pytest.mark.parametrize("beams", [1, 3])
def test_rows_that_end_early_do_not_disturb_the_others(checkpoint, encoded, beams):
    together = write_answers(checkpoint, encoded, beams=beams, max_new_tokens=30)
    assert len({len(answer.tokens) for answer in together}) > 1
    for row, answer in enumerate(together):
        one = encoded.rows(torch.tensor([row]))
        (alone,) = write_answers(checkpoint, one, beams=beams, max_new_tokens=30)
        assert alone.tokens == answer.tokens
        assert alone.said == pytest.approx(answer.said, abs=1e-4)
        assert alone.located == pytest.approx(answer.located, abs=1e-4)


@pytest.mark.parametrize("beams", [1, 3])
def test_probabilities_are_those_of_one_pass_over_the_whole_answer(checkpoint, encoded, beams):
    answers = write_answers(checkpoint, encoded, beams=beams, max_new_tokens=20)
    first = len(checkpoint.prefix)
    for row, answer in enumerate(answers):
        one = encoded.rows(torch.tensor([row]))
        tokens = torch.tensor([[*checkpoint.prefix, *answer.tokens]])
        with torch.no_grad():
            said = next_tokens(checkpoint, one, tokens[:, :-1])[0, first - 1 :]
        expected = said.gather(1, tokens[0, first:, None])[:, 0]
        assert answer.said == pytest.approx(expected.tolist(), abs=1e-4)
        located = said[:, list(checkpoint.locations)].exp().sum(1).log()
        assert answer.located == pytest.approx(located.tolist(), abs=1e-4)


def test_prompts_are_read_as_transformers_lays_them_out(folder, checkpoint):
    model = transformers.Florence2ForConditionalGeneration.from_pretrained(folder).eval()
    image = Image.fromarray(picture((48, 64)))
    inputs = own_processor(folder)(images=image, text="<OD>", return_tensors="pt")
    start = torch.tensor([[2, 0]])
    with torch.no_grad():
        expected = model(**inputs, decoder_input_ids=start).logits.log_softmax(-1)
        images = encode_images(checkpoint, see(checkpoint)[None])
        prompt = [0, *checkpoint.tokenizer(TEXTS[1], add_special_tokens=False)["input_ids"], 2]
        found = next_tokens(checkpoint, encode_prompts(checkpoint, images, [prompt]), start)
    assert torch.allclose(found, expected, atol=1e-4)


def test_what_repeats_an_ngram():
    tokens = torch.tensor([[[5, 6, 7, 5, 6]], [[5, 6, 7, 8, 9]]])
    found = [row.nonzero().flatten().tolist() for row in repeats(tokens, 10, 3)[:, 0]]
    assert found == [[7], []]
    assert repeats(tokens, 10, 1)[0, 0].nonzero().flatten().tolist() == [5, 6, 7]
    assert not repeats(tokens, 10, 0).any()
    assert not repeats(tokens, 10, 9).any()


def test_the_same_beginning_may_go_on_in_two_ways():
    tokens = torch.tensor([[[5, 6, 7, 5, 6, 8, 7, 7, 5, 6]]])
    assert repeats(tokens, 10, 3)[0, 0].nonzero().flatten().tolist() == [7, 8]

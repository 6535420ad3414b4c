import json

import numpy as np
import pytest

from detectors.shared.prompts import (
    NO_LABEL,
    as_phrase,
    build_prompts,
    check_labels,
    hide_words,
    narrow_prompts,
    parse_prompt,
    split_words,
)
from vps.errors import InputError


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    transformers = pytest.importorskip("transformers")
    from tests.models.tiny_grounding_dino import write_vocabulary

    folder = tmp_path_factory.mktemp("tokenizer")
    write_vocabulary(folder / "vocab.txt")
    settings = {"tokenizer_class": "BertTokenizer", "do_lower_case": True}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    (folder / "config.json").write_text(json.dumps({"model_type": "bert"}))
    return transformers.AutoTokenizer.from_pretrained(folder)


def read_back(prompt, tokenizer, labels):
    """The text of each label's tokens, in the order of the columns."""
    texts = []
    for column in range(len(labels)):
        ids = [i for i, c in zip(prompt.token_ids, prompt.columns, strict=True) if c == column]
        texts.append(tokenizer.decode(ids))
    return texts


@pytest.mark.parametrize(
    ("prompt", "labels"),
    [
        ("dog . cat .", ("dog", "cat")),
        ("dog. Cat", ("dog", "Cat")),
        (" the dog on the left ", ("the dog on the left",)),
        ("dog ? cat ?", ("dog", "cat")),
    ],
)
def test_parse_prompt(prompt, labels):
    assert parse_prompt(prompt) == labels


@pytest.mark.parametrize("prompt", ["", " . . ", "dog . dog .", "dog . Dog ."])
def test_parse_prompt_rejects(prompt):
    with pytest.raises(InputError):
        parse_prompt(prompt)


@pytest.mark.parametrize("labels", ["dog", [], ["dog", " "], ["."], ["red  hat", "Red hat"]])
def test_check_labels_rejects(labels):
    with pytest.raises(InputError):
        check_labels(labels)


@pytest.mark.parametrize(
    ("label", "phrase"),
    [
        ("  Red   Circle ", "red circle"),
        ("man on the left.", "man on the left"),
        ("man. red hat?", "man , red hat"),
        ("...", ""),
        ("dog's hat", "dog's hat"),
    ],
)
def test_as_phrase(label, phrase):
    assert as_phrase(label) == phrase


def test_tokens_of_labels_are_found(tokenizer):
    labels = ["red circle", "Red Square", "dog's hat", "hatsboard", "the red hat, left", "circle"]
    (prompt,) = build_prompts(labels, tokenizer, 256)
    texts = [text.replace(" ", "") for text in read_back(prompt, tokenizer, labels)]
    assert texts == [label.lower().replace(" ", "") for label in labels]
    # "hatsboard" is three word pieces.
    assert prompt.columns.count(3) == 3
    whole = tokenizer(" . ".join(label.lower() for label in labels) + " .")["input_ids"]
    assert list(prompt.token_ids) == whole


def test_separators_and_ends_belong_to_no_label(tokenizer):
    (prompt,) = build_prompts(["dog", "cat"], tokenizer, 256)
    assert prompt.columns == (NO_LABEL, 0, NO_LABEL, 1, NO_LABEL, NO_LABEL)
    assert [prompt.token_ids[i] for i in (0, 2, 4, 5)] == [101, 1012, 1012, 102]


def test_long_lists_are_split_at_the_limit(tokenizer):
    labels = ["red circle", "red square", "dog", "blue hat", "cat"]
    prompts = build_prompts(labels, tokenizer, 8)
    assert all(len(prompt.token_ids) <= 8 for prompt in prompts)
    assert [sorted(set(prompt.columns) - {NO_LABEL}) for prompt in prompts] == [[0, 1], [2, 3], [4]]
    # At the limit to the token: 3 + 3 and two ends.
    assert len(prompts[0].token_ids) == 8


def test_a_label_may_fill_a_prompt_but_not_more(tokenizer):
    assert len(build_prompts(["red blue circle"], tokenizer, 6)) == 1
    with pytest.raises(InputError, match="4 tokens, and the model reads at most 3"):
        build_prompts(["red blue circle hat"], tokenizer, 6)


def test_marks_of_the_tokenizer_are_mere_text(tokenizer):
    (prompt,) = build_prompts(["dog [SEP] cat"], tokenizer, 256)
    assert [i for i in prompt.token_ids if i in (101, 102, 1012, 1029)] == [101, 1012, 102]


def test_a_label_of_unknown_signs_is_rejected(tokenizer):
    with pytest.raises(InputError, match="knows no part"):
        build_prompts(["\u2603"], tokenizer, 256)


def test_narrowed_prompts_keep_their_words(tokenizer):
    labels = ["dog", "cat", "man", "red circle", "blue square"]
    prompts = build_prompts(labels, tokenizer, 8)
    kept, columns = narrow_prompts(prompts, [3])
    assert [prompt.token_ids for prompt in kept] == [
        prompt.token_ids for prompt in prompts if 3 in prompt.columns
    ]
    assert 3 in columns
    for prompt in kept:
        back = tuple(NO_LABEL if c == NO_LABEL else columns[c] for c in prompt.columns)
        assert back in [whole.columns for whole in prompts]
    assert narrow_prompts(prompts, range(5)) == (prompts, (0, 1, 2, 3, 4))


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("dog", ("dog",)),
        (" The left  Dog. ", ("the", "left", "dog")),
        ("dog's hat", ("dog's", "hat")),
        ("red dog. cat", ("red", "dog ,", "cat")),
        ("left-hand dog , red", ("left-hand", "dog ,", "red")),
        ("- dog", ("-", "dog")),
    ],
)
def test_split_words(label, words):
    assert split_words(label) == words


LABELS = ("red circle", "the dog's hatboard, left", "man")


@pytest.mark.parametrize("keep", [(1, 0, 1, 1), (0, 0, 1, 0), (1, 1, 0, 0), (0, 0, 0, 0)])
def test_hidden_words_keep_their_places_and_all_else_stays(tokenizer, keep):
    (whole,) = build_prompts(LABELS, tokenizer, 40)
    words = ("the", "dog's", "hatboard,", "left")
    pieces = [len(tokenizer.tokenize(word)) for word in words]
    assert pieces == [1, 3, 3, 1]
    (hidden,) = hide_words([whole], 1, LABELS[1], np.array(keep, bool), tokenizer)
    assert hidden.columns == whole.columns
    start = whole.columns.index(1)
    gone = {start + place for place in np.flatnonzero(np.repeat(np.array(keep) == 0, pieces))}
    assert hidden.hidden == gone
    for place, (before, after) in enumerate(zip(whole.token_ids, hidden.token_ids, strict=True)):
        assert after == (tokenizer.mask_token_id if place in gone else before)


def test_nothing_hidden_is_the_same_prompt(tokenizer):
    prompts = build_prompts(LABELS, tokenizer, 13)
    assert len(prompts) == 2
    assert hide_words(prompts, 1, LABELS[1], np.ones(4, bool), tokenizer) == prompts
    hidden = hide_words(prompts, 1, LABELS[1], np.zeros(4, bool), tokenizer)
    assert [one == other for one, other in zip(hidden, prompts, strict=True)] == [True, False]


def test_hiding_adds_up_and_narrowed_prompts_keep_it(tokenizer):
    prompts = build_prompts(LABELS, tokenizer, 13)
    first, second = np.array([1, 0, 1, 1], bool), np.array([1, 1, 1, 0], bool)
    once = hide_words(prompts, 1, LABELS[1], first & second, tokenizer)
    twice = hide_words(prompts, 1, LABELS[1], first, tokenizer)
    assert hide_words(twice, 1, LABELS[1], second, tokenizer) == once
    (narrow,), columns = narrow_prompts(once, [1])
    assert columns == (1, 2)
    assert narrow.token_ids == once[1].token_ids
    assert narrow.hidden == once[1].hidden


@pytest.mark.parametrize("keep", [np.ones(3, bool), np.ones((1, 4), bool), np.ones(4)])
def test_what_is_shown_must_be_a_bool_a_word(tokenizer, keep):
    prompts = build_prompts(LABELS, tokenizer, 40)
    with pytest.raises(InputError, match="has 4 words"):
        hide_words(prompts, 1, LABELS[1], keep, tokenizer)

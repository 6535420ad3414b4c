"""Token positions of captions, against the model's own tokenizer."""

from __future__ import annotations

import pytest

from detectors import load
from detectors.shared.token_places import phrase_at
from vps.core.detector import TokenReader
from vps.errors import InputError

CAPTION = "circle . red wheel . buoy ."


@pytest.fixture(scope="module")
def detector():
    pytest.importorskip("transformers")
    return load("demo-grounding-dino", prompt=CAPTION)


def test_positions_count_the_tokens_of_the_whole_caption(detector):
    tokenizer = detector.checkpoint.tokenizer
    tokens = tokenizer.convert_ids_to_tokens(tokenizer(CAPTION)["input_ids"])
    for phrase in ("circle", "red wheel", "buoy"):
        first, last = (tokens.index(word) for word in (phrase.split()[0], phrase.split()[-1]))
        for places in ([first], [last], [first, last]):
            assert phrase_at(CAPTION, places, tokenizer) == phrase
            assert detector.label_at(CAPTION, places) == phrase


def test_what_a_label_is_asked_with_leads_back_to_it(detector):
    assert isinstance(detector, TokenReader)
    for label in detector.labels:
        assert detector.label_at(*detector.tokens_of(label)) == label
    with pytest.raises(InputError, match="unicorn"):
        detector.tokens_of("unicorn")


@pytest.mark.parametrize(
    ("places", "message"),
    [
        ([], "no token positions"),
        ([0], "not of one phrase"),
        ([2], "not of one phrase"),
        ([1, 3], "not of one phrase"),
        ([99], "position 99 is outside the caption, whose tokens are 1 to"),
        ([-1], "position -1 is outside"),
    ],
)
def test_positions_of_no_phrase_are_told(detector, places, message):
    with pytest.raises(InputError, match=message):
        detector.label_at(CAPTION, places)

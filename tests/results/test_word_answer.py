import dataclasses
import json

import pytest

from vps.errors import InputError
from vps.results.word_answer import ELSEWHERE, LOST, RIGHT, SAME, Word, WordAnswer, WordSet

RIGHTLY = WordAnswer(
    label="the left red dog",
    right=True,
    said=(0.0, 1.5, 4.0, 4.0),
    said_score=0.7,
    target_score=0.7,
    words=(
        Word("the", 0.68, 0.68, SAME, 0.0),
        Word("left", 0.72, 0.72, SAME, -0.05),
        Word("red", 0.4, 0.4, SAME, 0.3),
        Word("dog", 0.1, 0.1, LOST, 0.5),
    ),
    sufficient=WordSet((3,), 0.5, SAME, True),
    necessary=WordSet((3,), 0.1, LOST, True),
    repair=None,
    threshold=0.3,
    passes=9,
    seconds=0.1,
)
WRONGLY = dataclasses.replace(
    RIGHTLY, right=False, target_score=0.2, repair=WordSet((1, 2), 0.45, RIGHT, False)
)


def with_word(answer: WordAnswer, place: int, **changes) -> WordAnswer:
    words = list(answer.words)
    words[place] = dataclasses.replace(words[place], **changes)
    return dataclasses.replace(answer, words=tuple(words))


def test_a_right_grounding_in_words():
    assert RIGHTLY.used == (2, 3)
    assert RIGHTLY.ignored == (0, 1)
    assert RIGHTLY.sentence() == (
        'it goes by "red" and "dog" and ignores "left": without it the box stays and scores 0.72 '
        'instead of 0.70; "dog" alone gives the same box, at 0.50; without "dog", it finds nothing'
    )


def test_what_repairs_is_not_ignored():
    answer = with_word(WRONGLY, 1, target_score=0.2)
    assert answer.ignored == ()
    assert answer.sentence() == (
        'it goes by "red" and "dog"; "dog" alone gives the same box, at 0.50; hide "left" and '
        '"red" and it is grounded right, at 0.45'
    )


def test_a_wrong_grounding_that_nothing_repairs():
    answer = dataclasses.replace(WRONGLY, repair=None)
    assert answer.sentence().endswith("no hiding of words was found that grounds it right")


@pytest.mark.parametrize(
    "changes",
    [
        {"said_score": 0.55},
        {"said_score": 0.85},
        {"target_score": 0.5},
        {"lands": ELSEWHERE},
        {"importance": 0.2},
    ],
)
def test_a_word_that_changes_anything_is_not_ignored(changes):
    assert 1 not in with_word(RIGHTLY, 1, **changes).ignored


def test_a_word_that_lowers_the_score_is_named():
    answer = with_word(RIGHTLY, 1, said_score=0.85)
    assert answer.unsettling == (1,)
    assert (
        '"left" only lowers the score: without it the box stays and scores 0.85 instead of 0.70'
        in answer.sentence()
    )


def test_a_necessary_set_of_all_words_says_nothing():
    answer = dataclasses.replace(RIGHTLY, necessary=WordSet((0, 1, 2, 3), 0.0, LOST, True))
    assert answer.ignored == (0, 1)
    assert answer.sentence().endswith('"dog" alone gives the same box, at 0.50')


def test_another_box_that_wins_is_told_from_none():
    answer = dataclasses.replace(RIGHTLY, necessary=WordSet((2, 3), 0.1, ELSEWHERE, True))
    assert answer.sentence().endswith('without "red" and "dog", another box wins')


@pytest.mark.parametrize("answer", [RIGHTLY, WRONGLY])
def test_it_goes_through_json(answer):
    assert WordAnswer.from_record(json.loads(json.dumps(answer.record()))) == answer


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"said": [1, 2]}, "said needs 4 values"),
        ({"said_score": "x"}, "said_score must be a number"),
        ({"said_score": 5}, "said_score must lie in"),
        ({"threshold": float("nan")}, "threshold must be a finite number"),
        ({"passes": -1}, "passes must be at least 0"),
        ({"words": "the"}, "words must be a list"),
        ({"words": [{"text": "a"}]}, r"words\[0\].said_score is missing"),
        ({"words": [{**RIGHTLY.record()["words"][0], "importance": 3}]}, "importance must lie in"),
        ({"repair": {"words": [9], "score": 1, "lands": SAME, "exact": True}}, "repair.words"),
        ({"stopped": "never"}, "stopped"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_another_record_is_refused(changes, message):
    with pytest.raises(InputError, match=message):
        WordAnswer.from_record({**RIGHTLY.record(), **changes})


@pytest.mark.parametrize("record", [{}, {"words": []}, [], None])
def test_what_is_no_record_is_refused(record):
    with pytest.raises(InputError):
        WordAnswer.from_record(record)

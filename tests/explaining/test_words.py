from __future__ import annotations

import dataclasses
from collections.abc import Callable
from itertools import chain, combinations

import numpy as np
import pytest

from tests.helpers.analytic import photo, scattered, strip_detector
from tests.helpers.words import BOXES, LEFT, MIDDLE, PHRASE, Rule, WordDetector, needs_0_and_3
from vps.core.detector import WordHider
from vps.core.targets import Target
from vps.engine.budget import Budget
from vps.engine.problem import make_problem
from vps.errors import DetectorError, InputError
from vps.explaining.words import WordPasses, explain_words
from vps.results.word_answer import ELSEWHERE, LOST, RIGHT, SAME, WordAnswer

"""From (n,) bool, the words shown, to the scores of three boxes."""


def ask(rule: Rule, box=LEFT, **settings) -> WordAnswer:
    answer = explain_words(WordDetector(rule), photo(), Target(box, PHRASE), **settings)
    assert answer is not None
    return answer


def test_it_is_a_word_hider():
    assert isinstance(WordDetector(needs_0_and_3), WordHider)
    assert not isinstance(strip_detector(scattered()), WordHider)


def test_needed_and_ignored_words_are_told_apart():
    answer = ask(lambda keep: needs_0_and_3(keep & [1, 0, 1, 1, 1]))
    assert answer.right
    assert answer.said == LEFT
    assert answer.said_score == answer.target_score == pytest.approx(0.6)
    assert answer.ignored == (1, 2, 4)
    assert answer.sufficient.words == (0, 3)
    assert answer.sufficient.exact
    assert answer.necessary.words in ((0,), (3,))
    assert answer.necessary.lands == ELSEWHERE
    assert answer.repair is None
    assert [word.lands for word in answer.words] == [ELSEWHERE, SAME, SAME, ELSEWHERE, SAME]
    assert [word.importance for word in answer.words] == pytest.approx([0.3, 0, 0, 0.3, 0])
    assert answer.sentence() == (
        'it goes by "a" and "red" and ignores "very", "big" and "dog": without any one of them the '
        'box stays and scores 0.60 instead of 0.60; without "a", another box wins'
    )


def test_a_word_that_keeps_others_down_is_important():
    answer = ask(lambda keep: (0.6, 0.2 if keep[2] else 0.9, 0.0))
    assert answer.words[2].importance == pytest.approx(0.7)
    assert answer.words[2].said_score == pytest.approx(0.6)
    assert answer.words[2].lands == ELSEWHERE
    assert answer.necessary.words == (2,)


def test_words_that_stand_in_for_each_other_are_not_ignored():
    answer = ask(lambda keep: (0.7 * (keep[0] or keep[4]), 0.3, 0.0))
    assert answer.ignored == (1, 2, 3)
    assert answer.sufficient.words in ((0,), (4,))
    assert answer.necessary.words == (0, 4)
    assert f'"{PHRASE.split()[answer.sufficient.words[0]]}" alone gives' in answer.sentence()


def test_a_wrong_grounding_is_repaired_by_hiding_what_leads_astray():
    """Each of words 1 and 2 makes for the middle box; word 3 is ignored."""
    answer = ask(lambda keep: (0.5, 0.7 if keep[1] or keep[2] else 0.2, 0.0))
    assert not answer.right
    assert answer.said == MIDDLE
    assert (answer.said_score, answer.target_score) == pytest.approx((0.7, 0.5))
    assert answer.repair.words == (1, 2)
    assert answer.repair.score == pytest.approx(0.5)
    assert answer.repair.lands == RIGHT
    assert answer.sufficient.words in ((1,), (2,))
    assert 'hide "very" and "big" and it is grounded right, at 0.50' in answer.sentence()


def test_a_repair_needs_the_target_to_win_over_all_boxes():
    """Without word 0 the target is ahead of the box that was said, but not of the third."""
    answer = ask(lambda keep: (0.5, 0.6 if keep[0] else 0.1, 0.2 if keep[0] else 0.55))
    assert not answer.right
    assert answer.words[0].lands == ELSEWHERE
    assert answer.repair is None
    assert answer.sentence().endswith("no hiding of words was found that grounds it right")


def test_a_word_that_only_lowers_the_score_is_called_unsettling():
    answer = ask(lambda keep: (0.4 + 0.4 * (not keep[1]), 0.3 + 0.4 * (not keep[1]), 0.0))
    assert answer.unsettling == (1,)
    assert 1 not in answer.ignored
    assert (
        '"very" only lowers the score: without it the box stays and scores 0.80 instead of 0.40'
        in answer.sentence()
    )


@pytest.mark.parametrize("box", BOXES)
@pytest.mark.parametrize("seed", range(8))
def test_sets_are_the_smallest_of_all_subsets(seed, box):
    rng = np.random.default_rng(seed)
    table = rng.random((32, 3))

    def rule(keep: np.ndarray) -> tuple[float, float, float]:
        return tuple(table[int(np.dot(keep, 2 ** np.arange(5)))])

    answer = ask(rule, box, threshold=0.3)
    whole = int(np.argmax(table[31]))
    enough = 0.3 if table[31].max() >= 0.3 else 0.0

    def winner(keep: np.ndarray) -> int | None:
        scores = np.array(rule(keep)) * keep.any()
        return int(np.argmax(scores)) if scores.max() >= max(enough, 1e-9) else None

    def smallest(wanted: Callable[[int | None], bool], hide: bool) -> int | None:
        sets = chain.from_iterable(combinations(range(5), size) for size in range(6))
        for words in sets:
            keep = np.full(5, hide)
            keep[list(words)] = not hide
            if wanted(winner(keep)):
                return len(words)
        return None

    def size(found) -> int | None:
        return None if found is None else len(found.words)

    target = BOXES.index(box)
    assert answer.right == (whole == target)
    assert size(answer.sufficient) == smallest(lambda won: won == whole, hide=False)
    assert size(answer.necessary) == smallest(lambda won: won != whole, hide=True)
    repair = None if answer.right else smallest(lambda won: won == target, hide=True)
    assert size(answer.repair) == repair
    for place, word in enumerate(answer.words):
        won = winner(np.arange(5) != place)
        expected = {whole: SAME, target: SAME if answer.right else RIGHT, None: LOST}
        assert word.lands == expected.get(won, ELSEWHERE)
    assert answer.passes <= 32


def test_no_subset_passes_twice():
    detector = WordDetector(needs_0_and_3)
    answer = explain_words(detector, photo(), Target(MIDDLE, PHRASE))
    assert len({keep.tobytes() for keep in detector.shown}) == len(detector.shown) == answer.passes


def test_a_long_phrase_keeps_to_its_passes():
    label = " ".join(f"w{n}" for n in range(14))
    detector = WordDetector(lambda keep: (0.4 + 0.3 * (keep[:7].sum() > 4), 0.6, 0.0), label)
    answer = explain_words(detector, photo(), Target(LEFT, label), budget=40)
    assert len(answer.sufficient.words) == 5
    assert len(answer.necessary.words) == 3
    assert answer.passes < 150


def test_without_time_for_sets_the_words_alone_are_told():
    answer = ask(lambda keep: (0.7 * float(keep[0] or keep[4]), 0.2, 0.0), budget=Budget().over())
    assert answer.sufficient is answer.necessary is None
    assert answer.stopped == "time limit"
    assert answer.passes == 6  # all words, and each one hidden
    assert answer.ignored == ()  # one of two words is needed, which none shows alone
    assert answer.sentence() == "none alone makes a difference"


def test_below_the_threshold_all_candidates_count():
    answer = ask(lambda keep: (0.2 if keep[0] else 0.1, 0.05, 0.0))
    assert answer.threshold == 0
    assert answer.sufficient.words
    assert [word.lands for word in answer.words] == [SAME] * 5


def test_one_word_and_nothing_found_have_no_answer():
    assert (
        explain_words(WordDetector(lambda keep: (1, 0, 0), "dog"), photo(), Target(LEFT, "dog"))
        is None
    )
    silent = WordDetector(lambda keep: (0, 0, 0))
    assert explain_words(silent, photo(), Target(LEFT, PHRASE)) is None


def test_what_cannot_be_asked_is_refused():
    detector = WordDetector(needs_0_and_3)
    with pytest.raises(InputError, match="cannot hide words"):
        explain_words(strip_detector(scattered()), photo(), Target(LEFT, "dog"))
    with pytest.raises(InputError, match="unknown label"):
        explain_words(detector, photo(), Target(LEFT, "cat"))
    with pytest.raises(InputError, match="threshold"):
        explain_words(detector, photo(), Target(LEFT, PHRASE), threshold=0)
    with pytest.raises(InputError, match="outside"):
        explain_words(detector, photo(), Target((50, 50, 60, 60), PHRASE))


def test_a_failing_detector_is_named_with_the_words_that_it_saw():
    def rule(keep: np.ndarray) -> tuple[float, float, float]:
        if keep.sum() == 4:
            raise RuntimeError("out of memory")
        return 0.5, 0.1, 0.0

    with pytest.raises(DetectorError, match="words: out of memory .*shows 4 of 5 words"):
        ask(rule)


def test_a_problem_is_answered_as_image_and_target_are():
    detector, target = WordDetector(needs_0_and_3), Target(MIDDLE, PHRASE)
    found = explain_words(make_problem(detector, photo(), [target], regions=4))
    assert found == dataclasses.replace(
        explain_words(detector, photo(), target), seconds=found.seconds
    )


def test_what_is_seen_tells_of_the_target_the_said_box_and_the_best_candidate():
    detector = WordDetector(lambda keep: (0.5, 0.7 if keep[1] else 0.2, 0.3))
    source = WordPasses(detector, detector.prepare(photo()), (12, 16), Target(LEFT, PHRASE))
    seen = source.evaluate(np.array([[1, 1, 1, 1, 1], [1, 0, 1, 1, 1]], bool))
    np.testing.assert_allclose(seen.found_score, [[0.5, 0.7, 0.5], [0.5, 0.2, 0.5]], rtol=1e-6)
    top = seen[:, 2]
    np.testing.assert_allclose(top.score, [0.7, 0.5], rtol=1e-6)
    np.testing.assert_allclose(top.iou, [0, 1], rtol=1e-6)
    np.testing.assert_allclose(top.box, [MIDDLE, LEFT])

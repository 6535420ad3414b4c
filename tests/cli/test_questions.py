"""The options of `vps explain` that ask what stands in the way."""

from __future__ import annotations

import pytest

from tests.helpers.cli import Bright, fails, run_explain, saved
from vps.cli.questions import Asked, question_of
from vps.core.detect import Detection
from vps.core.targets import Kind
from vps.results.answer import Answer


def test_missed_is_answered_by_a_sentence_and_saved(image, bright, tmp_path, capsys):
    box = ["--box", "20", "4", "38", "28", "--label", "dog"]
    assert run_explain(image, tmp_path, "--missed", *box) == 0
    assert saved(tmp_path)[-1] == "street_20-4-38-28_missed_dog_answer.json"
    answer = Answer.load(tmp_path / "out" / "street_20-4-38-28_missed_dog")
    assert answer.kind is Kind.MISSED
    assert answer.sentence() in capsys.readouterr().out
    assert (tmp_path / "out" / "street_20-4-38-28_missed_dog_answer.png").exists()


def test_why_not_sets_a_label_against_the_one_that_was_given(image, bright, tmp_path, capsys):
    assert run_explain(image, tmp_path, "--why-not", "dog", "--detection", "2") == 0
    answer = Answer.load(tmp_path / "out" / "street_2_why-not_dog")
    assert (answer.target.label, answer.rival.label) == ("dog", "cat")
    assert answer.rival.box == (0, 0, 8, 8)
    assert "the cat (0.35) is found, not the dog" in capsys.readouterr().out


def test_why_not_there_sets_a_box_against_the_one_that_was_given(image, bright, tmp_path, capsys):
    box = ["--box", "26", "4", "38", "28"]
    assert run_explain(image, tmp_path, "--why-not", "dog", "--detection", "1", *box) == 0
    answer = Answer.load(tmp_path / "out" / "street_1_why-not_26-4-38-28_dog")
    assert answer.target.box == (26, 4, 38, 28)
    assert answer.kind is Kind.GROUNDED_WRONG
    assert answer.rival.label == "dog"
    assert run_explain(image, tmp_path, "--why-not", "cat", "--detection", "1", *box) == 0
    assert Answer.load(tmp_path / "out" / "street_1_why-not_26-4-38-28_cat").kind is Kind.BOTH


def test_why_not_there_is_held_against_what_the_detector_has_there(image, bright, tmp_path, capsys):
    assert run_explain(image, tmp_path, "--why-not", "dog", "--box", "0", "0", "8", "7") == 0
    answer = Answer.load(tmp_path / "out" / "street_2_why-not_0-0-8-7_dog")
    assert answer.kind is Kind.CLASSIFICATION
    assert answer.rival.label == "cat"
    away = ["--box", "30", "4", "38", "28"]
    assert run_explain(image, tmp_path, "--why-not", "cat", *away) == 0
    answer = Answer.load(tmp_path / "out" / "street_2_why-not_30-4-38-28_cat")
    assert answer.kind is Kind.GROUNDED_WRONG


def test_a_phrase_is_held_against_what_it_is_grounded_to_not_what_is_found_there_too():
    found = [Detection((0, 0, 8, 8), "cat", 0.9), Detection((20, 4, 30, 28), "cat", 0.4)]
    given = Asked(why_not="cat", box=(20, 4, 31, 28))
    asked = question_of(given, ("dog", "cat"), found, 0.3)
    assert asked.target.kind is Kind.GROUNDED_WRONG
    assert asked.target.predicted_box == (0, 0, 8, 8)


@pytest.mark.parametrize(
    ("flag", "kind"), [("false-box", Kind.BACKGROUND), ("smallest", Kind.CORRECT)]
)
def test_what_a_detection_needs_and_what_triggers_a_false_one(
    flag, kind, image, bright, tmp_path, capsys
):
    assert run_explain(image, tmp_path, f"--{flag}", "--threshold", "0.5") == 0
    answer = Answer.load(tmp_path / "out" / f"street_1_{flag}_dog")
    assert answer.kind is kind
    assert answer.necessary.regions
    assert (answer.repair is None) == (kind is Kind.CORRECT)
    assert answer.sentence() in capsys.readouterr().out


@pytest.mark.parametrize(
    ("error", "code", "stopped"),
    [(KeyboardInterrupt(), 130, "interrupted"), (RuntimeError("out of memory"), 2, "failed")],
)
def test_what_ends_an_answer_early_keeps_it(error, code, stopped, image, bright, tmp_path, capsys):
    passes = []

    def detect(pixels, size):
        passes.append(len(pixels))
        if len(passes) == 6:
            raise error
        return Bright.detect(bright, pixels, size)

    bright.detect = detect
    options = ["--smallest", "--batch-size", "4", "--search", "path_search"]
    assert run_explain(image, tmp_path, *options) == code
    answer = Answer.load(tmp_path / "out" / "street_1_smallest_dog")
    assert answer.stopped == stopped
    assert "1_smallest_dog_answer.json" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--missed"], ["--box"]),
        (["--smallest", "--box", "8", "8", "24", "24"], ["--detection"]),
        (["--why-not", "cat", "--label", "dog"], ["itself"]),
        (["--why-not", "cat", "--label", "dog", "--box", "8", "8", "24", "24"], ["itself"]),
        (["--duplicate-of", "1"], ["no two boxes of one label"]),
        (["--duplicate-of", "9"], ["no detection 9"]),
        (["--all", "--detection", "1"], ["give one of them"]),
        (["--why-not", "dog", "--all"], ["--detection"]),
        (["--why-not", "dog"], ["is a dog", "another label"]),
        (["--why-not", "dgo"], ["unknown label 'dgo'"]),
        (["--why-not", "cat", "--mode", "class"], ["mode object"]),
    ],
)
def test_failures_that_cannot_be_asked_about(options, words, image, bright, tmp_path, capsys):
    fails(capsys, run_explain(image, tmp_path, *options), *words)

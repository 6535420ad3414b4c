"""Groups of failures: the words of repairs, their clusters and names."""

import json

import numpy as np
import pytest

from tests.helpers.studies import LOADER, study
from vps.cli.main import main
from vps.grouping.groups import Failed, group_failures
from vps.grouping.words import repair_words
from vps.study.run import run

BOX = (20.0, 20.0, 40.0, 40.0)


def hidden_at(top, left, height=8, width=8):
    mask = np.zeros((60, 80), bool)
    mask[top : top + height, left : left + width] = True
    return mask


def painted(colour, noise=0):
    rng = np.random.default_rng(0)
    image = np.full((60, 80, 3), colour, np.int64) + rng.integers(-noise, noise + 1, (60, 80, 1))
    return image.clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("hidden", "words"),
    [
        (hidden_at(26, 60), ("beside it", "right of it", "small")),
        (hidden_at(26, 2), ("beside it", "left of it", "small")),
        (hidden_at(50, 25), ("beside it", "below it", "small")),
        (hidden_at(0, 0, 18, 80), ("beside it", "above it", "large")),
        (hidden_at(25, 36, 20, 20), ("on it", "right of it", "medium")),
    ],
)
def test_where_and_how_large(hidden, words):
    assert repair_words(hidden, BOX, {}, painted(0))[1:4] == words


@pytest.mark.parametrize(
    ("colour", "word"),
    [
        ((200, 40, 40), "red"),
        ((200, 200, 40), "yellow"),
        ((40, 200, 40), "green"),
        ((40, 200, 200), "cyan"),
        ((40, 40, 200), "blue"),
        ((200, 40, 200), "magenta"),
        ((20, 20, 20), "dark"),
        ((120, 120, 120), "grey"),
        ((240, 240, 240), "bright"),
    ],
)
def test_colours(colour, word):
    assert repair_words(hidden_at(0, 0), BOX, {}, painted(colour))[4:] == (word, "plain")
    assert repair_words(hidden_at(0, 0), BOX, {}, painted(120, 60))[5] == "busy"


def test_the_object_that_fills_most_of_it():
    hidden = hidden_at(0, 0)
    others = {"table": hidden_at(0, 0, 8, 3), "cup": hidden_at(0, 0, 8, 5)}
    assert repair_words(hidden, BOX, others, painted(0))[0] == "cup"
    assert repair_words(hidden, BOX, {"cup": hidden_at(0, 0, 1, 1)}, painted(0))[0] == "background"


def failed(number, words, label="chair", kind="missed"):
    return Failed("set", number, "a1", kind, label, words, 0.1, None)


TABLE = ("dining table", "beside it", "below it", "small", "grey", "plain")
SKY = ("background", "on it", "above it", "large", "blue", "plain")


def test_planted_groups_come_out_with_their_names():
    failures = [failed(k, TABLE) for k in range(5)]
    failures += [failed(5, (*TABLE[:3], "medium", *TABLE[4:]))]
    failures += [failed(k, SKY) for k in range(6, 9)]
    failures += [failed(k, ()) for k in range(9, 12)]
    failures += [failed(20, SKY, label="bird")]
    first, second = group_failures(failures)
    assert first.words[0] == "dining table"
    assert set(first.words) <= set(TABLE)
    assert first.sentence.startswith("6 of 12, missed, chair: hiding dining table, ")
    # The middle is one of the five that are alike, the edge the one that is not.
    assert first.members[0].words == TABLE
    assert first.members[-1].image_id == 5
    assert (len(second.members), second.total) == (3, 12)
    assert "dining table" not in second.words


def test_single_failures_and_none_make_no_group():
    assert group_failures([]) == []
    assert group_failures([failed(1, TABLE), failed(2, (), label="bird")]) == []


def test_the_command(tmp_path, capsys):
    methods = {"vps": {"options": {"search": "leave_one_out"}}}
    config, lists = study(
        tmp_path,
        4,
        methods=methods,
        # What was missed has a score of about 0.6: hiding can raise it to what is asked for.
        select={"score_threshold": 0.65},
        repair={"passes": 60},
        metrics={"fidelity_subsets": 0},
    )
    run(config, lists, loader=LOADER)
    config.save(tmp_path / "out" / "config.yaml")
    lists["drawn"].save(tmp_path / "out" / "lists" / "drawn.json")
    assert main(["groups", config.out]) == 0
    assert "4 failures, " in capsys.readouterr().out
    content = json.loads((tmp_path / "out" / "groups.json").read_text())
    assert all(len(group["members"]) >= 2 for group in content)
    assert "Groups of failures of small" in (tmp_path / "out" / "groups.html").read_text()


def test_a_study_without_repairs(tmp_path, capsys):
    config, lists = study(tmp_path, 1)
    config.save(tmp_path / "out" / "config.yaml")
    lists["drawn"].save(tmp_path / "out" / "lists" / "drawn.json")
    assert main(["groups", config.out]) == 2
    assert "looked for no repairs" in capsys.readouterr().err

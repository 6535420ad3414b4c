"""Options as settings of the engine."""

from __future__ import annotations

import pytest

from vps.cli.main import main
from vps.cli.settings import RunSettings, parse_budget, parse_literal
from vps.engine.budget import Budget
from vps.methods.perturbation.drise import DRISE
from vps.methods.search.vps import VPS


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--fill", "bleu"], "unknown fill 'bleu', did you mean 'blur'"),
        (["--mode", "objekt"], "did you mean 'object'"),
        (["--region-method", "slik"], "unknown region method"),
        (["--numbering", "scam"], "unknown numbering of regions 'scam', did you mean 'scan'"),
        (["--regions-file", "no.npy"], "label map no.npy does not exist"),
        (["--method", "d-rise"], "did you mean 'drise'"),
        (["--search", "greed"], "did you mean 'greedy'"),
        (["--effort", "higher"], "did you mean 'high'"),
        (["--regions", "0"], "the number of regions must be at least 1, got 0"),
        (["--batch-size", "0"], "the batch size must be at least 1"),
        (["--threshold", "1.5"], r"--threshold must lie in [0, 1], got 1.5"),
        (["--time-limit", "-1"], "time limit"),
        (["--format", "pgn"], "unknown format 'pgn', did you mean 'png'"),
        (["--dtype", "float8"], "unknown dtype 'float8', did you mean 'float"),
        (["--budget", "much"], "--budget takes a whole number of passes, or a share"),
        (["--budget", "-1"], "a budget is a whole number of passes"),
        (["--budget", "1.5"], "a budget is a whole number of passes, or a share"),
        (["--budget", "0.5", "--method", "drise"], "unknown option of drise 'budget'"),
        (["--search", "greedy", "--method", "drise"], "unknown option of drise 'search'"),
        (["--effort", "high", "--method", "box"], "box has no options, got 'effort'"),
        (["--method-option", "masks=9"], "unknown option of vps 'masks'"),
        (["--budget", "9", "--effort", "high"], "--budget takes the place of --effort"),
        (["--effort", "high", "--search", "greedy"], "effort high says nothing"),
        (["--search", "greedy", "--method-option", "search=top_k"], "search is set twice"),
        (["--budget", "9", "--method-option", "budget=0.5"], "budget is set twice"),
        (["--method", "drise", "--method-option", "mask=9"], "did you mean 'masks'"),
        (["--method", "drise", "--method-option", "masks=few"], "must be a whole number"),
        (["--method", "drise", "--method-option", "9"], "--method-option takes NAME=VALUE"),
        (["--missed", "--smallest"], "one question at a time: give one of --missed, --smallest"),
    ],
)
def test_settings_are_checked_before_anything_is_loaded(tmp_path, capsys, given, message):
    # Neither image nor detector is there: they would be told of first, were they looked at.
    arguments = ["explain", str(tmp_path / "no.png"), "--detector", "none", *given]
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_settings_of_the_demo_are_checked_too(tmp_path, capsys):
    assert main(["demo", "--effort", "fst", "--out", str(tmp_path / "out")]) == 2
    assert "did you mean 'fast'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("500", 500),
        ("-3", -3),
        ("0.5", 0.5),
        ("1e3", 1000.0),
        ("true", True),
        ("none", "none"),
        ("nan", "nan"),
        ("5 masks", "5 masks"),
        ("", ""),
    ],
)
def test_values_are_numbers_where_they_look_like_numbers(text, value):
    read = parse_literal(text)
    assert read == value
    assert type(read) is type(value)


def test_a_decimal_point_makes_a_budget_a_share():
    assert parse_budget(None) is None
    assert (parse_budget("1"), type(parse_budget("1"))) == (1, int)
    assert (parse_budget("1.0"), type(parse_budget("1.0"))) == (1, float)


def test_how_to_search_is_handed_to_the_engine():
    run = RunSettings(9, 4, "top_k", spend="0.25", time_limit=3.0)
    assert run.method() == VPS("top_k", budget=0.25)
    assert run.budget() == Budget(seconds=3.0)
    run = RunSettings(9, 4, spend="70", method_name="drise", method_options=("masks=9", "p=0.3"))
    assert run.method() == DRISE(masks=9, p=0.3)
    assert run.budget() == Budget(passes=70)

import argparse

import pytest

pytest.importorskip("transformers")

from tools.benchmarks import prompts  # noqa: E402
from vps.errors import InputError  # noqa: E402


def run(*arguments):
    parser = argparse.ArgumentParser()
    prompts.add_arguments(parser)
    prompts.run(parser.parse_args(arguments))


def test_narrowing_changes_no_score(capsys):
    run("--objects", "2", "--tokens", "12", "4")
    lines = capsys.readouterr().out.splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[3:]]
    assert [row[0] for row in rows] == ["1", "2", "10"]
    assert [row[1] for row in rows] == ["10 to 10", "5 to 5", "1 to 1"]
    assert float(rows[0][3]) == 0
    assert float(rows[2][3]) > 0
    assert {row[5] for row in rows} == {"0e+00"}


def test_other_detectors_have_no_prompts(monkeypatch):
    monkeypatch.setattr(prompts, "load_for", lambda *_: object())
    with pytest.raises(InputError, match="no Grounding DINO"):
        run()

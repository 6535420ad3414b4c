import math

import pytest
import tqdm

from vps.engine.budget import Progress
from vps.report import progress


@pytest.fixture
def terminal(monkeypatch):
    """A bar that believes that somebody looks, unless it is told not to show."""

    def make(*, disable, **settings):
        return tqdm.tqdm(disable=bool(disable), ncols=120, mininterval=0, **settings)

    monkeypatch.setattr(progress, "tqdm", make)


def test_passes_and_aucs_are_shown_once_they_are_known(terminal, capsys):
    with progress.progress_bar("dog", 100) as show:
        show(Progress(8, 0, math.nan, math.nan, 0.0, False))
        first = capsys.readouterr().err
        show(Progress(40, 1, 0.75, 0.125, 0.0, True))
    assert "dog" in first
    assert "8/100" in first
    assert "insertion" not in first
    last = capsys.readouterr().err
    assert "40/100" in last
    assert "insertion 0.750, deletion 0.125" in last


def test_quiet_and_without_a_terminal(terminal, monkeypatch, capsys):
    with progress.progress_bar("dog", None, quiet=True) as show:
        show(Progress(8, 0, 0.5, 0.5, 0.0, True))
    monkeypatch.setattr(progress, "tqdm", tqdm.tqdm)
    with progress.progress_bar("dog", None) as show:
        show(Progress(8, 0, 0.5, 0.5, 0.0, True))
    assert capsys.readouterr().err == ""


def test_the_cost_is_told_once_after_the_first_batch_and_without_a_terminal_too(capsys):
    with progress.progress_bar("dog", 100, cost=lambda seconds: f"{seconds < 60}") as show:
        assert capsys.readouterr().err == ""
        show(Progress(8))
        assert capsys.readouterr().err == "dog: True\n"
        show(Progress(16))
    with progress.progress_bar("dog", 100, quiet=True, cost=str) as show:
        show(Progress(8))
    assert capsys.readouterr().err == ""

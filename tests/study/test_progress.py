from __future__ import annotations

import io
import sys

import pytest

from vps.study.progress import StudyProgress, case_bar
from vps.study.replies import Reply


def test_a_case_counts_once_by_its_worst_method():
    progress = StudyProgress(planned=9)
    progress.add_done({"vps": (0.5, 0.1)})
    progress.add(Reply({"vps": "done", "box": "done"}, {"vps": (0.7, 0.3), "box": (0.2, 0.2)}))
    progress.add(Reply({"vps": "done", "box": "failed"}, {"vps": (0.9, 0.2)}))
    progress.add(Reply({"vps": "skipped", "box": "skipped"}))
    summary = progress.summary()
    assert (summary.done, summary.failed, summary.skipped) == (2, 1, 1)
    assert (summary.computed, summary.results) == (3, 3)
    assert summary.exit_code == 1
    assert progress.means["vps"].insertion == pytest.approx(0.7)
    assert progress.means["vps"].deletion == pytest.approx(0.2)
    assert progress.means["box"].n == 1


def test_time_left_goes_by_what_this_start_computed(monkeypatch):
    progress = StudyProgress(planned=10, start=100.0)
    assert progress.left is None
    for _ in range(4):
        progress.add_done({})
    progress.add(Reply({"vps": "done"}))
    progress.add(Reply({"vps": "done"}))
    monkeypatch.setattr("time.perf_counter", lambda: 106.0)
    assert progress.rate == pytest.approx(2 / 6)
    assert progress.left == pytest.approx(12.0)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(screen, monkeypatch):
    monkeypatch.setattr(sys, "stderr", screen)
    progress = StudyProgress(planned=3)
    with case_bar("demo") as show:
        progress.add(Reply({"vps": "done"}, {"vps": (0.71, 0.12)}))
        progress.add(Reply({"vps": "failed"}))
        show(progress)
    return screen.getvalue()


def test_the_bar_shows_counts_and_means(monkeypatch):
    text = shown(Terminal(), monkeypatch)
    assert "demo" in text
    assert "2/3" in text
    assert "vps 0.710/0.120" in text
    assert "1 failed" in text


def test_there_is_no_bar_without_a_terminal(monkeypatch):
    assert shown(io.StringIO(), monkeypatch) == ""

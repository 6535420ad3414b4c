import json
import threading
import time

import numpy as np
import pytest

from tests.helpers.analytic import additive, strip_detector
from tests.helpers.objectives import WEIGHTS, make
from vps.engine.budget import Budget, Progress, Stopped, StopReason, as_budget, ending
from vps.errors import CancelledError, DetectorError, InputError
from vps.search import SEARCHES
from vps.search.driver import run_searches


@pytest.mark.parametrize("reason", StopReason)
def test_a_reason_is_its_text_wherever_it_is_written(reason):
    assert reason == reason.value == str(reason) == f"{reason}"
    assert json.loads(json.dumps(reason)) == reason.value
    assert StopReason(reason.value) is reason


def test_what_is_broken_off_and_what_ends_at_once():
    early = {reason.value for reason in StopReason if reason.early}
    assert early == {"time limit", "interrupted", "cancelled", "failed"}
    at_once = {reason.value for reason in StopReason if reason.at_once}
    assert at_once == {"interrupted", "cancelled", "failed"}


def test_what_was_swallowed_is_raised_again():
    StopReason.FINISHED.raise_again()
    StopReason.TIME_LIMIT.raise_again(None)
    with pytest.raises(KeyboardInterrupt):
        StopReason.INTERRUPTED.raise_again()
    with pytest.raises(CancelledError):
        StopReason.CANCELLED.raise_again()
    with pytest.raises(DetectorError, match="no boxes"):
        StopReason.FAILED.raise_again(DetectorError("no boxes"))


def reason_of(budget: Budget) -> StopReason | None:
    try:
        budget.check()
    except Stopped as stop:
        return stop.reason
    return None


def test_the_clock_runs_once_it_is_started(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    budget = Budget(seconds=10)
    assert reason_of(budget) is None
    running = budget.started()
    assert running.started() is running
    half = running.first(0.5)
    assert (running.deadline, half.deadline) == (110, 105)
    now[0] = 107.0
    assert reason_of(running) is None
    assert reason_of(half) is StopReason.TIME_LIMIT
    now[0] = 110.0
    assert reason_of(running) is reason_of(running.within(5)) is StopReason.TIME_LIMIT


def test_without_limits_nothing_ends_but_what_is_over():
    assert reason_of(Budget().started()) is None
    assert reason_of(Budget().first(0.5)) is None
    assert reason_of(Budget().over()) is StopReason.TIME_LIMIT


def test_somebody_else_can_end_a_search_and_gets_what_is_known():
    event = threading.Event()

    def after_two(progress: Progress) -> None:
        if progress.passes >= 8:
            event.set()

    objective = make(strip_detector(additive(WEIGHTS)), batch_size=4)
    budget = Budget(progress=after_two, cancelled=event.is_set)
    outcome = run_searches(SEARCHES["greedy"], [objective], budget=budget)
    assert outcome.stopped is StopReason.CANCELLED
    assert objective.source.passes == 8
    assert sorted(outcome.orders[0].tolist()) == list(range(6))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"passes": -1}, "budget is a whole number of passes >= 0, got -1"),
        ({"passes": 2.5}, "budget is a whole number"),
        ({"passes": True}, "budget is a whole number"),
        ({"seconds": 0}, "seconds > 0, got 0"),
        ({"seconds": "5"}, "seconds > 0, got 5"),
        ({"seconds": float("nan")}, "seconds > 0, got nan"),
    ],
)
def test_what_no_budget_can_be(settings, message):
    with pytest.raises(InputError, match=message):
        Budget(**settings)


def test_a_number_is_one_of_passes_and_a_share_belongs_to_the_method():
    assert as_budget(None) == Budget()
    assert as_budget(np.int64(7)).passes == 7
    assert as_budget(Budget(seconds=5)).deadline is not None
    with pytest.raises(InputError, match=r"VPS\(budget=0.1\)"):
        as_budget(0.1)


def test_why_a_method_ended_whose_answer_is_kept():
    error = DetectorError("no memory")
    assert ending(error) == (StopReason.FAILED, error)
    assert ending(KeyboardInterrupt()) == (StopReason.INTERRUPTED, None)
    assert ending(Stopped(StopReason.TIME_LIMIT)) == (StopReason.TIME_LIMIT, None)

import json
import time

import pytest

from vps.engine.budget import Stopped, StopReason, check_time


@pytest.mark.parametrize("reason", StopReason)
def test_a_reason_is_its_text_wherever_it_is_written(reason):
    assert reason == reason.value == str(reason) == f"{reason}"
    assert json.loads(json.dumps(reason)) == reason.value
    assert StopReason(reason.value) is reason


def test_what_is_broken_off_and_what_ends_at_once():
    early = {reason.value for reason in StopReason if reason.early}
    assert early == {"time limit", "interrupted", "failed"}
    assert {reason.value for reason in StopReason if reason.at_once} == {"interrupted", "failed"}


def test_time_is_up_after_the_deadline_only():
    check_time(None)
    check_time(time.monotonic() + 60)
    with pytest.raises(Stopped) as stop:
        check_time(time.monotonic() - 1)
    assert stop.value.reason is StopReason.TIME_LIMIT

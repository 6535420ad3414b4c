import threading
import time

import pytest

from tests.helpers.page import ended
from vps.app.turns import Turns
from vps.errors import CancelledError, InputError


def test_one_at_a_time_first_come_first_served():
    line, order, running, gate = Turns(), [], [], threading.Event()

    def work(number):
        def run(turn):
            running.append(number)
            gate.wait(5)
            order.append((number, len(running)))
            running.remove(number)
            return number

        return run

    turns = [line.submit(work(number)) for number in range(3)]
    while not running:
        time.sleep(0.01)
    assert [turn.ahead for turn in turns] == [0, 1, 2]
    gate.set()
    assert all(ended(turn) for turn in turns)
    assert order == [(0, 1), (1, 1), (2, 1)]
    assert [turn.result for turn in turns] == [0, 1, 2]
    assert all(turn.ahead == 0 for turn in turns)


def test_what_it_tells_is_heard_and_its_end_too():
    line, gate = Turns(), threading.Event()

    def work(turn):
        turn.tell("half")
        gate.wait(5)
        return "all"

    turn = line.submit(work)
    assert turn.wait(0, 5)
    assert (turn.latest, turn.version) == ("half", 1)
    assert not turn.wait(1, 0.01)
    gate.set()
    assert ended(turn)
    assert (turn.result, turn.error) == ("all", None)
    assert turn.seconds > 0


def test_an_error_is_kept_and_the_next_gets_its_turn():
    line = Turns()

    def fails(turn):
        raise ValueError("odd")

    first, second = line.submit(fails), line.submit(lambda turn: "fine")
    assert ended(second)
    assert str(first.error) == "odd"
    assert second.result == "fine"


def test_who_is_cancelled_in_the_line_never_begins_and_who_runs_is_asked_to_end():
    line, begun, gate = Turns(), [], threading.Event()

    def work(turn):
        begun.append(turn)
        gate.wait(5)
        return turn.cancelled()

    first = line.submit(work)
    second = line.submit(work)
    second.cancel()
    assert second.done
    assert isinstance(second.error, CancelledError)
    while not begun:
        time.sleep(0.01)
    first.cancel()
    gate.set()
    assert ended(first)
    assert first.result is True
    assert begun == [first]


def test_a_line_that_is_too_long_takes_no_more():
    line, gate = Turns(), threading.Event()
    first = line.submit(lambda turn: gate.wait(5))
    while not first.seconds:
        time.sleep(0.01)
    for _ in range(20):
        line.submit(lambda turn: None)
    with pytest.raises(InputError, match="20 others are waiting"):
        line.submit(lambda turn: None)
    gate.set()

import itertools
import time
from types import SimpleNamespace

import numpy as np
import pytest

from tests.helpers.analytic import TARGET, breaking, noisy, per_label, scattered, strip_detector
from tests.helpers.objectives import WEIGHTS, make, shared
from vps.core.targets import Target
from vps.engine import budget
from vps.engine.budget import Budget, Progress
from vps.engine.curve_values import auc
from vps.engine.curves import replay
from vps.engine.objective import Objective
from vps.errors import InputError
from vps.search import SEARCHES
from vps.search.driver import run_searches
from vps.search.known import best_known_order
from vps.search.protocol import Round
from vps.search.settings import BUDGETED

LABELS = ("cat", "dog", "bird")
PER_LABEL = per_label(np.stack([WEIGHTS, WEIGHTS[::-1], np.roll(WEIGHTS, 3)], axis=1))
ROWS = np.array(list(itertools.product([True, False], repeat=6)))
ROWS = ROWS[[0, 63, *range(1, 63)]]  # the ends of all curves first: the driver asks for them anyway


def objectives(detector, labels=LABELS, **settings) -> list[Objective]:
    source = shared(detector, [Target(TARGET.box, label) for label in labels], **settings)
    return [Objective(source, number) for number in range(len(labels))]


def asking(rounds: dict[str, list[np.ndarray]], *, divisible: bool, sent: list | None = None):
    """A search that asks for fixed rounds by label and goes back by one region at each."""

    def search(objective, seed):
        for number, ask in enumerate(rounds[objective.target.label]):
            complete = yield Round(np.roll(np.arange(6), number), ask, divisible)
            if sent is not None:
                sent.append((objective.target.label, complete))
            if not complete:
                return np.arange(6)[::-1]
        return np.arange(6)

    return search


def is_order(order, count: int = 6) -> bool:
    return sorted(order.tolist()) == list(range(count))


@pytest.mark.parametrize("name", SEARCHES)
def test_targets_share_passes(name):
    detector = strip_detector(PER_LABEL)
    together = objectives(detector)
    outcome = run_searches(SEARCHES[name], together)
    alone = [objectives(strip_detector(PER_LABEL), [label])[0] for label in LABELS]
    orders = [run_searches(SEARCHES[name], [one]).orders[0] for one in alone]
    assert together[0].source.passes == len({row.tobytes() for row in detector.seen})
    assert len(detector.seen) < sum(one.source.passes for one in alone)
    assert all(is_order(order) for order in outcome.orders)
    # Some learn from what others asked for.
    if name not in BUDGETED:
        assert np.array_equal(outcome.orders, orders)
    assert outcome.stopped == "finished"
    assert outcome.error is None


def test_what_several_ask_for_passes_once_and_in_one_round():
    detector = strip_detector(PER_LABEL)
    rounds = {"cat": [ROWS[:10], ROWS[20:22]], "dog": [ROWS[5:12], ROWS[8:21]], "bird": [ROWS[:3]]}
    outcome = run_searches(asking(rounds, divisible=False), objectives(detector, batch_size=64))
    assert np.array_equal(
        detector.seen, ROWS[[*range(3), *range(5, 12), 3, 4, 20, 21, *range(12, 20)]]
    )
    assert detector.batches == [12, 10]
    assert outcome.rounds == len(outcome.trace) == 2


def test_a_round_that_is_known_already_is_none():
    sent: list = []
    search = asking({"dog": [ROWS[:4], ROWS[1:3], ROWS[2:6]]}, divisible=False, sent=sent)
    outcome = run_searches(search, objectives(strip_detector(PER_LABEL), ["dog"]))
    assert outcome.rounds == 2
    assert sent == [("dog", True)] * 3
    assert outcome.orders[0].tolist() == list(range(6))


def test_a_budget_is_shared_evenly_and_what_one_leaves_goes_to_the_rest():
    rounds = {
        "cat": [ROWS[:2]],
        "dog": [ROWS[2:4], ROWS[4:20], ROWS[40:50]],
        "bird": [ROWS[20:22], ROWS[22:38], ROWS[50:60]],
    }
    sent: list = []
    detector = strip_detector(PER_LABEL)
    search = asking(rounds, divisible=True, sent=sent)
    outcome = run_searches(search, objectives(detector), budget=Budget(16))
    assert outcome.stopped == "budget"
    assert np.array_equal(detector.seen, ROWS[[0, 1, 2, 3, 20, 21, *range(4, 9), *range(22, 27)]])
    first = [(label, True) for label in LABELS]
    assert sent == [*first, ("dog", False), ("bird", False)]


@pytest.mark.parametrize(("divisible", "passes"), [(True, 10), (False, 4)])
def test_only_a_divisible_round_is_begun_where_it_cannot_be_ended(divisible, passes):
    search = asking({"dog": [ROWS[:4], ROWS[4:12], ROWS[12:]]}, divisible=divisible)
    one = objectives(strip_detector(PER_LABEL), ["dog"])
    outcome = run_searches(search, one, budget=Budget(10))
    assert np.array_equal(one[0].source.subsets, ROWS[:passes])
    assert outcome.orders[0].tolist() == [5, 4, 3, 2, 1, 0]
    assert outcome.stopped == "budget"


def holding(reserve: int, sent: list):
    """A search that holds passes back, and asks for four at the end."""

    def search(objective, seed):
        complete = yield Round(np.arange(6), ROWS[:4], True, reserve)
        while complete:
            start = objective.source.passes
            complete = yield Round(np.arange(6), ROWS[start : start + 3], True, reserve)
            sent.append(complete)
        sent.append((yield Round(np.arange(6), ROWS[40:44], True)))
        yield Round(np.arange(6), ROWS[50:60], True)

    return search


def test_what_is_held_back_is_for_the_last_round():
    sent: list = []
    one = objectives(strip_detector(PER_LABEL), ["dog"])
    outcome = run_searches(holding(4, sent), one, budget=Budget(16))
    assert np.array_equal(one[0].source.subsets, ROWS[[*range(12), *range(40, 44)]])
    assert sent == [True, True, False, True]
    assert (outcome.stopped, outcome.orders[0].tolist()) == ("budget", list(range(6)))


def scripted(rounds: dict[str, list[Round]], sent: list):
    """A search that yields fixed rounds by label."""

    def search(objective, seed):
        for step in rounds[objective.target.label]:
            sent.append((objective.target.label, (yield step)))

    return search


@pytest.mark.parametrize("other", [True, False])
def test_what_one_target_held_back_is_not_for_another(other):
    order, sent = np.arange(6), []
    rounds = {
        "cat": [Round(order, ROWS[:4], True, 8), Round(order, ROWS[20:28], True)],
        "dog": [Round(order, ROWS[:4], True, 0), Round(order, ROWS[30:36], other, 0)],
    }
    two = objectives(strip_detector(PER_LABEL), ["dog", "cat"])
    run_searches(scripted(rounds, sent), two, budget=Budget(14))
    assert ("cat", True) in sent[2:]
    assert np.array_equal(two[0].source.subsets[4:12], ROWS[20:28])
    assert two[0].source.passes == (14 if other else 12)


def test_of_what_is_due_at_once_nothing_is_cut_off_for_a_share_of_the_rest():
    order, sent = np.arange(6), []
    rounds = {
        "cat": [Round(order, ROWS[:4], True, 9), Round(order, ROWS[20:29], True)],
        "dog": [Round(order, ROWS[:4], True, 3), Round(order, ROWS[30:33], True)],
    }
    two = objectives(strip_detector(PER_LABEL), ["cat", "dog"])
    run_searches(scripted(rounds, sent), two, budget=Budget(16))
    assert sent == [("cat", True), ("dog", True)] * 2


def test_a_round_that_cannot_be_divided_takes_what_several_shares_leave():
    order, sent = np.arange(6), []
    rounds = {
        label: [Round(order, ROWS[:4], True, 0), Round(order, ROWS[start : start + 6], False, 0)]
        for label, start in zip(LABELS, (10, 20, 30), strict=True)
    }
    three = objectives(strip_detector(PER_LABEL))
    run_searches(scripted(rounds, sent), three, budget=Budget(4 + 13))
    assert sent[3:] == [("cat", True), ("dog", True), ("bird", False)]
    assert three[0].source.passes == 16


def test_nothing_is_held_back_from_who_asks_for_nothing_to_be():
    one = objectives(strip_detector(PER_LABEL), ["dog"])
    run_searches(holding(0, []), one, budget=Budget(16))
    assert np.array_equal(one[0].source.subsets, ROWS[:16])


def test_after_the_time_nothing_more_is_shown():
    calls: list = []
    one = objectives(strip_detector(PER_LABEL), ["dog"], batch_size=64)
    limit = Budget(60, cancelled=lambda: calls.append(1) or len(calls) > 2)
    outcome = run_searches(holding(4, []), one, budget=limit)
    assert (outcome.stopped, one[0].source.passes) == ("cancelled", 7)


def test_after_a_refusal_comes_one_round_at_the_most():
    def stubborn(objective, seed):
        for number in itertools.count():
            yield Round(np.roll(np.arange(6), number), ROWS[3 * number : 3 * number + 3])

    one = objectives(strip_detector(PER_LABEL), ["dog"])
    outcome = run_searches(stubborn, one, budget=Budget(7))
    assert one[0].source.passes == 6
    assert outcome.orders[0].tolist() == np.roll(np.arange(6), 3).tolist()


@pytest.mark.parametrize("name", SEARCHES)
def test_a_budget_below_the_first_round_names_the_least(name):
    detector = strip_detector(PER_LABEL)
    with pytest.raises(InputError, match="budget of 1 passes .* needs ") as error:
        run_searches(SEARCHES[name], objectives(detector), budget=Budget(1))
    assert not detector.seen
    least = int(str(error.value).split()[-1])
    with pytest.raises(InputError, match=f"needs {least}"):
        run_searches(SEARCHES[name], objectives(detector), budget=Budget(least - 1))
    many = objectives(detector)
    run_searches(SEARCHES[name], many, budget=Budget(least))
    assert many[0].source.passes == least


def test_passes_from_before_count_but_not_twice():
    one = objectives(strip_detector(PER_LABEL), ["dog"])
    search = asking({"dog": [ROWS[:6]]}, divisible=False)
    one[0].evaluate(ROWS[[0, 1, 30]])
    with pytest.raises(InputError, match="needs 7"):
        run_searches(search, one, budget=Budget(6))
    assert run_searches(search, one, budget=Budget(7)).stopped == "finished"


@pytest.mark.parametrize("name", SEARCHES)
@pytest.mark.parametrize("call", [0, 1, 2, 3])
@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("out of memory")])
def test_an_end_in_the_middle_keeps_the_order_so_far(name, call, error):
    detector = breaking(strip_detector(noisy(WEIGHTS)), {call: error})
    objective = make(detector, batch_size=3)
    outcome = run_searches(SEARCHES[name], [objective])
    if isinstance(error, KeyboardInterrupt):
        assert (outcome.stopped, outcome.error) == ("interrupted", None)
    else:
        assert outcome.stopped == "failed"
        assert outcome.error.__cause__ is error
    assert len(detector.batches) == call
    assert is_order(outcome.orders[0])
    assert objective.source.passes == sum(detector.batches)


@pytest.mark.parametrize("name", ["path_search", "top_k"])
def test_what_is_kept_is_the_best_that_is_known(name):
    known = []
    for call in range(7, 15):
        detector = breaking(strip_detector(scattered(), 8), {call: KeyboardInterrupt()})
        objective = make(detector, batch_size=4)
        order = run_searches(SEARCHES[name], [objective]).orders[0]
        best, reached = best_known_order(objective)
        assert order.tolist() == best.tolist()
        known.append(reached)
    assert known == sorted(known)
    assert known[-1] > known[0]


def test_an_interruption_of_the_thinking_keeps_the_last_order():
    def thinking(objective, seed):
        yield Round(np.arange(6), ROWS[:4])
        yield Round(np.roll(np.arange(6), 2), ROWS[4:8])
        if objective.target.label == "dog":
            raise KeyboardInterrupt
        yield Round(np.arange(6)[::-1], ROWS[8:12])

    many = objectives(strip_detector(PER_LABEL))
    outcome = run_searches(thinking, many)
    assert outcome.stopped == "interrupted"
    assert many[0].source.passes == 8
    assert outcome.orders[1].tolist() == np.roll(np.arange(6), 2).tolist()
    assert all(is_order(order) for order in outcome.orders)


def test_a_mistake_of_a_search_is_not_taken_for_one_of_the_detector():
    def mistaken(objective, seed):
        yield Round(np.arange(6), ROWS[:4])
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_searches(mistaken, objectives(strip_detector(PER_LABEL)))


@pytest.mark.parametrize(("seconds", "batches"), [(0.5, 1), (3, 3), (3.5, 4), (1000, 11)])
def test_a_time_limit_begins_no_further_batch(monkeypatch, seconds, batches):
    detector = strip_detector(noisy(WEIGHTS))
    # Each batch takes a second, and nothing else does.
    clock = SimpleNamespace(
        monotonic=lambda: float(len(detector.batches)), perf_counter=time.perf_counter
    )
    monkeypatch.setattr(budget, "time", clock)
    outcome = run_searches(
        SEARCHES["greedy"], [make(detector, batch_size=4)], budget=Budget(seconds=seconds)
    )
    assert len(detector.batches) == batches
    assert outcome.stopped == ("time limit" if seconds < 10 else "finished")
    assert is_order(outcome.orders[0])


@pytest.mark.parametrize("name", SEARCHES)
def test_progress_counts_up_and_ends_with_the_curves_of_the_orders(name):
    seen: list[Progress] = []
    many = objectives(strip_detector(PER_LABEL), batch_size=5)
    outcome = run_searches(SEARCHES[name], many, budget=Budget(progress=seen.append))
    for field in ("passes", "rounds", "seconds"):
        values = [getattr(progress, field) for progress in seen]
        assert values == sorted(values)
    assert (seen[-1].passes, seen[-1].rounds) == (many[0].source.passes, outcome.rounds)
    curves = [replay(one, order) for one, order in zip(many, outcome.orders, strict=True)]
    for side in ("insertion", "deletion"):
        areas = np.mean([auc(curve.areas, getattr(curve, side)) for curve in curves])
        assert getattr(seen[-1], f"{side}_auc") == pytest.approx(areas, abs=1e-12)


def test_before_anything_passed_there_is_no_area():
    seen: list[Progress] = []
    run_searches(
        SEARCHES["greedy"],
        objectives(strip_detector(PER_LABEL)),
        budget=Budget(progress=seen.append),
    )
    assert np.isnan(seen[0].insertion_auc)
    assert np.isnan(seen[0].deletion_auc)
    assert np.isfinite(seen[-1][2:]).all()


def test_the_trace_has_each_round_and_does_not_get_worse():
    objective = make(strip_detector(scattered(), 10))
    outcome = run_searches(SEARCHES["path_search"], [objective])
    assert [step.rounds for step in outcome.trace] == list(range(1, outcome.rounds + 1))
    assert outcome.trace[-1].passes == objective.source.passes
    worths = [step.insertion_auc - step.deletion_auc for step in outcome.trace[1:]]
    assert len(worths) > 2
    assert (np.diff(worths) >= -1e-12).all()

from collections import Counter

import numpy as np
import pytest

from vps.core.targets import Kind
from vps.data.cases.cases import Case
from vps.data.cases.sampling import draw_cases

BOX = (0.0, 0.0, 10.0, 10.0)


def pool(count=400, seed=0):
    """Cases with a long tail of labels; of a label, the frequency is fixed."""
    rng = np.random.default_rng(seed)
    weights = 1 / np.arange(1, 11) ** 2
    labels = rng.choice(10, count, p=weights / weights.sum())
    kinds = (Kind.CORRECT, Kind.MISSED, Kind.BACKGROUND)
    return [
        Case(
            image_id=index // 8,
            key=f"d{index % 8 + 1}",
            kind=kinds[rng.choice(3, p=[0.7, 0.2, 0.1])],
            box=BOX,
            label=f"label {label}",
            frequency="f" if label < 2 else "c" if label < 5 else "r",
        )
        for index, label in enumerate(labels)
    ]


def test_without_limits_all_are_drawn():
    assert draw_cases(pool()) == pool()
    assert draw_cases([]) == []


def test_all_limits_hold_at_once():
    cases = draw_cases(pool(), per_kind=30, per_class=5, per_frequency=12, per_image=2)
    for limit, key in [
        (30, lambda case: case.kind),
        (5, lambda case: (case.kind, case.label)),
        (12, lambda case: (case.kind, case.frequency)),
        (2, lambda case: (case.kind, case.image_id)),
    ]:
        assert 0 < max(Counter(map(key, cases)).values()) <= limit


@pytest.mark.parametrize("limit", ["per_kind", "per_class", "per_frequency", "per_image"])
def test_no_case_is_left_out_that_would_break_no_limit(limit):
    key = {
        "per_kind": lambda case: case.kind,
        "per_class": lambda case: (case.kind, case.label),
        "per_frequency": lambda case: (case.kind, case.frequency),
        "per_image": lambda case: (case.kind, case.image_id),
    }[limit]
    drawn = Counter(map(key, draw_cases(pool(), **{limit: 3})))
    assert drawn == {group: min(count, 3) for group, count in Counter(map(key, pool())).items()}


def test_the_order_stays_and_the_seed_decides():
    cases = pool()
    drawn = draw_cases(cases, per_kind=10, seed=1)
    assert drawn == [case for case in cases if case in drawn]
    assert draw_cases(cases, per_kind=10, seed=1) == drawn
    assert draw_cases(cases, per_kind=10, seed=2) != drawn


def test_a_kind_does_not_depend_on_the_others():
    missed = [case for case in pool() if case.kind is Kind.MISSED]
    settings = {"per_kind": 10, "per_class": 2, "per_image": 1}
    both = draw_cases(pool(), **settings)
    assert [case for case in both if case.kind is Kind.MISSED] == draw_cases(missed, **settings)


def test_limited_classes_take_turns():
    kind = [case for case in pool() if case.kind is Kind.CORRECT]
    labels = {case.label for case in kind}
    spread = draw_cases(kind, per_kind=len(labels), per_class=50)
    assert {case.label for case in spread} == labels
    mixed = Counter(case.label for case in draw_cases(kind, per_kind=100))
    assert mixed["label 0"] > 40


def test_limited_frequencies_take_turns():
    kind = [case for case in pool() if case.kind is Kind.CORRECT]
    drawn = Counter(case.frequency for case in draw_cases(kind, per_kind=9, per_frequency=100))
    assert drawn == {"r": 3, "c": 3, "f": 3}

"""The class x class table: planted reliance, chance, and what cannot be tested."""

import dataclasses

import numpy as np
import pytest

from tests.helpers.reliance import case_facts, facts_of_noise
from vps.errors import InputError
from vps.metrics.aggregate import mean_interval
from vps.reliance.statistics import above_zero
from vps.reliance.table import RelianceSettings, RelianceVerdict, reliance_table

FAST = RelianceSettings(draws=50)


def planted(images=12, seed=0):
    """Wheels lean on bars; balls, and what is beside poles, on nothing."""
    rng = np.random.default_rng(seed)
    for image in range(images):
        for label in ("wheel", "ball"):
            leans = label == "wheel"
            yield case_facts(
                label,
                image,
                bar=(0.2 * leans + rng.uniform(0, 0.1), 0.05, 0.5 - 0.4 * leans, 0.5),
                pole=(rng.uniform(0, 0.1), 0.05, 0.5 + rng.normal(0, 0.05), 0.5),
            )


def test_what_was_planted_comes_first_and_is_all_that_is_verified():
    entries = reliance_table(planted(), FAST)
    first = entries[0]
    assert (first.label, first.other, first.verdict) == ("wheel", "bar", RelianceVerdict.VERIFIED)
    assert first.excess.low > 0
    assert first.effect.low > 0
    assert first.fall == pytest.approx(0.8)
    assert first.fall_elsewhere == 0
    assert {entry.verdict for entry in entries[1:]} == {RelianceVerdict.CHANCE}
    assert len(entries) == 4


def test_numbers_of_an_entry_against_plain_means():
    facts = list(planted())
    found = {(one.label, one.other): one for one in reliance_table(facts, FAST)}
    own = [one for one in facts if one.label == "ball"]
    entry = found["ball", "pole"]
    over = [one.others["pole"].share - one.others["pole"].chance for one in own]
    images = [one.image_id for one in own]
    assert entry.excess == mean_interval(over, images, draws=50)
    # Where wheels and balls see the same objects, what is usual for one is the share of the other.
    wheels = [one.others["pole"].share for one in facts if one.label == "wheel"]
    assert entry.usual == pytest.approx(np.mean(wheels))
    assert (entry.together, entry.anywhere, entry.lift) == (1, 1, 1)


def test_q_values_are_those_of_benjamini_and_hochberg():
    entries = reliance_table(planted(), FAST)
    p = np.array([entry.p_evidence for entry in entries])
    q = [entry.q_evidence for entry in entries]
    order = np.argsort(p)
    expected = np.empty(len(p))
    smallest = 1.0
    for rank in range(len(p), 0, -1):
        smallest = min(smallest, p[order[rank - 1]] * len(p) / rank)
        expected[order[rank - 1]] = smallest
    assert q == pytest.approx(expected.tolist())


def test_the_sign_test_against_all_signs():
    values = np.random.default_rng(1).normal(0.4, 1, 8)
    signs = np.array(np.meshgrid(*[[-1, 1]] * 8)).reshape(8, -1)
    sums = (signs * values[:, None]).sum(axis=0)
    expected = (sums >= values.sum() - 1e-12).mean()
    assert above_zero(values, np.arange(8)) == pytest.approx(expected)
    # Two cases of an image are one unit.
    assert above_zero(np.repeat(values, 2), np.repeat(np.arange(8), 2)) == pytest.approx(expected)


def test_many_images_against_the_sign_test():
    values = np.random.default_rng(2).normal(0.15, 1, 60)
    signs = np.random.default_rng(3).choice([-1, 1], (20_000, 60))
    expected = (signs @ values >= values.sum()).mean()
    assert above_zero(values, np.arange(60)) == pytest.approx(expected, abs=0.01)
    assert above_zero(np.zeros(60), np.arange(60)) == 1


@pytest.mark.parametrize("images", [1, 4])
def test_too_few_images_are_listed_and_not_tested(images):
    entries = reliance_table(planted(images), FAST)
    assert {entry.verdict for entry in entries} == {RelianceVerdict.FEW}
    assert all(entry.q_evidence is None and entry.q_effect is None for entry in entries)
    assert entries[0].excess.n == images


def test_failures_and_maps_without_evidence_are_left_out():
    facts = list(planted(6))
    more = [dataclasses.replace(facts[0], kind="missed"), dataclasses.replace(facts[0], own=None)]
    assert reliance_table([*facts, *more], FAST) == reliance_table(facts, FAST)
    assert reliance_table(more, FAST) == []


def test_evidence_without_an_effect_and_without_a_measurement():
    facts = [case_facts("dog", image, snow=(0.5, 0.1, 0.5, 0.5)) for image in range(8)]
    assert reliance_table(facts, FAST)[0].verdict is RelianceVerdict.EVIDENCE
    facts = [case_facts("dog", image, snow=(0.5, 0.1, None, None)) for image in range(8)]
    (entry,) = reliance_table(facts, FAST)
    assert (entry.verdict, entry.measured, entry.effect) == (RelianceVerdict.EVIDENCE, 0, None)


def test_settings_out_of_range():
    with pytest.raises(InputError, match="least_images"):
        RelianceSettings(least_images=1)
    with pytest.raises(InputError, match="level"):
        RelianceSettings(level=1.0)


def falsely_found(runs):
    """In how many of some runs something is verified, and in how many a test finds something, of a
    detector whose score is noise and whose maps are random."""
    settings = RelianceSettings(draws=10)
    verified = either = 0
    for seed in range(runs):
        entries = reliance_table(facts_of_noise(seed), settings)
        assert sum(entry.verdict is not RelianceVerdict.FEW for entry in entries) >= 2
        verified += any(entry.verdict is RelianceVerdict.VERIFIED for entry in entries)
        either += any(
            min(entry.q_evidence or 1, entry.q_effect or 1) <= settings.level for entry in entries
        )
    return verified, either


def test_a_detector_that_leans_on_nothing_has_a_clean_table():
    verified, either = falsely_found(6)
    assert verified == 0
    assert either <= 2


@pytest.mark.slow
def test_a_detector_that_leans_on_nothing_has_a_clean_table_in_95_of_100_runs():
    verified, either = falsely_found(200)
    assert verified <= 10
    # Each of two tests may find something in one of twenty, and chance adds to that.
    assert either <= 30


def test_chance_alone_is_found_in_one_of_twenty_tables():
    runs, found = 40, 0
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        # As shares are: mostly near zero, seldom large.
        facts = [
            case_facts(
                str(rng.choice(["a", "b"])),
                image,
                c=(rng.exponential(0.1), 0.1, 0.5, 0.5),
                d=(rng.exponential(0.1), 0.1, 0.5, 0.5),
            )
            for image in range(24)
        ]
        entries = reliance_table(facts, RelianceSettings(draws=10))
        found += any((entry.q_evidence or 1) <= 0.05 for entry in entries)
    assert found <= 5  # 98 % of the time, were it one of twenty

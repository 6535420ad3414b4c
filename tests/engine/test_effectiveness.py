"""How different the regions of a subset are, against its definition."""

import itertools
import math

import numpy as np
import pytest
import torch

from tests.helpers.analytic import additive, noisy, photo, scattered, strip_detector
from tests.helpers.objectives import WEIGHTS, make, subsets
from vps.core.regions import Regions, make_regions
from vps.engine import effectiveness
from vps.engine.curves import prefixes, replay
from vps.engine.effectiveness import Effectiveness, region_features
from vps.errors import InputError
from vps.search import SEARCHES
from vps.search.driver import run_searches
from vps.search.known import best_known_order

PIXELS = torch.from_numpy(photo().astype(np.float32) / 255).permute(2, 0, 1)
REGIONS = make_regions(PIXELS, 12, "grid")
EVERY = np.array(list(itertools.product([False, True], repeat=6)))


def slow_features(pixels, labels):
    """Pixel by pixel."""
    height, width = labels.shape
    rows = []
    for region in range(labels.max() + 1):
        places = [(y, x) for y in range(height) for x in range(width) if labels[y, x] == region]
        colours = [[float(plane[y, x]) for plane in pixels] for y, x in places]
        centres = [((x + 0.5) / width, (y + 0.5) / height) for y, x in places]
        rows.append([*np.mean(colours, axis=0), *np.mean(centres, axis=0)])
    return np.array(rows)


def slow(features, keep) -> float:
    """The sum of smallest distances, pair by pair."""
    members, total = np.flatnonzero(keep), 0.0
    for one in members:
        distances = [
            math.dist(features[one], features[other]) / math.sqrt(5)
            for other in members
            if other != one
        ]
        total += min(distances, default=1.0)
    return total


def test_features_are_mean_colour_and_centre():
    found = region_features(PIXELS, REGIONS)
    np.testing.assert_allclose(found, slow_features(PIXELS, REGIONS.label_map), atol=1e-6)
    assert found.min() >= 0
    assert found.max() <= 1


def test_equals_the_definition():
    keep = np.concatenate([subsets(30, REGIONS.count), np.eye(REGIONS.count, dtype=bool)])
    keep = np.concatenate([keep, np.ones((1, REGIONS.count), bool)])
    expected = [slow(slow_features(PIXELS, REGIONS.label_map), row) for row in keep]
    np.testing.assert_allclose(Effectiveness(PIXELS, REGIONS)(keep), expected, atol=1e-6)


def test_by_hand():
    # Black beside white, halves of one size: the colours are sqrt(3) apart, the centres 1/2.
    pixels = torch.zeros(3, 2, 4)
    pixels[:, :, 2:] = 1
    halves = Regions(np.repeat([[0, 0, 1, 1]], 2, axis=0), "halves")
    value = Effectiveness(pixels, halves)(np.array([[0, 0], [1, 0], [0, 1], [1, 1]], bool))
    np.testing.assert_allclose(value, [0, 1, 1, 2 * math.sqrt((3 + 0.25) / 5)])


def test_toggled_is_what_a_region_more_or_less_makes():
    measure = Effectiveness(PIXELS, REGIONS)
    keep = np.concatenate(
        [subsets(20, REGIONS.count), np.eye(REGIONS.count, dtype=bool), prefixes(np.arange(12))]
    )
    other = keep[:, None] ^ np.eye(REGIONS.count, dtype=bool)
    expected = measure(other.reshape(-1, REGIONS.count)).reshape(keep.shape)
    np.testing.assert_allclose(measure.toggled(keep), expected, atol=1e-12)


def test_alike_regions_add_nothing_and_all_alike_tie():
    pixels = torch.full((3, 4, 4), 0.5)
    pixels[0, 0, 0] = 1
    measure = Effectiveness(pixels, make_regions(pixels, 4, "grid"))
    measure._distances[:] = 0
    assert measure(np.ones((1, 4), bool)) == [0]
    assert measure.toggled(np.ones((1, 4), bool)).tolist() == [[0, 0, 0, 0]]


@pytest.mark.parametrize("lambdas", [(1, 1, 0.5), (0.3, 0, 2.0)])
def test_it_is_the_third_term_of_the_objective(lambdas):
    objective = make(strip_detector(noisy(WEIGHTS)), lambdas=lambdas)
    plain = make(strip_detector(noisy(WEIGHTS)), lambdas=lambdas[:2])
    features = slow_features(objective.source.pixels, objective.regions.label_map)
    diverse = np.array([slow(features, row) for row in EVERY])
    expected = plain.value(EVERY) + lambdas[2] * diverse
    np.testing.assert_allclose(objective.value(EVERY), expected, atol=1e-6)
    order = np.array([3, 1, 4, 0, 5, 2])
    np.testing.assert_allclose(
        replay(objective, order).objective, objective.value(prefixes(order)), atol=1e-12
    )
    assert objective.source.passes == plain.source.passes


def test_the_best_known_order_counts_it_in():
    objective = make(strip_detector(noisy(WEIGHTS)), lambdas=(1, 1, 0.3), batch_size=64)
    value = dict(zip(map(bytes, EVERY), objective.value(EVERY), strict=True))
    areas = objective.regions.areas
    worths = {}
    for order in itertools.permutations(range(6)):
        steps = [value[bytes(row)] for row in prefixes(np.array(order))]
        means = np.add(steps[1:], steps[:-1]) / 2
        worths[order] = float(areas[list(order)] @ means)
    order, found = best_known_order(objective)
    assert found == pytest.approx(max(worths.values()))
    assert worths[tuple(order.tolist())] == pytest.approx(found)


def test_greedy_takes_what_differs_where_scores_do_not():
    objective = make(strip_detector(additive(np.zeros(6))), lambdas=(1, 1, 1))
    order = run_searches(SEARCHES["greedy"], [objective]).orders[0]
    features = slow_features(objective.source.pixels, objective.regions.label_map)
    chosen: list[int] = []
    for _ in range(6):
        left = [region for region in range(6) if region not in chosen]
        chosen.append(max(left, key=lambda r: slow(features, np.isin(np.arange(6), [*chosen, r]))))
    assert order.tolist() == chosen


@pytest.mark.parametrize("name", SEARCHES)
@pytest.mark.parametrize("answer", [noisy(np.linspace(0.01, 0.2, 8)), scattered()])
def test_a_weight_of_0_changes_no_bit_and_any_other_keeps_an_order(name, answer):
    outcomes = []
    for lambdas in ((1.0, 0.7), (1.0, 0.7, 0.0), (1.0, 0.7, 0.3)):
        objective = make(strip_detector(answer, 8), lambdas=lambdas)
        order = run_searches(SEARCHES[name], [objective]).orders[0]
        assert sorted(order.tolist()) == list(range(8))
        outcomes.append((order.tolist(), replay(objective, order).objective.tobytes()))
    assert outcomes[0] == outcomes[1]


def test_too_many_regions_are_refused_before_a_pass(monkeypatch):
    monkeypatch.setattr(effectiveness, "_MOST_REGIONS", 5)
    detector = strip_detector(additive(WEIGHTS))
    with pytest.raises(InputError, match="up to 5 regions .* got 6: leave the third"):
        make(detector, lambdas=(1, 1, 1))
    assert not detector.seen

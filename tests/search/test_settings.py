import numpy as np
import pytest

from vps.errors import InputError
from vps.search import SEARCHES
from vps.search.settings import AUTO, BUDGETED, EFFORTS, check_search, passes_allowed, search_of


@pytest.mark.parametrize("search", BUDGETED)
@pytest.mark.parametrize(("effort", "share"), [("fast", 0.15), ("balanced", 0.2), ("high", 0.3)])
@pytest.mark.parametrize("regions", [64, 100, 200])
def test_an_effort_is_a_share_of_greedys_passes(search, effort, share, regions):
    assert passes_allowed(search, effort, None, regions) == round(share * regions * (regions + 1))


@pytest.mark.parametrize("effort", EFFORTS)
@pytest.mark.parametrize(
    ("regions", "least"), [(1, 2), (2, 6), (6, 42), (7, 56), (8, 64), (12, 96), (20, 160)]
)
def test_few_regions_get_eight_passes_each_but_no_more_than_greedy(effort, regions, least):
    assert passes_allowed("path_search", effort, None, regions) == least
    assert least <= regions * (regions + 1)


def test_more_effort_is_never_less():
    for regions in range(1, 130):
        allowed = [passes_allowed("top_k", effort, None, regions) for effort in EFFORTS]
        assert allowed == sorted(allowed)


@pytest.mark.parametrize("regions", [1, 2, 3, 8, 12, 64])
@pytest.mark.parametrize("name", ["path_search", "top_k"])
def test_every_effort_affords_the_first_round(name, regions):
    for targets in (1, 3):
        allowed = passes_allowed(name, "fast", None, regions, targets)
        assert allowed >= min(regions + 2, 2**regions)


@pytest.mark.parametrize("search", [name for name in SEARCHES if name not in BUDGETED])
def test_other_searches_end_by_themselves_but_keep_to_a_budget(search):
    assert passes_allowed(search, "fast", None, 64) is None
    assert passes_allowed(search, "fast", None, 64, targets=3) is None
    assert passes_allowed(search, "fast", 100, 64) == 100
    assert passes_allowed(search, "fast", 0.5, 64) == 32 * 65


@pytest.mark.parametrize("search", [AUTO, "path_search", "greedy"])
@pytest.mark.parametrize("targets", [1, 2, 5])
def test_a_whole_number_is_for_all_targets_and_no_share(search, targets):
    assert passes_allowed(search, "balanced", 1, 64, targets) == 1
    assert passes_allowed(search, "high", 777, 64, targets) == 777


@pytest.mark.parametrize(("targets", "factor"), [(1, 1.0), (2, 1.5), (3, 2.0), (10, 5.5)])
def test_each_further_target_costs_half(targets, factor):
    for budget, effort, share in [(0.4, "fast", 0.4), (1.0, "fast", 1.0), (None, "high", 0.3)]:
        allowed = passes_allowed("path_search", effort, budget, 50, targets)
        assert allowed == round(share * 50 * 51 * factor)


def test_a_share_is_of_greedys_passes_however_few_the_regions():
    assert passes_allowed("path_search", "high", 0.5, 4) == 10
    assert passes_allowed("path_search", "high", 1.0, 4) == 20


@pytest.mark.parametrize(
    ("search", "effort", "budget", "message"),
    [
        ("gredy", "fast", None, "unknown search 'gredy', did you mean 'greedy'"),
        ("autos", "fast", None, "unknown search 'autos', did you mean 'auto'"),
        ("path-search", "fast", None, "did you mean 'path_search'"),
        (
            "xyz",
            "fast",
            None,
            "unknown search 'xyz'; choices: auto, sampled_search, sampled_search_wide, path_search",
        ),
        (AUTO, "fasst", None, "unknown effort 'fasst', did you mean 'fast'"),
        (AUTO, "hi", None, "unknown effort 'hi'"),
        (AUTO, "fast", 0, "budget.*got 0"),
        (AUTO, "fast", -5, "budget.*got -5"),
        (AUTO, "fast", 0.0, "budget.*got 0.0"),
        (AUTO, "fast", 1.5, r"share of greedy's in \(0, 1\].*got 1.5"),
        (AUTO, "fast", -0.1, "budget.*got -0.1"),
        (AUTO, "fast", float("nan"), "budget.*got nan"),
        (AUTO, "fast", float("inf"), "budget.*got inf"),
    ],
)
def test_settings_that_do_not_exist(search, effort, budget, message):
    with pytest.raises(InputError, match=message):
        check_search(search, effort, budget)


@pytest.mark.parametrize("search", [AUTO, *SEARCHES])
@pytest.mark.parametrize("budget", [None, 1, 500, 0.01, 1.0])
def test_settings_that_do(search, budget):
    for effort in EFFORTS:
        check_search(search, effort, budget)


@pytest.mark.parametrize("name", SEARCHES)
def test_a_search_goes_by_its_own_name(name):
    assert search_of(name) == (name, SEARCHES[name])


def test_auto_is_a_search_that_can_use_any_budget():
    name, search = search_of(AUTO)
    assert name in BUDGETED
    assert search is SEARCHES[name]


def test_whole_numbers_of_any_type_are_passes():
    assert passes_allowed("greedy", "fast", np.int64(100), 64) == 100
    check_search("auto", "fast", np.int64(100))
    with pytest.raises(InputError, match="budget"):
        check_search("auto", "fast", np.int64(0))

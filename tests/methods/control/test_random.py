import numpy as np

from tests.helpers.patches import BOX, SIZE, question
from vps.core.targets import Target
from vps.methods.control.random import RandomOrder

DOG, CAT = Target(BOX, "dog"), Target(BOX, "cat")


def region_values(asked, values):
    labels = asked.regions.label_map
    return np.array([values[labels == region].mean() for region in range(asked.regions.count)])


def test_one_value_a_region():
    asked = question()
    found = RandomOrder().attribute(asked, seed=0)
    assert found.maps.shape == (1, *SIZE)
    assert found.passes == 0
    assert not asked.detector.seen
    labels = asked.regions.label_map
    pairs = set(zip(labels.ravel(), found.maps.ravel(), strict=True))
    assert len(pairs) == asked.regions.count == len({value for _, value in pairs})


def test_seed_and_target_decide_wherever_it_stands():
    together = RandomOrder().attribute(question(DOG, CAT), seed=1).maps
    for number, target in enumerate((DOG, CAT)):
        np.testing.assert_array_equal(
            together[number], RandomOrder().attribute(question(target), seed=1).maps[0]
        )
    assert (together[0] != together[1]).any()
    assert (together[0] != RandomOrder().attribute(question(DOG), seed=2).maps[0]).any()


def test_every_region_comes_first_about_as_often():
    asked = question()
    first = [
        region_values(asked, RandomOrder().attribute(asked, seed=seed).maps[0]).argmax()
        for seed in range(1500)
    ]
    counts = np.bincount(first, minlength=asked.regions.count)
    # 60 each are expected of 25 regions, with a standard deviation of 7.6.
    assert asked.regions.count == 25
    assert abs(counts - 60).max() < 35

"""One number a region, of maps and of orders."""

import numpy as np

from tests.helpers.patches import question
from vps.engine.attribution import region_scores
from vps.engine.budget import Budget
from vps.engine.curves import replay
from vps.methods import make_method
from vps.methods.protocol import Attribution
from vps.methods.values import region_values


def test_of_a_map_the_means():
    problem = question()
    found = make_method("box").attribute(problem, Budget(), 0)
    np.testing.assert_allclose(region_values(problem, found), found.means_of(problem.regions))


def test_of_an_order_what_explanations_paint():
    problem = question()
    found = make_method("vps", {"search": "greedy"}).attribute(problem, Budget(), 0)
    (objective,) = problem.objectives(problem.passes())
    values = replay(objective, found.orders[0]).objective
    expected = region_scores(found.orders[0], values)
    np.testing.assert_allclose(region_values(problem, found)[0], expected)
    bare = Attribution(0, orders=found.orders)
    np.testing.assert_allclose(region_values(problem, bare)[0], expected)

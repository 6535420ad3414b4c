"""Every method on small models of real classes: an answer within the budget, passes counted."""

from __future__ import annotations

import numpy as np
import pytest
from torch import Tensor

from tests.helpers.contract import live, picture
from tests.helpers.method_settings import SETTINGS, ready
from tests.models.zoo import all_cases
from vps.core.targets import Target
from vps.engine.budget import Budget
from vps.engine.problem import Problem, make_problem
from vps.errors import InputError

DETECTORS = ("hf-grounding-dino", "hf-closed-set Detr", "torchvision fcos")
SIZE = (48, 64)
BUDGET = 70


class Counting:
    """How many images went through a detector, whichever way it is asked."""

    def __init__(self, detector) -> None:
        self.images = 0
        self.detector = detector
        for name in ("detect", "scores"):
            setattr(self, name, self._counted(getattr(detector, name)))
        # Set, so that the protocols are seen to be there.
        for name in ("prepare", "feature_layers", "attending"):
            if hasattr(detector, name):
                setattr(self, name, getattr(detector, name))

    def _counted(self, ask):
        def counted(pixels: Tensor, *given):
            self.images += len(pixels)
            return ask(pixels, *given)

        return counted

    def __getattr__(self, name):
        if name in ("narrowed", "with_labels", "words", "with_hidden"):
            raise AttributeError(name)
        return getattr(self.detector, name)


@pytest.fixture(scope="module", params=DETECTORS)
def problem(request, tmp_path_factory) -> Problem:
    (case,) = [one for one in all_cases() if one.name == request.param]
    if case.missing:
        pytest.skip(f"needs {', '.join(case.missing)}")
    folder = tmp_path_factory.mktemp("model")
    case.save(folder)
    detector = case.load(folder, "cpu")
    boxes, scores = live(detector.detect(detector.prepare(picture(SIZE))[None], SIZE))
    # Untrained models find nothing in particular: their best candidate is explained.
    inside = boxes.clamp(min=0).minimum(boxes.new_tensor([64, 48, 64, 48]))
    sides = (inside[:, 2:] - inside[:, :2]).amin(dim=1)
    best = int((scores.amax(dim=1) * (sides > 4)).argmax())
    label = detector.labels[int(scores[best].argmax())]
    target = Target(tuple(inside[best].tolist()), label)
    return make_problem(Counting(detector), picture(SIZE), [target], regions=9, batch_size=16)


@pytest.mark.parametrize("name", SETTINGS)
def test_it_gives_an_order_or_a_map_within_its_budget(name, problem):
    problem.detector.images = 0
    if name == "attention" and not problem.detector.name.startswith("hf-closed-set"):
        with pytest.raises(InputError, match="attend|attention of a transformer"):
            ready(name).attribute(problem, Budget(passes=BUDGET), 0)
        assert not problem.detector.images
        return
    found = ready(name).attribute(problem, Budget(passes=BUDGET).started(), 0)
    assert found.forward == problem.detector.images
    assert found.passes <= BUDGET
    (order,) = found.orders_of(problem.regions)
    assert sorted(order.tolist()) == list(range(problem.regions.count))
    if found.maps is not None:
        assert found.maps.shape == (1, *problem.pixels.shape[1:])
        assert np.isfinite(found.maps).all()
    if found.backward:
        assert 0 < found.backward_cost < 3

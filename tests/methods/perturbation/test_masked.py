import numpy as np
import pytest
import torch

from tests.helpers.patches import BOX, SIZE, one_box_a_patch, question
from vps.core.targets import Target
from vps.engine.budget import Budget
from vps.errors import DetectorError, InputError
from vps.methods.perturbation.masked import MaskedPasses

DOG = Target(BOX, "dog")


def all_alike(numbers):
    """Mask k shows everything by k / 10."""
    return torch.stack([torch.full(SIZE, number / 10) for number in numbers])


def failing(call, error):
    calls = []

    def answer(shares):
        calls.append(shares)
        if len(calls) == call:
            raise error
        return one_box_a_patch(shares)

    return answer


def test_batches_and_their_weights():
    asked = MaskedPasses(question(DOG, batch_size=4), "X", None, 6)
    seen = list(asked.see(all_alike))
    assert [batch.numbers for batch in seen] == [range(4), range(4, 6)]
    torch.testing.assert_close(torch.cat([batch.masks for batch in seen]), all_alike(range(6)))
    # Of a dog that is shown in part, the similarity is what D-RISE's is.
    assert torch.cat([batch.weights for batch in seen]).diff(dim=0).min() > 0
    found = asked.attribution(torch.ones(1, *SIZE))
    assert (found.passes, found.stopped, found.limit, asked.done) == (7, "finished", None, 6)


def test_a_budget_means_fewer_masks():
    problem = question(DOG)
    asked = MaskedPasses(problem, "X", Budget(passes=4), 6)
    assert asked.weights(all_alike).shape == (3, 1)
    found = asked.attribution(torch.ones(1, *SIZE))
    assert (found.passes, found.stopped, found.limit) == (4, "budget", 4)
    problem = question(DOG)
    with pytest.raises(InputError, match="budget of 4 passes is too small for X: .* needs four"):
        MaskedPasses(problem, "X", Budget(passes=4), 6, least=4, why="four")
    assert not problem.detector.seen


@pytest.mark.parametrize("error", [RuntimeError("no memory"), KeyboardInterrupt()])
def test_what_ends_it_early_is_kept_once_the_least_is_known(error):
    # The first call is the look at the whole image.
    asked = MaskedPasses(question(DOG, batch_size=2, answer=failing(3, error)), "X", None, 9)
    assert asked.weights(all_alike).shape == (2, 1)
    found = asked.attribution(torch.ones(1, *SIZE))
    interrupted = isinstance(error, KeyboardInterrupt)
    assert found.stopped == ("interrupted" if interrupted else "failed")
    if not interrupted:
        assert "no memory (at masks 2 to 3 of X)" in str(found.error)
    problem = question(DOG, batch_size=2, answer=failing(3, error))
    with pytest.raises((DetectorError, KeyboardInterrupt)):
        MaskedPasses(problem, "X", None, 9, least=3).weights(all_alike)


def test_weights_are_double_and_on_the_cpu():
    weights = MaskedPasses(question(DOG), "X", None, 2).weights(all_alike)
    assert (weights.dtype, weights.device.type) == (torch.float64, "cpu")
    assert np.isfinite(weights.numpy()).all()

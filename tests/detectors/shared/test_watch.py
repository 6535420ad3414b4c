"""NaN in what candidates are chosen by comes out in the scores."""

import pytest
import torch
from torch import nn

from detectors.shared.watch import ChoiceWatch, share
from vps.errors import DetectorError

SCORES = torch.full((2, 3, 1), 0.5)


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_scores_are_nan_where_a_choice_was_made_by_it(value):
    watch = ChoiceWatch()
    watch.see(None)
    watch.see((torch.zeros(2), [torch.ones(1), torch.tensor([0, value])]))
    assert watch.mark(SCORES).isnan().all()
    with pytest.raises(DetectorError, match="NaN"):
        watch.mark(SCORES[:, :0])


def test_scores_stay_where_all_is_well_or_masked():
    watch = ChoiceWatch()
    assert watch.mark(SCORES) is SCORES
    watch.see({"logits": torch.tensor([0, -torch.inf])})
    assert torch.equal(watch.mark(SCORES), SCORES)
    assert watch.mark(SCORES[:, :0]).shape == (2, 0, 1)


def test_a_watched_module_is_looked_at_and_stays_as_it_is():
    module, watch = nn.Linear(2, 1), ChoiceWatch()
    twin = watch.watched(module)
    inputs = torch.ones(1, 2)
    assert torch.equal(twin(inputs), module(inputs))
    assert torch.equal(watch.mark(SCORES), SCORES)
    module(inputs * torch.nan)
    assert torch.equal(watch.mark(SCORES), SCORES)
    twin(inputs * -torch.inf)
    assert watch.mark(SCORES).isnan().all()
    assert not module._forward_hooks


def test_a_copy_shares_weights_and_has_submodules_of_its_own():
    module = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    twin = share(module)
    assert twin[0].weight is module[0].weight
    twin[1] = nn.Identity()
    assert isinstance(module[1], nn.ReLU)

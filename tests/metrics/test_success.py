import pytest

from vps.errors import InputError
from vps.metrics.success import average_highest_score, is_success, success_rate


def test_average_and_rate():
    scores = [0.0, 0.35, 0.36, 0.9]
    assert average_highest_score(scores) == pytest.approx(1.61 / 4)
    # To equal the threshold is not to exceed it.
    assert success_rate(scores) == 0.5
    assert success_rate(scores, 0.3) == 0.75
    assert success_rate(scores, 0.95) == 0
    assert [is_success(score) for score in scores] == [False, False, True, True]


@pytest.mark.parametrize("metric", [average_highest_score, success_rate])
def test_peers_bug_an_empty_evaluation_is_no_zero(metric):
    with pytest.raises(InputError, match="no cases"):
        metric([])


@pytest.mark.parametrize("metric", [average_highest_score, success_rate])
@pytest.mark.parametrize("score", [float("nan"), -0.1, 1.1])
def test_scores_out_of_range(metric, score):
    with pytest.raises(InputError, match="highest scores"):
        metric([0.5, score])

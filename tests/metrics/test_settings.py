import pytest

from vps.errors import InputError
from vps.metrics.settings import MetricSettings


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"highest_ious": (0.5, 1.0)}, "highest_ious"),
        ({"highest_ious": (0.5, 0.5)}, "twice"),
        ({"success": [(1.0, 0.5)]}, "success"),
        ({"success": [(0.35, -0.1)]}, "success"),
        ({"success": [(0.35, 0.5), (0.35, 0.5)]}, "twice"),
        ({"map_rule": "vps-papers"}, "did you mean 'vps-paper'"),
        ({"pointing_rule": "any"}, "pointing_rule"),
        ({"map_replay": "pixels"}, "did you mean 'pixel-steps'"),
        ({"fidelity_draw": "uniform"}, "fidelity_draw"),
        ({"sufficient_share": 0.0}, "sufficient_share"),
        ({"necessary_share": 1.0}, "necessary_share"),
        ({"fidelity_subsets": 1}, "fidelity_subsets"),
        ({"fidelity_share": 1.0}, "fidelity_share"),
        ({"seed": -1}, "seed"),
    ],
)
def test_settings_out_of_range(settings, message):
    with pytest.raises(InputError, match=message):
        MetricSettings(**settings)


def test_settings_as_yaml_gives_them():
    assert MetricSettings(highest_ious=[0.5]) == MetricSettings(highest_ious=(0.5,))

import pytest

from vps.errors import InputError
from vps.report.tables.rows import ReportSettings, by_rank


def test_metrics_come_in_the_order_of_tables_others_last():
    assert by_rank(["passes", "zeal", "deletion", "insertion"]) == [
        "insertion",
        "deletion",
        "passes",
        "zeal",
    ]


@pytest.mark.parametrize("wrong", [{"draws": 0}, {"level": 0.0}, {"level": 1.0}])
def test_settings_are_checked(wrong):
    with pytest.raises(InputError):
        ReportSettings(**wrong)

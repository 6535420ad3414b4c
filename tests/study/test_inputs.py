import pytest

from detectors.shared.prompts import check_labels
from tests.helpers.studies import config_of
from vps.data.dataset import Dataset
from vps.errors import InputError
from vps.study.inputs import load_detector


def load(name, labels, **settings):
    """A loader whose detector reads its labels in a prompt."""
    raise AssertionError(check_labels(labels))


def test_labels_that_read_the_same_are_told_with_their_data_set_and_what_to_set(tmp_path):
    dataset = Dataset("shapes", [], labels=("square", "Circle", "circle"))
    with pytest.raises(InputError, match=r"data set shapes\. Set detector\.labels .*'circle'"):
        load_detector(config_of(tmp_path), dataset, f"{__name__}:load", "cpu")

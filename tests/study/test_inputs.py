from tests.helpers.studies import config_of
from vps.data.dataset import Dataset
from vps.study.inputs import load_detector


def load(name, labels, **settings):
    """A loader that only tells what it was asked for."""
    return labels


def test_of_labels_that_read_the_same_the_first_is_asked_for(tmp_path):
    dataset = Dataset("shapes", [], labels=("square", "Circle", "circle"))
    found = load_detector(config_of(tmp_path), dataset, f"{__name__}:load", "cpu")
    assert found == ("square", "Circle")

"""What a config says of labels reaches the detector, and only what it says."""

import dataclasses

import pytest

from tests.helpers.studies import config_of, draw
from vps.errors import InputError, LabelsError
from vps.study.inputs import load_detector, open_data
from vps.study.sections import DetectorConfig


def record(name, usual, **settings):
    return usual, settings.get("labels")


def refuse(name, usual, **settings):
    raise LabelsError("labels 'Cat' and 'cat' read the same; keep one of them")


def loaded(folder, loader, labels):
    draw(folder, 1)
    config = config_of(folder)
    detector = dataclasses.replace(config.detector, labels=labels)
    config = dataclasses.replace(config, detector=detector)
    return load_detector(config, open_data(config, "drawn"), f"{__name__}:{loader}", "cpu")


@pytest.mark.parametrize("labels", [None, ("thing",)])
def test_labels_of_the_config_are_told_from_those_of_the_data(labels, tmp_path):
    assert loaded(tmp_path, "record", labels) == (labels or ("cat", "dog"), labels)


def test_labels_that_read_the_same_name_the_data_set_and_the_key(tmp_path):
    with pytest.raises(LabelsError, match="data set drawn: .*read the same.*set detector.labels"):
        loaded(tmp_path, "refuse", None)


def test_labels_of_the_config_are_not_blamed_on_the_data(tmp_path):
    with pytest.raises(LabelsError, match="^labels 'Cat'"):
        loaded(tmp_path, "refuse", ("Cat", "cat"))


@pytest.mark.parametrize("name", ["labels", "prompt", "device", "dtype", "name"])
def test_what_has_a_key_of_its_own_is_no_option(name):
    with pytest.raises(InputError, match=f"options.{name}: this is set by detector"):
        DetectorConfig("onnx:a.yaml", options={name: "x"})

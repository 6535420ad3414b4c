"""What several adapters' tests share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny random Grounding DINO."""
    pytest.importorskip("transformers")
    from tests.models.tiny_grounding_dino import write_checkpoint

    return write_checkpoint(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The folder of a case's saved model, written once."""
    folders = {}

    def save(case):
        if case.name not in folders:
            folders[case.name] = tmp_path_factory.mktemp("model")
            case.save(folders[case.name])
        return folders[case.name]

    return save


@pytest.fixture(scope="module")
def loaded(saved):
    """A case's detector, loaded once from its folder."""
    detectors = {}

    def load(case):
        if case.name not in detectors:
            detectors[case.name] = case.load(saved(case), "cpu")
        return detectors[case.name]

    return load

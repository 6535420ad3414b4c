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

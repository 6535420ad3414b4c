"""An image, and a detector that every command loads."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import detectors
from tests.helpers.cli import Bright


@pytest.fixture
def image(tmp_path):
    pixels = np.full((32, 40, 3), 40, np.uint8)
    pixels[8:24, 8:24] = 255
    Image.fromarray(pixels).save(tmp_path / "street.png")
    return str(tmp_path / "street.png")


@pytest.fixture
def bright(monkeypatch):
    detector = Bright()
    monkeypatch.setattr(detectors, "load", lambda *_, **__: detector)
    return detector

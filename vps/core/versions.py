"""What computes results, for their records."""

from __future__ import annotations

import importlib.metadata
import platform

import numpy as np
import torch

from vps._version import __version__


def versions() -> dict[str, str]:
    """The versions of what computes an explanation, by name."""
    return {
        "vps": __version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        "scikit-image": importlib.metadata.version("scikit-image"),
    }

"""What computes results, for their records."""

from __future__ import annotations

import functools
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
        "scikit-image": installed_version("scikit-image"),
    }


@functools.cache
def installed_version(name: str) -> str:
    """Of a package that is installed; its files are read once only.

    Raises:
        importlib.metadata.PackageNotFoundError: it is not.
    """
    return importlib.metadata.version(name)

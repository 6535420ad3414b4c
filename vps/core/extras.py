"""Optional libraries: one import, one clear error."""

from __future__ import annotations

import importlib
from types import ModuleType

from vps.errors import MissingExtraError

DISTRIBUTION = "visual-precision-search"
"""What this project is called where packages are installed; `vps` and `detectors` are others."""


def require(module: str, *, extra: str) -> ModuleType:
    """Import `module`, or say which extra of this project installs it.

    Args:
        module: dotted name of the module, e.g. "transformers".
        extra: name of the extra in pyproject.toml that brings it.

    Raises:
        MissingExtraError: the module, or something that it needs, is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtraError(
            f"{module} cannot be imported ({error}); install it with: {install_command(extra)}"
        ) from error


def install_command(extra: str) -> str:
    """What installs an extra beside what is there, from wherever this project was installed.

    >>> install_command("hf")
    "pip install 'visual-precision-search[hf]'"
    """
    return f"pip install '{DISTRIBUTION}[{extra}]'"

"""The package `detectors` that belongs to this one, told from others of its name."""

from __future__ import annotations

import importlib.util
from pathlib import Path

_MARK = b"def load_for("
"""In the `__init__` of ours."""


def check_detectors() -> None:
    """Look, without importing it, whose `detectors` would be imported; none at all is no error.

    Raises:
        ImportError: it is another project's, or another's file lies where ours was.
    """
    spec = importlib.util.find_spec("detectors")
    if spec is None:
        return
    if spec.origin is None or _MARK not in Path(spec.origin).read_bytes():
        where = spec.origin or ", ".join(spec.submodule_search_locations or [])
        raise ImportError(
            f"the package `detectors` at {where} is not the one that comes with "
            "visual-precision-search. A file of that name has to be renamed; the package of that "
            "name cannot be installed beside this one: pip uninstall detectors, and install this "
            "one again with --force-reinstall --no-deps"
        )

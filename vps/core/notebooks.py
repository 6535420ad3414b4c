"""Whether Python runs in a notebook, whose cells can show pictures."""

from __future__ import annotations

import sys


def in_notebook() -> bool:
    """Whether there is an IPython kernel, as in Jupyter and what is like it."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None

"""The kinds of detectors as a text for people: what each needs and how it is used."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Mapping

from detectors import DETECTORS, DetectorEntry


def list_detectors() -> str:
    """Each kind with what it runs, what it needs and whether that is installed, and an example."""
    distributions = importlib.metadata.packages_distributions()
    paragraphs = []
    for kind, entry in DETECTORS.items():
        lines = [
            f"{kind}: {entry.about}",
            f"    {_state(entry, distributions)}",
            f"    vps detect street.jpg --detector {entry.example}",
        ]
        paragraphs.append("\n".join(lines))
    return "\n\n".join(paragraphs)


def _state(entry: DetectorEntry, distributions: Mapping[str, list[str]]) -> str:
    # torch and what else the core brings are always there.
    missing = [module for module in entry.needs if importlib.util.find_spec(module) is None]
    if missing:
        return f"not installed: {', '.join(missing)}; pip install '.[{entry.extra}]'"
    found = [
        f"{name} {importlib.metadata.version(name)}"
        for module in entry.needs
        for name in distributions.get(module, [])[:1]
    ]
    return f"installed: {', '.join(found)}"

"""`vps detectors`, `vps methods`, `vps searches`: what there is to choose from."""

from __future__ import annotations

from collections.abc import Mapping


def detectors_command() -> None:
    """List the kinds of detectors, and what each needs."""
    from detectors.listing import list_detectors

    print(list_detectors())


def methods_command() -> None:
    """List the methods that order the regions."""
    from vps.methods.listing import LISTED_REGIONS, listed_methods

    rows = [
        (one.name, one.family, f"{one.passes:,}", one.needs or "-", one.title)
        for one in listed_methods()
    ]
    heads = ("method", "family", "passes", "needs", "what it does")
    widths = [max(len(row[column]) for row in [heads, *rows]) for column in range(4)]
    for row in [heads, *rows]:
        cells = [f"{cell:{width}}" for cell, width in zip(row, widths, strict=False)]
        cells[2] = row[2].rjust(widths[2])
        print("  ".join([*cells, row[4]]))
    print(f"passes: the most at its defaults, for one target and {LISTED_REGIONS} regions")


def searches_command() -> None:
    """List the searches of the method vps."""
    from vps.search import SEARCHES
    from vps.search.settings import RECOMMENDED

    auto = f"{RECOMMENDED}, which this version recommends"
    _list({"auto": auto, **{name: search.__doc__ for name, search in SEARCHES.items()}})


def _list(docs: Mapping[str, str | None]) -> None:
    """Names with the first sentence of what is said of them."""
    for name, text in docs.items():
        first = (text or "").partition("\n\n")[0]
        print(f"{name}: {' '.join(first.split())}")

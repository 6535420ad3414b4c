"""Pages of the documentation site that lie beside the code they describe; a hook of MkDocs.

Links of all pages are written for who reads them in the repository. On the site, those to other
pages and pictures lead to these, and of those to code only their text is left.
"""

from __future__ import annotations

import os
import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
HOME = "README.md"
OUTSIDE = (
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "configs/README.md",
    "detectors/README.md",
    "tools/benchmarks/README.md",
    "vps/README.md",
    "vps/search/README.md",
)
"""Pages of the repository, besides `HOME`, that the site has at the same path."""

PICTURES = ".github/images"
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
_CODE = re.compile(r"(^ *```.*?^ *```$)", re.DOTALL | re.MULTILINE)


def on_files(files: Files, config: Any) -> Files:
    """Add the pages and pictures outside docs/; the list of pages that docs/ has is the menu."""
    listed = files.get_file_from_path("README.md")
    if listed is not None:
        files.remove(listed)
    pages = {"index.md": HOME, **{name: name for name in OUTSIDE}}
    for place, name in pages.items():
        files.append(File.generated(config, place, content=(ROOT / name).read_text("utf-8")))
    for path in sorted((ROOT / PICTURES).iterdir()):
        place = f"images/{path.name}"
        files.append(File.generated(config, place, content=path.read_bytes()))
    return files


def on_page_markdown(markdown: str, page: Page, files: Files, **_: Any) -> str:
    """Have links lead to places on the site."""
    place = page.file.src_uri
    source = HOME if place == "index.md" else place if place in OUTSIDE else f"docs/{place}"
    parts = _CODE.split(markdown)  # code at the odd places
    parts[::2] = [
        _LINK.sub(lambda link: _on_site(link, source, place, files), part) for part in parts[::2]
    ]
    return "".join(parts)


def _on_site(link: re.Match[str], source: str, place: str, files: Files) -> str:
    picture, text, target = link.groups()
    if "://" in target or target.startswith("#"):
        return link[0]
    path, _, anchor = target.partition("#")
    path = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
    there = place_of(path)
    if files.get_file_from_path(there) is None:
        return text if (ROOT / path).exists() else link[0]
    relative = os.path.relpath(there, posixpath.dirname(place) or ".").replace(os.sep, "/")
    return f"{picture}[{text}]({relative}{'#' if anchor else ''}{anchor})"


def place_of(path: str) -> str:
    """Where a file of the repository lies on the site, if it does.

    >>> place_of("docs/maps.md"), place_of("README.md"), place_of(".github/images/words.png")
    ('maps.md', 'index.md', 'images/words.png')
    """
    if path in (HOME, "docs/README.md"):
        return "index.md"
    if path.startswith(PICTURES):
        return path.replace(PICTURES, "images", 1)
    return path.removeprefix("docs/")

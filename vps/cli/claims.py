"""Names of results in a folder: one image each, though files of several folders bear one name."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from vps.errors import OutputError

_LEDGER = ".images"
"""The file in a folder of results that says of which image each name is, one a line."""


def claim_name(folder: Path, image: Path) -> str:
    """What the results of an image are called in a folder, by the image's name.

    That is the name of its file without suffix; where it is another image's already, with the name
    of its folder in front, or else with a digest of its path. The same image gets the same name
    again, and of two processes that ask at once each gets its own.

    Args:
        folder: of the results; it exists.
        image: the path of an image file.

    Raises:
        OutputError: the folder cannot be written or read.
    """
    path = os.path.realpath(image)
    for name in _names(Path(path), image.stem):
        try:
            if _owner(folder, name) is None:
                line = json.dumps({"name": name, "image": path}) + "\n"
                with (folder / _LEDGER).open("ab") as file:
                    file.write(line.encode())  # one write: lines of several processes stay whole
            if _owner(folder, name) == path:
                return name
        except OSError as error:
            raise OutputError(f"{folder / _LEDGER} cannot be used: {error.strerror}") from error
    raise OutputError(f"{folder / _LEDGER} is damaged; remove it, or name another folder")


def _names(path: Path, stem: str) -> Iterator[str]:
    yield stem
    yield f"{path.parent.name}-{stem}"
    yield f"{stem}-{hashlib.sha256(os.fsencode(path)).hexdigest()[:12]}"


def _owner(folder: Path, name: str) -> str | None:
    """The image that claimed a name first; None if none did."""
    try:
        lines = (folder / _LEDGER).read_bytes().splitlines()
    except FileNotFoundError:
        return None
    for line in lines:
        try:
            claim = json.loads(line)
            # Some file systems do not tell small letters from capitals.
            if claim["name"].casefold() == name.casefold():
                return str(claim["image"])
        except (ValueError, LookupError, TypeError, AttributeError):
            continue
    return None

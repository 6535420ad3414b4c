"""What lies on disk where a download or a checkout left something else than the weights."""

from __future__ import annotations

from pathlib import Path

from vps.core.files import open_file
from vps.errors import InputError

_POINTER = b"version https://git-lfs"
_PAGE = (b"<!doctype html", b"<html", b"<head", b"<?xml", b'{"error"', b"entry not found")


def check_no_stand_in(path: Path, what: str) -> None:
    """Name a Git LFS pointer or a web page that lies in the place of weights as what it is.

    Args:
        path: of the file; that it exists is checked too.
        what: what it should be, for the message, e.g. "ONNX model".

    Raises:
        InputError: it is one of these, or no regular file.
    """
    with open_file(path, what) as file:
        start = file.read(512).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(_POINTER):
        raise InputError(
            f"{what} {path} is a Git LFS pointer, not the file itself; run `git lfs pull` in its "
            "repository, or download the file itself"
        )
    if start.startswith(_PAGE):
        raise InputError(
            f"{what} {path} is a web page, not the file itself; download it again, by the link "
            "of the file and not that of the page about it"
        )

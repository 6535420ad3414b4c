"""What lies on disk where a download or a checkout left something else than the weights."""

from __future__ import annotations

from pathlib import Path

from vps.core.files import open_file, shown_path
from vps.errors import InputError

_POINTER = (
    "a Git LFS pointer, a few lines that stand for the file: run `git lfs pull` in its repository, "
    "or download the file itself"
)
_PAGE = (
    "a web page, not the file itself: download it again, by the link of the file and not that of "
    "the page about it"
)
_BEGINNINGS = {
    b"version https://git-lfs": _POINTER,
    **dict.fromkeys(
        (b"<!doctype html", b"<html", b"<head", b"<?xml", b'{"error"', b"entry not found"), _PAGE
    ),
}


def check_no_stand_in(path: Path, what: str) -> None:
    """Name an empty file, a Git LFS pointer or a web page in the place of weights as what it is.

    Args:
        path: of the file; that it exists is checked too.
        what: what it should be, for the message, e.g. "ONNX model".

    Raises:
        InputError: it is one of these, or no regular file.
    """
    with open_file(path, what) as file:
        start = file.read(512).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not start:
        raise InputError(f"{what} {shown_path(path)} is empty: download it again")
    for beginning, meaning in _BEGINNINGS.items():
        if start.startswith(beginning):
            raise InputError(f"{what} {shown_path(path)} is {meaning}")

"""Names of files out of the names that people give to images, labels, data sets and methods."""

from __future__ import annotations

import functools
import hashlib
import re

from vps.errors import InputError

_LONGEST = 80
_DIGEST = 8  # hex digits


@functools.lru_cache(maxsize=4096)
def safe_name(text: str, longest: int = _LONGEST) -> str:
    """A part of a path for any text, which also stands in an address as it is.

    Args:
        text: whatever it is called.
        longest: how many characters are kept; file systems take 255 bytes a part.

    Returns:
        The text itself, if it is short and of plain letters, digits and - _ + @ . only, without a
        dot at its start; else what is plain of it, with a digest, so that other texts get other
        names.
    """
    if re.fullmatch(rf"[A-Za-z0-9_+@-][A-Za-z0-9_+@.-]{{0,{longest - 1}}}", text):
        return text
    # Not every text has an encoding: a file's name may hold what is no UTF-8.
    digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:_DIGEST]
    return re.sub(r"[^A-Za-z0-9_+@-]", "_", text)[:longest] + f"~{digest}"


def check_plain_name(text: str, what: str) -> str:
    """The text, if it may be a part of a path as it is.

    Args:
        text: a name.
        what: what it names, for the message, e.g. "split".

    Raises:
        InputError: `safe_name` would change it.
    """
    if safe_name(text) != text:
        raise InputError(
            f"{what} {text[:_LONGEST]!r} is no plain name: use at most {_LONGEST} letters, digits "
            "and - _ + . without a dot at the start"
        )
    return text

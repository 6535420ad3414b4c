"""The names that image files may have, by what annotations call them."""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from vps.data.image_files import ImageFile, ImageFolder


def image_names(record: Mapping[str, Any]) -> tuple[str, ...]:
    """The names that the file of an image record may have below the image folder, likeliest first.

    COCO's images are the same in all its years, but lie as val2014/COCO_val2014_000000000139.jpg or
    as val2017/000000000139.jpg; LVIS v0.5 gives the first name and v1 only the second, in
    `coco_url`. The folder may be that of the images or the one above.

    Raises:
        KeyError: the record names no file.
    """
    names = []
    given = record.get("file_name")
    if given:
        names.append(str(given))
    path = PurePosixPath(str(record.get("coco_url") or ""))
    if path.name:
        names += ["/".join(path.parts[-2:]), path.name]
    plain = PurePosixPath(str(given or "")).name
    if plain.startswith("COCO_") and plain.count("_") > 1:
        _, folder, number = plain.split("_", 2)
        names += [plain, f"{folder}/{plain}", number]
    if not names:
        raise KeyError("file_name")
    return tuple(dict.fromkeys(names))


def endings(name: str) -> tuple[str, ...]:
    """What of a name may be the path of the file in the image folder, longest first.

    Names of other machines: with backslashes, absolute, of a drive, climbing out by "..", URLs,
    those with the path in the query (Label Studio), and such as %20 in them.
    """
    texts = _paths(name.replace("\\", "/"))
    texts += [unquote(text) for text in texts]
    found = [
        "/".join(parts[start:])
        for text in texts
        if not text.endswith("/")
        for parts in [_below(text)]
        for start in range(len(parts))
    ]
    return tuple(one for one in dict.fromkeys(found) if one != name)


def image_files(folder: ImageFolder, names: Sequence[tuple[str, ...]]) -> list[ImageFile]:
    """The files of all images of a data set, each under its names and what they end in.

    An ending that another image's name has, too, is no name: it could be the other's file.

    Args:
        folder: the image folder.
        names: of each image, likeliest first.
    """
    shorter = [tuple(dict.fromkeys(one for name in own for one in endings(name))) for own in names]
    # Of one file that several records name, each may be it.
    kinds = {own: {*own, *more} for own, more in zip(names, shorter, strict=True)}
    users = Counter(one for all_of_it in kinds.values() for one in all_of_it)
    files = []
    for own, more in zip(names, shorter, strict=True):
        taken = tuple(one for one in more if users[one] == 1 and one not in own)
        shared = [one for one in more if users[one] > 1 and one not in own]
        hint = f"; {shared[-1]} is not taken for it: several images are called so" if shared else ""
        files.append(ImageFile(folder, own + taken, hint))
    return files


def _paths(name: str) -> list[str]:
    """Of a URL, its path and the values of its query."""
    if "://" in name or "?" in name:
        with contextlib.suppress(ValueError):  # Not all that looks like one is a URL.
            address = urlsplit(name)
            return [address.path, *(value for _, value in parse_qsl(address.query))]
    return [name]


def _below(path: str) -> list[str]:
    """The parts of a path behind its drive, its root and its last ".."."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if parts and re.fullmatch("[A-Za-z]:", parts[0]):
        del parts[0]
    climbs = [index for index, part in enumerate(parts) if part == ".."]
    return parts[climbs[-1] + 1 :] if climbs else parts

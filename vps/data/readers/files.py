"""What all readers share: files that may be missing, truncated or of another format."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any

from vps.core.files import check_file, shown_path
from vps.core.schema import build
from vps.data.image_files import ImageFolder
from vps.errors import InputError, one_line


def existing_file(path: str | PathLike[str], what: str = "annotation file") -> Path:
    """The path of a file; InputError if it is not there."""
    path = Path(path)
    check_file(path, what)
    return path


def existing_path(path: str | PathLike[str], what: str = "annotation file or folder") -> Path:
    """The path of a file or a folder; InputError if there is neither."""
    path = Path(path)
    return path if os.path.isdir(path) else existing_file(path, what)


def existing_folder(path: str | PathLike[str] | None, outside: bool = False) -> ImageFolder:
    """The folder that the images lie in.

    Args:
        path: of the folder.
        outside: see `vps.data.image_files.ImageFolder`.

    Raises:
        InputError: no folder is named, or it is not there; or `outside` is neither true nor false.
    """
    if path is None:
        raise InputError("this format needs the folder that the images lie in: name it as images")
    anywhere = check_switch(outside, "outside")
    path = Path(path)
    if not os.path.isdir(path):
        raise InputError(f"image folder {shown_path(path)} does not exist")
    return ImageFolder(path, anywhere)


def check_switch(value: bool, name: str) -> bool:
    """The value of an option, or InputError where it is neither true nor false."""
    checked: bool = build(bool, value, name)
    return checked


@contextmanager
def checked_format(path: Path, what: str) -> Iterator[None]:
    """Turn whatever a file of another format leads to into an InputError.

    Args:
        path: the file that is read within the context.
        what: the format that was expected, e.g. "COCO's detection format".
    """
    try:
        yield
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    except json.JSONDecodeError as error:
        raise InputError(f"{path} is truncated, or no JSON file: {one_line(error)}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is no text file: {one_line(error)}") from error
    except KeyError as error:
        raise InputError(
            f"{path} is not in {what}: a field or an id is missing: {one_line(error)}"
        ) from error
    except (
        ArithmeticError,
        AssertionError,
        AttributeError,
        IndexError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        raise InputError(f"{path} is not in {what}: {one_line(error)}") from error


def read_json(path: Path) -> Any:
    """The content of a JSON file; errors are those of `json`, see `checked_format`.

    A byte order mark, as Windows' editors write it, is passed over.
    """
    with path.open(encoding="utf-8-sig") as file:
        return json.load(file)


def as_id(text: str) -> int | str:
    """An id that a file gives as text: "000000000139" is 139, as in COCO; others stay text."""
    # Python refuses to read numbers of thousands of digits.
    return int(text) if text.isascii() and text.isdigit() and len(text) < 100 else text

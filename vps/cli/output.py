"""What commands print and write: folders, names, notes and the progress bar."""

from __future__ import annotations

import contextlib
import sys
import uuid
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

from vps.core.file_names import safe_name
from vps.errors import AssumptionWarning, InputError, one_line

_STEM, _LABEL = 60, 40  # characters of each in the name of a result


def check_writable(folder: Path, names: Sequence[str] = ()) -> None:
    """Make the folder and write into it, before hours are spent on what cannot be kept.

    Args:
        folder: of the results.
        names: of the results, as far as they are known; a file system may take shorter ones only.

    Raises:
        InputError: it cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in names or ("",):
            # As long as the names of files that are being written, see `vps.core.files`.
            probe = folder / f".{name}_answer.json.{uuid.uuid4().hex}.tmp"
            probe.touch()
            probe.unlink()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or one_line(error)
        raise InputError(f"output folder {folder} cannot be written: {reason}") from error


@contextlib.contextmanager
def noted() -> Iterator[None]:
    """Silence the engine's warnings, which are printed as notes, without file and line."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


@contextlib.contextmanager
def assumptions_noted() -> Iterator[None]:
    """Print what is taken for granted within the block as notes, once it has ended well."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", AssumptionWarning)
        yield
    for one in caught:
        if issubclass(one.category, AssumptionWarning):
            print(f"note: {one.message}", file=sys.stderr)
        else:
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)


def box_text(box: tuple[float, ...]) -> str:
    """A box as tables have it."""
    return " ".join(f"{value:.1f}" for value in box)


def result_name(image: Path, key: str, label: str) -> str:
    """What the files of a result are called: by the image, `key` and the label, short and plain."""
    words = "".join(sign if sign.isalnum() else "-" for sign in label.lower()).split("-")
    slug = safe_name("-".join(word for word in words if word) or "label", _LABEL)
    return f"{safe_name(image.stem, _STEM)}_{key}_{slug}"

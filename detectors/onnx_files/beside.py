"""The config.json that Hugging Face's optimum writes beside an ONNX file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from vps.core.json_files import read_json_record
from vps.errors import InputError

_MOST_BYTES = 16 << 20


def names_beside(model: Path) -> tuple[tuple[str, ...], Path] | None:
    """The names of classes, in order, by `id2label` of the config.json beside a file; and where.

    It lies in the folder of the file, or above where that is called "onnx". Names that are not one
    alone, as "N/A", get their number behind them.

    Args:
        model: the ONNX file.

    Returns:
        None where there is no such file, or it has no `id2label`.

    Raises:
        InputError: it cannot be read, or its numbers do not run from 0 without a gap.
    """
    folders = [model.parent, *([model.parent.parent] if model.parent.name == "onnx" else [])]
    path = next((one / "config.json" for one in folders if (one / "config.json").is_file()), None)
    if path is None:
        return None
    given = read_json_record(path, "config", _MOST_BYTES).get("id2label")
    if not isinstance(given, Mapping) or not given:
        return None
    numbers = sorted(given, key=lambda key: (len(key), key))
    if numbers != [str(number) for number in range(len(given))]:
        raise InputError(
            f"id2label in {path} numbers its {len(given)} labels from {numbers[0]} to "
            f"{numbers[-1]}, and classes are numbered from 0 without a gap: give their names in "
            'order instead: labels=[...], or --prompt "cat . dog"'
        )
    names: list[str] = []
    for number in numbers:
        name = str(given[number]).strip()
        alone = name and name.upper() != "N/A" and name not in names
        names.append(name if alone else f"{name or 'class'} {number}")
    return tuple(names), path

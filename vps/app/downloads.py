"""Files to take home: the picture, and the arrays with all else."""

from __future__ import annotations

import json
import tempfile
import warnings
import zipfile
from pathlib import Path

from vps.app.asking import Answered
from vps.core.file_names import safe_name
from vps.core.images import OpenedImage
from vps.report.figures.explanation import write_figure
from vps.results.word_answer import WordAnswer

_DPI = 150


def write_files(answered: list[Answered], image: OpenedImage, folder: Path) -> tuple[Path, Path]:
    """Write what a visitor can download.

    Args:
        answered: one result or two.
        image: that they are about.
        folder: a new one is made in it.

    Returns:
        A picture, .png (of two results, the first's), and a .zip with the .npz and .json of each
        and its picture.

    Raises:
        OutputError: they cannot be written.
    """
    place = Path(tempfile.mkdtemp(dir=folder))
    stem = safe_name(Path(image.name or "image").stem, 60)
    archive = place / f"{stem}_{answered[0].question.why.value}.zip"
    pictures = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for one in answered:
            name = f"{stem}_{one.question.why.value}_{safe_name(one.how.method)}"
            figure = one.shown.figure(None if isinstance(one.shown, WordAnswer) else image)
            pictures.append(write_figure(figure, place / f"{name}.png", _DPI))
            _save(one, place / name)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(place.iterdir()):
            if path != archive:
                file.write(path, path.name)
    return pictures[0], archive


def _save(one: Answered, path: Path) -> None:
    found = one.shown
    if isinstance(found, WordAnswer):
        path.with_name(f"{path.name}.json").write_text(json.dumps(found.record(), indent=1))
    else:
        found.save(path)

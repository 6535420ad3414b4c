"""The groups of a study's failures, and what `vps groups` writes of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import numpy as np

from vps.core.files import encoded, write_atomically
from vps.core.schema import to_plain
from vps.data.cases.cases import CaseList
from vps.data.sample import Sample
from vps.engine import attribution
from vps.errors import InputError
from vps.grouping.groups import Failed, Group, group_failures
from vps.grouping.words import repair_words
from vps.reliance.facts import scenery_of
from vps.report.tables.gallery import GALLERY_PAGE
from vps.results.explanation import Explanation
from vps.study.config import StudyConfig
from vps.study.inputs import open_data
from vps.study.plan import plan
from vps.study.store import Store, facts_of

_SIDE = 512  # pixels of the longer side of the image that colours are read from


def read_failures(
    config: StudyConfig, lists: Mapping[str, CaseList], method: str
) -> Iterator[Failed]:
    """The failures of a study with the words of their repairs; takes no pass.

    Args:
        config: of the study.
        lists: its cases.
        method: whose repairs are read.

    Raises:
        InputError: the study looked for no repairs, or data cannot be opened.
    """
    if not config.repair.passes:
        raise InputError(
            f"{config.name} looked for no repairs: run it with, e.g., --set repair.passes=400"
        )
    store = Store(config, facts_of(lists))
    datasets = {name: open_data(config, name) for name in lists}
    sample: tuple[object, Sample] | None = None
    for tasks in plan(lists):
        for task in tasks:
            case = task.case
            row = store.row(task, method) if case.kind.traits.failure else None
            if row is None:
                continue
            words: tuple[str, ...] = ()
            repair = row["repair"]
            if repair is not None and repair["regions"]:
                key = task.dataset, case.image_id
                if sample is None or sample[0] != key:
                    sample = key, datasets[task.dataset].find(case.image_id)
                explanation = Explanation.load(store.path(task, method))
                words = _words(explanation, repair["regions"], sample[1], case.object_id)
            yield Failed(
                task.dataset,
                case.image_id,
                case.key,
                case.kind.value,
                case.label,
                words,
                0.0 if repair is None else repair["area"],
                row["picture"],
            )


def _words(
    explanation: Explanation, regions: Sequence[int], sample: Sample, object_id: Any
) -> tuple[str, ...]:
    """The words of a repair, on a grid of the image that is small enough to be fast."""
    height, width = sample.size
    ratio = min(_SIDE / max(height, width), 1)
    grid = (max(round(height * ratio), 1), max(round(width * ratio), 1))
    hidden = np.isin(attribution.resized(explanation.label_map, grid), list(regions))
    scenery = scenery_of(sample, object_id, explanation.target.box, grid, {})
    x1, y1, x2, y2 = scenery.box
    box = (
        x1 * grid[1] / width,
        y1 * grid[0] / height,
        x2 * grid[1] / width,
        y2 * grid[0] / height,
    )
    image = attribution.resized(sample.image, grid)
    return repair_words(hidden, box, scenery.surroundings.others, image)


def write_groups(out: Path, name: str, failures: Sequence[Failed]) -> tuple[Path, list[Group]]:
    """Write groups.html and groups.json into the folder of a study.

    Raises:
        InputError: there are no failures.
        OutputError: a file cannot be written.
        MissingExtraError: scikit-learn is not installed.
    """
    from jinja2 import Environment, PackageLoader

    if not failures:
        raise InputError(f"{name} has no results of failures, of which groups could be made")
    groups = group_failures(failures)
    content = [{"sentence": group.sentence, **to_plain(group)} for group in groups]
    text = json.dumps(content, indent=1, ensure_ascii=False)
    write_atomically(out / "groups.json", encoded(text))
    environment = Environment(loader=PackageLoader("vps.grouping", "."), autoescape=True)
    page = environment.get_template("page.html").render(
        name=name,
        gallery=GALLERY_PAGE,
        failures=len(failures),
        repaired=sum(bool(one.words) for one in failures),
        grouped=sum(len(group.members) for group in groups),
        groups=[
            {
                "sentence": group.sentence[0].upper() + group.sentence[1:],
                "middle": _shown(group.members[0]),
                "edge": _shown(group.members[-1]),
                "members": [_shown(one) for one in group.members],
            }
            for group in groups
        ],
    )
    path = out / "groups.html"
    write_atomically(path, encoded(page))
    return path, groups


def _shown(one: Failed) -> dict[str, Any]:
    filters = {"dataset": one.dataset, "kind": one.kind, "q": f"{one.image_id} {one.case}"}
    return {
        "picture": None if one.picture is None else quote(one.picture),
        "address": f"{GALLERY_PAGE}#{urlencode(filters)}",
        "name": f"image {one.image_id}, {one.case}",
        "words": ", ".join(one.words),
        "area": f"{one.area:.0%}",
    }

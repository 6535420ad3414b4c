"""Sanity checks of a study's methods on its cases: computed once a case and method, then kept."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from vps.core.detector import Detector
from vps.core.file_names import safe_name
from vps.core.files import write_atomically
from vps.core.schema import to_plain
from vps.data.cases.cases import CaseList
from vps.data.dataset import Dataset
from vps.data.sample import Sample
from vps.errors import VpsError, one_line
from vps.metrics.sanity_values import Values, sanity_values
from vps.study.case import case_seed, prepare_case
from vps.study.config import StudyConfig
from vps.study.inputs import load_detector, open_data
from vps.study.plan import Task, plan


@dataclasses.dataclass(frozen=True)
class SanityRow:
    """The checks of one method on one case.

    Attributes:
        task: the case.
        method: its name in the study.
        values: what was measured; empty where it failed.
        error: why it failed; "" where it did not.
    """

    task: Task
    method: str
    values: Values
    error: str = ""


def check_cases(
    config: StudyConfig, lists: Mapping[str, CaseList], *, loader: str, device: str
) -> Iterator[SanityRow]:
    """Check each method of a study on each of its cases, one after the other.

    What is in files below `config.out`/sanity with the same settings is not computed again.

    Args:
        config: of the study.
        lists: the cases of each of its data sets.
        loader: "module:function", see `vps.study.inputs.load_detector`.
        device: where the detector runs.

    Raises:
        InputError: a data set that cannot be opened, or a detector that cannot be loaded.
        OutputError: a file cannot be written.
    """
    digest = _digest(config)
    plain = dataclasses.replace(
        config, metrics=dataclasses.replace(config.metrics, fidelity_subsets=0)
    )
    opened: tuple[str, Dataset, Detector] | None = None
    for tasks in plan(lists):
        for task in tasks:
            path = _path(config, task)
            known = _known(path, digest, config)
            if any(name not in known for name in config.methods):
                if opened is None or opened[0] != task.dataset:
                    dataset = open_data(config, task.dataset)
                    detector = load_detector(config, dataset, loader, device)
                    opened = task.dataset, dataset, detector
                sample = opened[1].find(task.case.image_id)
            for name in config.methods:
                if name not in known:
                    assert opened is not None
                    known[name] = {
                        "settings": to_plain(config.methods[name]),
                        **_checked(plain, task, name, sample, opened[2]),
                    }
                    content = {"digest": digest, "methods": known}
                    write_atomically(path, json.dumps(content, indent=1).encode())
                yield SanityRow(task, name, known[name]["values"], known[name]["error"])


def _checked(
    config: StudyConfig, task: Task, name: str, sample: Sample, detector: Detector
) -> dict[str, Any]:
    """What the file of a case says of a method."""
    try:
        with warnings.catch_warnings():
            # A map without evidence is what some checks wait for.
            warnings.simplefilter("ignore", UserWarning)
            problem = prepare_case(task, sample, detector, config, config.batch_size).problem
            seed = case_seed(config.seed, task)
            found = sanity_values(
                problem, config.method(name), sample.image, config.select.score_threshold, seed
            )
    except VpsError as error:
        return {"values": {}, "error": one_line(error)}
    return {"values": found, "error": ""}


def _path(config: StudyConfig, task: Task) -> Path:
    name = f"{task.dataset}-{task.case.image_id}-{task.case.key}"
    return Path(config.out) / "sanity" / f"{safe_name(name)}.json"


def _digest(config: StudyConfig) -> str:
    """Of all settings that decide what is measured, but for those of methods."""
    said = to_plain(config)
    for elsewhere in ("name", "out", "run", "report", "metrics", "methods"):
        del said[elsewhere]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


def _known(path: Path, digest: str, config: StudyConfig) -> dict[str, Any]:
    """What a file says of methods, if all settings are these; a damaged one counts as missing."""
    try:
        content = json.loads(path.read_bytes())
        if content["digest"] != digest:
            return {}
        return {
            name: {"settings": said["settings"], "values": said["values"], "error": said["error"]}
            for name, said in content["methods"].items()
            if (name not in config.methods or said["settings"] == to_plain(config.methods[name]))
            and isinstance(said["values"], dict)
            and said["error"] == ""  # what failed is tried again
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}

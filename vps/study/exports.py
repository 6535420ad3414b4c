"""What a study writes for the scripts of VPS and PhaseWin: lists of its cases, and results."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

from vps.core.detector import TokenReader
from vps.core.file_names import safe_name
from vps.core.json_files import read_json_record
from vps.data.cases.cases import Case, CaseList
from vps.data.cases.list_writer import write_vps_list
from vps.data.dataset import Dataset
from vps.errors import InputError
from vps.results.explanation import Explanation
from vps.results.vps_files import OURS, write_vps_result
from vps.study.case import object_of
from vps.study.config import StudyConfig
from vps.study.inputs import load_detector, open_data
from vps.study.looks import list_path
from vps.study.plan import Shard, Task, plan
from vps.study.store import Store, facts_of


def export_folder(config: StudyConfig) -> Path:
    """Where the exported results of a study lie."""
    return Path(config.out) / "vps"


def export_results(
    config: StudyConfig, lists: Mapping[str, CaseList], shard: Shard | None = None
) -> int:
    """Write the results that a study has as files of VPS, those of each data set and method apart.

    vps/<data set>/<method>/ holds json/<image>_<id>.json and npy/<image>_<id>.npy, see
    `vps.results.vps_files.write_vps_result`: image is the name of its file without folders and
    suffix, id that of the annotation, or the case's key where several cases, or none, are of one
    annotation. What is there already is not written again.

    Args:
        config: of the study.
        lists: the cases of each data set.
        shard: of the results.

    Returns:
        How many results are there now.

    Raises:
        InputError: a result or an image cannot be read any more.
        OutputError: a file cannot be written.
    """
    store = Store(config, facts_of(lists))
    datasets = {name: open_data(config, name) for name in lists}
    names = {name: file_names(lists[name].cases, datasets[name]) for name in lists}
    count = 0
    for tasks in plan(lists, shard):
        for task in tasks:
            case = task.case
            name = names[task.dataset][case.image_id, case.key]
            count += _export_case(config, store, task, datasets[task.dataset], name)
    return count


def _export_case(config: StudyConfig, store: Store, task: Task, dataset: Dataset, name: str) -> int:
    done = [method for method in store.methods if store.row(task, method) is not None]
    folders = {
        method: export_folder(config) / safe_name(task.dataset) / safe_name(method)
        for method in done
    }
    digests = {method: store.digest(task, method) for method in done}
    left = [one for one in done if _digest(folders[one], name) != digests[one]]
    if not left:
        return len(done)
    truth, _ = object_of(task, dataset.find(task.case.image_id))
    for method in left:
        about = {
            "dataset": task.dataset,
            "case": dataclasses.asdict(task.case),
            "truth_box": truth,
            "digest": digests[method],
        }
        explanation = Explanation.load(store.path(task, method))
        write_vps_result(folders[method], name, explanation, about)
    return len(done)


def _digest(folder: Path, name: str) -> Any:
    """The digest of an exported result; None where there is none that is whole."""
    try:
        return read_json_record(folder / "json" / f"{name}.json", "result")[OURS]["digest"]
    except (InputError, KeyError, TypeError):
        return None


def file_names(cases: Sequence[Case], dataset: Dataset) -> dict[tuple[Any, str], str]:
    """(image id, key) of each case -> the name of its files, each another."""
    stems = {
        image_id: PurePath(dataset.picture_name(image_id)).stem
        for image_id in dict.fromkeys(case.image_id for case in cases)
        if dataset.has(image_id)
    }
    images = Counter(stems.values())
    objects = Counter((case.image_id, case.object_id) for case in cases)
    names = {}
    for case in cases:
        stem = stems.get(case.image_id, "")
        if images[stem] != 1:
            stem = str(case.image_id)  # Of a file name that two folders have.
        alone = case.object_id is not None and objects[case.image_id, case.object_id] == 1
        own = case.object_id if alone else case.key
        names[case.image_id, case.key] = safe_name(f"{stem}_{own}")
    return names


def export_lists(
    config: StudyConfig, lists: Mapping[str, CaseList], loader: str
) -> dict[str, tuple[Path, list[str]]]:
    """Write the cases of each data set as a list of VPS beside ours, as <data set>.vps.json.

    The detector is loaded, without a pass, for the positions of tokens that PhaseWin's scripts
    read; those of a detector without captions are left out.

    Returns:
        Where each lies, and what is not in it.

    Raises:
        InputError: no case of a data set can be written.
        OutputError: a file cannot be written.
    """
    found = {}
    for name, cases in lists.items():
        dataset = open_data(config, name)
        detector = None
        if not dataset.grounding:
            detector = load_detector(config, dataset, loader, "cpu")
        tokens_of = detector.tokens_of if isinstance(detector, TokenReader) else None
        path = list_path(config, name).with_suffix(".vps.json")
        left_out = write_vps_list(path, cases.cases, dataset, tokens_of=tokens_of)
        found[name] = path, left_out.lines()
    return found

"""The lists of a study's cases: read where the config names them, else selected by its workers."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

from vps.core.files import open_file
from vps.core.schema import to_plain
from vps.data.cases.cases import CaseList
from vps.data.cases.select import case_list, chosen_images
from vps.data.readers.formats import annotation_files
from vps.errors import InputError, VpsError
from vps.study.config import StudyConfig
from vps.study.executors import execute
from vps.study.given_lists import is_ours, joined_list
from vps.study.inputs import load_detector, locked, open_data
from vps.study.looks import list_path, looks_of, parts_of, ranges_left, ranges_of
from vps.study.plan import ImageRange, Queue
from vps.study.replies import Job
from vps.study.store import Facts

ShowSelection = Callable[[str, int, int], None]


def find_lists(
    config: StudyConfig, loader: str, show: ShowSelection | None = None
) -> dict[str, CaseList]:
    """The cases of each data set: read where the config names a list, else selected.

    Lists of VPS and PhaseWin are joined to the data set. Joined and selected lists are kept in the
    study's folder, and made again only when what they depend on has changed. Workers select, as
    they explain; all executors come to the same lists, and a selection that was killed goes on
    where it was. An image of which a worker dies `run.attempts` times is skipped.

    Args:
        config: of the study.
        loader: see `vps.study.inputs.load_detector`.
        show: called with a data set's name, images looked at, and images in all.

    Raises:
        InputError: data, detector or list that cannot be used, or nothing that was selected.
        DetectorError: the detector cannot be loaded, or breaks its contract.
        OutputError: the study's folder cannot be written.
        VpsError: with `run.strict`, an image that cannot be used.
    """
    ours = [name for name in config.datasets if given_of_ours(config, name)]
    lists = {name: read_list(config, name) for name in ours}
    wanted = [name for name in config.datasets if name not in lists]
    with contextlib.ExitStack() as locks:
        # Of several runs that start on one folder, one selects and the others wait for its lists.
        for name in sorted(wanted):
            locks.enter_context(locked(list_path(config, name).with_suffix(".lock")))
        open_ones = []
        for name in wanted:
            if config.datasets[name].cases is not None:
                lists[name] = _joined(config, name, loader)
                continue
            selection = _Selection(config, name)
            kept = selection.kept()
            if kept is None:
                open_ones.append(selection)
            else:
                lists[name] = kept
        lists |= _select(config, loader, open_ones, show or (lambda name, done, total: None))
    return {name: lists[name] for name in config.datasets}


class _Selection:
    """The selection of the cases of one data set."""

    def __init__(self, config: StudyConfig, name: str) -> None:
        self.name, self._config = name, config
        data = config.datasets[name]
        files = annotation_files(data.format, data.annotations, data.images, **data.options)
        self._annotations = _digest(files)
        self._origin = _origin(config, name, self._annotations)
        self._path = list_path(config, name)

    def kept(self) -> CaseList | None:
        """The list that an earlier run has made of the same settings."""
        kept = CaseList.load(self._path) if self._path.is_file() else None
        return kept if kept and kept.settings.get("origin") == self._origin else None

    def open(self) -> None:
        """Find out what there is to look at: `images` in all, `left` of them in ranges."""
        self._dataset = open_data(self._config, self.name)
        self.images = len(chosen_images(self._dataset, self._config.select))
        self._parts = parts_of(self._config, self.name, self._origin)
        self._ranges = ranges_of(self.name, self.images, self._origin)
        self.left = list(ranges_left(self._parts, self._ranges))

    def close(self) -> CaseList:
        """Make the list, once all images were looked at."""
        looks = list(looks_of(self._parts, self._ranges))
        rename = self._config.datasets[self.name].rename
        found = case_list(looks, self._dataset, self._config.select, rename)
        settings = {
            **found.settings,
            "origin": self._origin,
            "annotations": self._annotations,
        }
        kept = dataclasses.replace(found, settings=settings)
        kept.save(self._path)
        self._parts.remove()
        return kept


def _select(
    config: StudyConfig, loader: str, selections: Sequence[_Selection], show: ShowSelection
) -> dict[str, CaseList]:
    for one in selections:
        one.open()
    names = {one.name: one for one in selections}
    left = {one.name: sum(map(len, one.left)) for one in selections}
    lists = {name: names[name].close() for name in left if not left[name]}
    queue = Queue([work] for one in selections for work in one.left)
    job = Job(config, dict.fromkeys(names, Facts()), loader)
    with contextlib.closing(execute(job, queue)) as replies:
        for work, reply in replies:
            assert isinstance(work, ImageRange)
            if reply.message and config.run.strict:
                raise VpsError(f"{reply.message} (run.strict is on)")
            one = names[work.dataset]
            left[one.name] -= len(work)
            show(one.name, one.images - left[one.name], one.images)
            if not left[one.name]:
                lists[one.name] = one.close()
    return lists


def read_list(config: StudyConfig, name: str) -> CaseList:
    """The cases of a data set, once they are there: the list of ours that the config names, or what
    was selected or joined.

    Raises:
        InputError: the file is missing, or no list.
    """
    given = given_of_ours(config, name)
    return CaseList.load(given or list_path(config, name))


def given_of_ours(config: StudyConfig, name: str) -> Path | None:
    """The list that the config names, where it is none of VPS or PhaseWin.

    Raises:
        InputError: it is missing or no JSON, or it is ours and has no sections.
    """
    data = config.datasets[name]
    if data.cases is None or not is_ours(Path(data.cases)):
        return None
    if data.section is not None:
        raise InputError(
            f"datasets.{name}.section: {data.cases} is a list of this project, which has no "
            "sections; leave the key out"
        )
    return Path(data.cases)


def kept_list(config: StudyConfig, name: str) -> CaseList | None:
    """The list that an earlier run has selected or joined by the same settings."""
    if config.datasets[name].cases is None:
        return _Selection(config, name).kept()
    path = list_path(config, name)
    kept = CaseList.load(path) if path.is_file() else None
    return kept if kept and kept.settings.get("origin") == _joined_of(config, name)[0] else None


def _joined(config: StudyConfig, name: str, loader: str) -> CaseList:
    """A list of VPS or PhaseWin, joined to its data set now or by an earlier run."""
    kept = kept_list(config, name)
    if kept is not None:
        return kept
    dataset = open_data(config, name)
    load = functools.cache(lambda: load_detector(config, dataset, loader, "cpu"))
    found = joined_list(config, dataset, load)
    origin, annotations = _joined_of(config, name)
    settings = {**found.settings, "origin": origin, "annotations": annotations}
    made = dataclasses.replace(found, settings=settings)
    made.save(list_path(config, name))
    return made


def _joined_of(config: StudyConfig, name: str) -> tuple[str, str]:
    """Digests of all that a joined list depends on, and of the annotations alone."""
    data = config.datasets[name]
    files = annotation_files(data.format, data.annotations, data.images, **data.options)
    annotations = _digest(files)
    return _origin(config, name, annotations + _digest([Path(data.cases or "")])), annotations


def _origin(config: StudyConfig, name: str, annotations: str) -> str:
    """A digest of all that the selection of cases depends on; `annotations` is their file's."""
    detector = to_plain(config.detector)
    del detector["device"]
    data = config.datasets[name]
    parts = [to_plain(data), detector, to_plain(config.select), to_plain(config.scenes)]
    parts += [annotations, config.run.strict]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]


def _digest(paths: Sequence[Path]) -> str:
    """12 hex digits of the SHA-256 of a file's content; of several, of their names, too."""
    digest = hashlib.sha256()
    for path in paths:
        if len(paths) > 1:
            digest.update(f"\0{path.name}\0".encode(errors="surrogatepass"))
        with open_file(path, "annotation file") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()[:12]

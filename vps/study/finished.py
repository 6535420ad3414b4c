"""A study that has been run, to be looked at: its cases, results and tables."""

from __future__ import annotations

import dataclasses
import functools
import html
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vps.core.images import OpenedImage
from vps.core.json_files import read_json_record
from vps.core.pictures import LONGEST, smaller
from vps.data.dataset import Dataset
from vps.errors import InputError
from vps.report.tables.tables import Table, arrow, head, shown, tables_of
from vps.results.explanation import Explanation
from vps.study.config import StudyConfig, read_config
from vps.study.inputs import open_data
from vps.study.lists import read_list
from vps.study.plan import Task, plan
from vps.study.store import Store, facts_of


class FinishedStudy:
    """What a study has come to; in a notebook, its tables.

        study = FinishedStudy("out/demo")
        task = next(study.tasks())
        study.explanation(task, "vps").show()

    Attributes:
        config: of the study.
        methods: as the config names them.

    Args:
        folder: of its results.

    Raises:
        InputError: a folder that holds no study.
    """

    def __init__(self, folder: str | Path) -> None:
        self.config = config_of(Path(folder))
        self.methods = tuple(self.config.methods)
        self._lists = {name: read_list(self.config, name) for name in self.config.datasets}
        self._store = Store(self.config, facts_of(self._lists))
        self._data: dict[str, Dataset] = {}

    def tasks(self) -> Iterator[Task]:
        """The cases that have a result of some method, in the order of the plan."""
        for tasks in plan(self._lists):
            for task in tasks:
                if any(self._store.path(task, one, ".npz").is_file() for one in self.methods):
                    yield task

    def explanation(self, task: Task, method: str) -> Explanation | None:
        """What a method made of a case, with its image where that can be read; None without one.

        Raises:
            InputError: files that are corrupt.
        """
        path = self._store.path(task, method)
        if not path.with_name(f"{path.name}.json").is_file():
            return None
        found = Explanation.load(path)
        try:
            return found.with_image(self.image(task))
        except InputError:
            return found

    def image(self, task: Task) -> OpenedImage:
        """The image of a case, in as many pixels as a picture can show.

        Raises:
            InputError: it cannot be read, or the study's data are elsewhere now.
        """
        if task.dataset not in self._data:
            self._data[task.dataset] = open_data(self.config, task.dataset)
        sample = self._data[task.dataset].find(
            task.case.image_id, lambda size: smaller(size, LONGEST)
        )
        return OpenedImage(sample.image, sample.size, sample.name)

    @functools.cached_property
    def tables(self) -> list[Table]:
        """Its tables, as its report has them.

        Raises:
            InputError: there is no report yet: `vps report FOLDER` makes it.
        """
        path = Path(self.config.out) / "summary.json"
        if not path.is_file():
            raise InputError(f"{path} is missing: make the report, vps report {self.config.out}")
        return tables_of(read_json_record(path, "summary"), brief=True)

    def __repr__(self) -> str:
        cases = sum(len(one.cases) for one in self._lists.values())
        methods = ", ".join(self.methods)
        return f"FinishedStudy({self.config.name}: {cases} cases, {methods})"

    def _repr_html_(self) -> str:
        try:
            return "".join(_as_html(table) for table in self.tables if table.main)
        except InputError as error:
            return f"<p>{html.escape(repr(self))}: {html.escape(str(error))}</p>"


def config_of(folder: Path) -> StudyConfig:
    """The config of a study by the folder of its results.

    Raises:
        InputError: there is none.
    """
    path = folder / "config.yaml"
    if not path.is_file():
        raise InputError(f"{folder} holds no study: config.yaml is missing")
    return dataclasses.replace(read_config(path), out=str(folder))


def _as_html(table: Table) -> str:
    """A table with its title; all names are escaped."""
    heads = [*table.heads, *(f"{head(name)}{arrow(name)}" for name in table.columns)]
    rows = [heads]
    for names, cells in zip(table.names, table.cells, strict=True):
        rows.append([*names, *(_value(*each) for each in zip(cells, table.columns, strict=True))])
    body = "".join(
        f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in rows[1:]
    )
    first = "".join(f"<th>{html.escape(cell)}</th>" for cell in rows[0])
    return f"<p><b>{html.escape(table.title)}</b></p><table><tr>{first}</tr>{body}</table>"


def _value(cell: Any, metric: str) -> str:
    return "" if cell is None else shown(cell["mean"], metric)

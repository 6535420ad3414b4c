"""Where the results of a study lie, what they are keyed by, and how they are read back."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypedDict, cast

import numpy as np

from vps.core.extras import require
from vps.core.file_names import safe_name
from vps.core.files import write_atomically
from vps.core.json_files import read_typed_json
from vps.core.masking import FILLS
from vps.core.schema import to_plain
from vps.core.versions import versions
from vps.data.cases.cases import CaseList
from vps.errors import InputError, OutputError, one_line, text_of
from vps.report.tables.rows import Row, check_row
from vps.study.config import StudyConfig
from vps.study.plan import Shard, Task, plan

SCHEMA = 1
"""Part of every digest: counted up when the same settings come to give other results."""

_LONGEST = 100_000  # characters of a message or a traceback that are kept
_MOST = 1 << 24  # bytes of a record; a row of a thousand regions takes 60 kB

Status = Literal["done", "failed", "skipped", "missing"]


@dataclass(frozen=True)
class ResultRecord:
    """What there is of one case and method.

    Attributes:
        task: the case.
        method: as the config names it.
        status: "done"; "failed", with an error record; "skipped", because its image cannot be
            read; or "missing".
        row: of what is done.
        message: why it failed or was skipped.
    """

    task: Task
    method: str
    status: Status
    row: Row | None = None
    message: str = ""


class _ErrorRecord(TypedDict):
    digest: str
    status: Literal["failed", "skipped"]
    message: str


class Facts(NamedTuple):
    """What results depend on beyond settings and cases.

    Attributes:
        labels: what the detector was asked for when the cases were selected; empty if unknown.
        annotations: digest of the annotation file that they were selected from; "" if unknown.
    """

    labels: tuple[str, ...] = ()
    annotations: str = ""


def facts_of(lists: Mapping[str, CaseList]) -> dict[str, Facts]:
    """The facts of each data set, as its list of cases tells them."""
    return {
        name: Facts(cases.labels, cases.settings.get("annotations", ""))
        for name, cases in lists.items()
    }


class Store:
    """The results of a study, one (case, method) at a time.

    A result is <method>-<digest>.npz and .json, the picture .jpg, and .row.json, which is written
    last: where it can be read, the result is complete. What failed has an .error.json instead. The
    digest is of all that the result depends on, so results of other settings are never read.

    Args:
        config: of the study.
        facts: see `facts_of`.
    """

    def __init__(self, config: StudyConfig, facts: Mapping[str, Facts]) -> None:
        self.out = Path(config.out)
        self.methods = tuple(config.methods)
        self._settings = {
            (dataset, method): hashlib.sha256(
                _canonical(_settings(config, dataset, method, facts[dataset])).encode()
            )
            for dataset in facts
            for method in config.methods
        }
        self._last: tuple[Task, bytes, str] | None = None
        # That repairs are tried under all fills is a part of what they are.
        repair = {**to_plain(config.repair), "fills": list(FILLS)}
        self._repair = repair if config.repair.passes else None

    def digest(self, task: Task, method: str) -> str:
        """12 hex digits of the SHA-256 of all settings and annotations that the result depends on.

        Not of device, batch size and workers, which change nothing beyond float noise, and of
        folders only the last one's name, so that a study can move. Images and weights go by their
        names: others under the same names need another output folder.
        """
        digest = self._settings[task.dataset, method].copy()
        digest.update(self._about(task)[0])
        return digest.hexdigest()[:12]

    def folder(self, task: Task) -> Path:
        """Where the results of a case lie."""
        return self.out / self._about(task)[1]

    def _about(self, task: Task) -> tuple[bytes, str]:
        """What of a case is part of digests, and where in the study's folder its own is.

        The last is kept: all methods ask.
        """
        if self._last is None or self._last[0] is not task:
            target = task.case.target
            fields = {item.name: getattr(target, item.name) for item in dataclasses.fields(target)}
            about = [fields, task.case.object_id]
            if self._repair is not None and task.case.kind.traits.failure:
                about.append(self._repair)
            names = (task.dataset, task.case.image_id, task.case.key)
            folder = "/".join(["cases", *(safe_name(str(name)) for name in names)])
            self._last = task, _canonical(about).encode(), folder
        return self._last[1:]

    def path(self, task: Task, method: str, suffix: str = "") -> Path:
        """The file of a result with this suffix."""
        return self.out / self._place(task, method, self.digest(task, method), suffix)

    def _place(self, task: Task, method: str, digest: str, suffix: str = "") -> str:
        return f"{self._about(task)[1]}/{safe_name(method)}-{digest}{suffix}"

    def row(self, task: Task, method: str) -> Row | None:
        """The row of a result; None if there is none, or none that is whole.

        What it says of its case is what the list says now.
        """
        digest = self.digest(task, method)
        place = self._place(task, method, digest)
        # A text: to make a path of it takes as long as to parse the file.
        path = f"{self.out}/{place}.row.json"
        try:
            row = check_row(read_typed_json(Row, path, "row", _MOST))
        except InputError:
            return None
        if row["digest"] != digest:
            return None
        if row["picture"] not in (None, f"{place}.jpg"):
            return None
        return cast(Row, {**row, **identity(task), "method": method})

    def picture(self, task: Task, method: str) -> str:
        """Where the picture of a result lies, from the folder of the study."""
        return self._place(task, method, self.digest(task, method), ".jpg")

    def missing(self, task: Task) -> list[str]:
        """The methods without a result."""
        return [method for method in self.methods if self.row(task, method) is None]

    def save_row(self, task: Task, method: str, row: Mapping[str, Any]) -> None:
        """Write the row, which completes the result, and forget that it ever failed.

        Raises:
            OutputError: it cannot be written.
        """
        path = self.path(task, method, ".row.json")
        write_atomically(path, json.dumps(row, default=np.generic.item).encode())
        with contextlib.suppress(FileNotFoundError):
            self.path(task, method, ".error.json").unlink()

    def save_error(self, task: Task, method: str, error: BaseException, status: Status) -> None:
        """Write why there is no result.

        Raises:
            OutputError: it cannot be written.
        """
        record = {
            **identity(task),
            "method": method,
            "digest": self.digest(task, method),
            "status": status,
            "error": type(error).__name__,
            "message": text_of(error)[:_LONGEST],
            "traceback": "".join(traceback.format_exception(error))[:_LONGEST],
            "versions": versions(),
        }
        path = self.path(task, method, ".error.json")
        write_atomically(path, json.dumps(record, indent=1, default=repr).encode())

    def record(self, task: Task, method: str) -> ResultRecord:
        """What there is of a case and method."""
        row = self.row(task, method)
        if row is not None:
            return ResultRecord(task, method, "done", row=row)
        path, digest = self.path(task, method, ".error.json"), self.digest(task, method)
        try:
            error: _ErrorRecord = read_typed_json(_ErrorRecord, path, "record", _MOST)
        except InputError:
            return ResultRecord(task, method, "missing")
        if error["digest"] != digest:
            return ResultRecord(task, method, "missing")
        return ResultRecord(task, method, error["status"], message=error["message"])

    def records(
        self, lists: Mapping[str, CaseList], shard: Shard | None = None
    ) -> Iterator[ResultRecord]:
        """All that is planned, in the order of the plan, read one at a time."""
        for tasks in plan(lists, shard):
            for task in tasks:
                for method in self.methods:
                    yield self.record(task, method)

    @contextlib.contextmanager
    def lock(self, task: Task) -> Iterator[bool]:
        """Keep other processes from a case; yields False where one of them has it.

        The operating system gives a lock back when its process dies, however it dies. Locks are
        files of a fixed number, so some cases share one.

        Raises:
            OutputError: the lock cannot be made.
        """
        filelock = require("filelock", extra="eval")
        number = hashlib.sha256(self._about(task)[1].encode())
        path = self.out / ".locks" / f"{number.hexdigest()[:3]}.lock"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = filelock.FileLock(path)
            lock.acquire(blocking=False)
        except filelock.Timeout:
            yield False
            return
        except OSError as error:
            raise OutputError(f"{path} cannot be locked: {one_line(error)}") from error
        try:
            yield True
        finally:
            lock.release()

    def sweep(self, task: Task) -> None:
        """Remove what a killed process left half-written of a case; the caller holds its lock."""
        for path in self.folder(task).glob(".*.tmp"):
            path.unlink(missing_ok=True)


def identity(task: Task) -> dict[str, Any]:
    """What rows and error records both say of a case."""
    case = task.case
    return {
        "dataset": task.dataset,
        "image_id": case.image_id,
        "case": case.key,
        "kind": case.kind.value,
        "label": case.label,
        "predicted_label": case.predicted_label,
        "box": list(case.box),
        "size": case.size,
        "frequency": case.frequency,
        "score": case.score,
    }


def _settings(config: StudyConfig, dataset: str, method: str, facts: Facts) -> Any:
    """What the results of a method on a data set depend on, beside the case."""
    plain, chosen = to_plain(config), config.methods[method]
    detector, data = plain["detector"], plain["datasets"][dataset]
    scenes = dict(plain["scenes"] or {})
    del detector["device"]
    scenes.pop("folder", None)
    plain["regions"]["file"] = Path(config.regions.file or "").name
    return {
        "schema": SCHEMA,
        **{key: plain[key] for key in ("regions", "fill", "mode", "lambdas", "seed", "metrics")},
        "detector": detector,
        **facts._asdict(),
        "dataset": dataset,
        "data": {key: data[key] for key in ("format", "options", "rename", "regions")},
        "files": [Path(data[key] or "").name for key in ("annotations", "images")],
        "scenes": scenes,
        "method": chosen.method,
        "options": chosen.options,
    }


_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode

"""Many cases: what is missing is worked off, by one worker or many; a run can be killed at will."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping

from vps.data.cases.cases import CaseList
from vps.errors import InputError, VpsError
from vps.study.config import StudyConfig
from vps.study.executors import execute
from vps.study.plan import Queue, Shard, Task, plan
from vps.study.progress import StudyProgress, StudySummary
from vps.study.replies import Job
from vps.study.store import Store, facts_of
from vps.study.work import aucs_of

ShowStudyProgress = Callable[[StudyProgress], None]


def run(
    config: StudyConfig,
    lists: Mapping[str, CaseList],
    *,
    loader: str,
    shard: Shard | None = None,
    show: ShowStudyProgress | None = None,
) -> StudySummary:
    """Explain and measure all cases whose results are missing.

    Results go to files, see `vps.study.store.Store`; only counts stay in memory. All executors
    write the same files. Several runs may work on one folder at a time. What failed is tried again
    by the next run.

    Args:
        config: of the study.
        lists: the cases of each of its data sets.
        loader: "module:function", imported in each worker: takes a name, labels, device, dtype and
            options, and gives a detector.
        shard: (i, n), work off part i of n only, from 1.
        show: called after each case.

    Raises:
        InputError: lists of other data sets than the config's, a data set that cannot be opened, a
            detector that cannot be loaded.
        DetectorError: likewise, for a reason of its library.
        OutputError: a result cannot be written.
        VpsError: with `run.strict`, whatever went wrong first.
        KeyboardInterrupt: Ctrl-C; results so far are kept.
    """
    if unknown := set(lists) - set(config.datasets):
        raise InputError(f"there are cases of {', '.join(sorted(unknown))}, but no such data set")
    facts = facts_of(lists)
    store = Store(config, facts)
    progress = StudyProgress(planned=sum(len(tasks) for tasks in plan(lists, shard)))
    queue = Queue(_missing(store, plan(lists, shard), progress, show))
    with contextlib.closing(execute(Job(config, facts, loader), queue)) as replies:
        for task, reply in replies:
            if reply.busy:
                queue.put_off(task)
                continue
            progress.add(reply)
            if show is not None:
                show(progress)
            if reply.message and config.run.strict:
                raise VpsError(f"{reply.message} (run.strict is on)")
    return progress.summary()


def _missing(
    store: Store,
    images: Iterator[list[Task]],
    progress: StudyProgress,
    show: ShowStudyProgress | None,
) -> Iterator[list[Task]]:
    """The tasks of each image that are not done; those that are count at once."""
    for tasks in images:
        left = []
        for task in tasks:
            rows = {method: store.row(task, method) for method in store.methods}
            if all(rows.values()):
                progress.add_done({method: aucs_of(row) for method, row in rows.items() if row})
            else:
                left.append(task)
        if show is not None and len(left) < len(tasks):
            show(progress)
        yield left

"""What is to be done, in which order and by whom: tasks, shards, and the queue that hands out."""

from __future__ import annotations

import itertools
import re
import time
from collections import deque
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass

from vps.data.cases.cases import Case, CaseList
from vps.data.sample import Id
from vps.errors import InputError, quoted

Shard = tuple[int, int]
"""(i, n): part i of n, from 1, as SLURM counts with `--array=1-n`."""

_POLL = 0.2  # seconds between two looks at a case that another process holds


@dataclass(frozen=True)
class Task:
    """A case of a data set, to be explained by all methods."""

    dataset: str
    case: Case

    def __str__(self) -> str:
        return f"{self.dataset}, image {self.case.image_id}, case {self.case.key}"


def parse_shard(text: str) -> Shard:
    """(i, n) from "i/n".

    Raises:
        InputError: no such text, or i outside 1..n.
    """
    found = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text.strip())
    if found is None:
        raise InputError(
            "a shard is I/N, e.g. 1/4 for the first of four, of six digits at most; got "
            f"{quoted(text)}"
        )
    return check_shard((int(found[1]), int(found[2])))


def check_shard(shard: Shard) -> Shard:
    """The shard, or InputError where i lies outside 1..n."""
    part, parts = shard
    if not 1 <= part <= parts:
        raise InputError(f"a shard I/N needs 1 <= I <= N, got {part}/{parts}")
    return shard


def plan(lists: Mapping[str, CaseList], shard: Shard | None = None) -> Iterator[list[Task]]:
    """The tasks of a study, those of one image at a time.

    Args:
        lists: the cases of each data set.
        shard: every n-th image only, over all data sets, so that no image is prepared twice.
    """
    part, parts = check_shard(shard or (1, 1))
    images = itertools.chain.from_iterable(_images(name, cases) for name, cases in lists.items())
    return itertools.islice(images, part - 1, None, parts)


def _images(dataset: str, cases: CaseList) -> Iterator[list[Task]]:
    groups: dict[Id, list[Case]] = {}
    for case in cases.cases:
        groups.setdefault(case.image_id, []).append(case)
    return ([Task(dataset, case) for case in group] for group in groups.values())


class Queue:
    """Hands out tasks so that a worker gets the cases of an image one after the other.

    When no image is left, a worker without work helps another with its image. Tasks that came
    back, because another process held them, are handed out again at the end.

    Args:
        images: the tasks of one image at a time; read on only when a worker needs more.
    """

    def __init__(self, images: Iterator[list[Task]]) -> None:
        self._images = images
        self._shares: dict[Hashable, deque[Task]] = {}
        self._later: deque[Task] = deque()

    def take(self, worker: Hashable) -> Task | None:
        """The next task for a worker; None if there is none, unless one in work comes back."""
        share = self._shares.setdefault(worker, deque())
        while not share:
            image = next(self._images, None)
            if image is None:
                return self._rest()
            share.extend(image)
        return share.popleft()

    def retry(self, task: Task, worker: Hashable) -> None:
        """The task was not finished: `worker` gets it next."""
        self._shares.setdefault(worker, deque()).appendleft(task)

    def put_off(self, task: Task) -> None:
        """Another process works on the task: see again at the end whether it was finished."""
        self._later.append(task)

    def _rest(self) -> Task | None:
        longest = max(self._shares.values(), key=len)
        if longest:
            return longest.pop()
        if not self._later:
            return None
        time.sleep(_POLL)
        return self._later.popleft()

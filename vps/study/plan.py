"""What is to be done, in which order and by whom: tasks, shards, and the queue that hands out."""

from __future__ import annotations

import dataclasses
import itertools
import re
import time
from collections import deque
from collections.abc import Hashable, Iterator, Mapping, Sequence
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


@dataclass(frozen=True)
class ImageRange:
    """Images that the selection of a data set's cases has to look at.

    Attributes:
        dataset: its name.
        start, stop: their places among the images that are looked at, from 0, without `stop`.
        origin: digest of all that the selection depends on.
    """

    dataset: str
    start: int
    stop: int
    origin: str

    def __len__(self) -> int:
        return self.stop - self.start

    def singly(self) -> list[ImageRange]:
        """The images one by one."""
        places = range(self.start, self.stop)
        return [dataclasses.replace(self, start=place, stop=place + 1) for place in places]

    def __str__(self) -> str:
        many = f"images {self.start + 1} to {self.stop}"
        return f"{self.dataset}, {many if len(self) > 1 else f'image {self.stop}'} of the selection"


Work = Task | ImageRange
"""What a worker does at a time."""


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
    """Hands out work so that a worker gets the cases of an image one after the other.

    When no image is left, a worker without work helps another with its image. Tasks that came
    back, because another process held them, are handed out again at the end.

    Args:
        images: the tasks of one image at a time, or an image range each; read on only when a
            worker needs more.
    """

    def __init__(self, images: Iterator[Sequence[Work]]) -> None:
        self._images = images
        self._shares: dict[Hashable, deque[Work]] = {}
        self._later: deque[Work] = deque()

    def take(self, worker: Hashable) -> Work | None:
        """The next work for a worker; None if there is none, unless some comes back."""
        share = self._shares.setdefault(worker, deque())
        while not share:
            image = next(self._images, None)
            if image is None:
                return self._rest()
            share.extend(image)
        return share.popleft()

    def retry(self, work: Work, worker: Hashable) -> None:
        """It was not begun: `worker` gets it next."""
        self._shares.setdefault(worker, deque()).appendleft(work)

    def retry_after_death(self, work: Work, worker: Hashable) -> None:
        """Likewise where a worker has died of it: images one by one, to find out of which."""
        apart = work.singly() if isinstance(work, ImageRange) else [work]
        self._shares.setdefault(worker, deque()).extendleft(reversed(apart))

    def put_off(self, work: Work) -> None:
        """Another process works on it: see again at the end whether it was finished."""
        self._later.append(work)

    def _rest(self) -> Work | None:
        longest = max(self._shares.values(), key=len)
        if longest:
            return longest.pop()
        if not self._later:
            return None
        time.sleep(_POLL)
        return self._later.popleft()

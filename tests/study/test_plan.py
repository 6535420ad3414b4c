from __future__ import annotations

import itertools

import pytest

from tests.helpers.studies import lists_of
from vps.errors import InputError
from vps.study import plan as planning
from vps.study.plan import Queue, parse_shard, plan


def keys(images):
    return [(task.case.image_id, task.case.key) for tasks in images for task in tasks]


def test_the_cases_of_an_image_come_together_wherever_the_list_has_them():
    lists = lists_of(2)
    cases = lists["drawn"].cases
    object.__setattr__(lists["drawn"], "cases", (cases[0], cases[2], cases[1], cases[3]))
    assert keys(plan(lists)) == [(1, "d1"), (1, "a1"), (2, "d1"), (2, "a1")]


@pytest.mark.parametrize("parts", [1, 2, 3, 9])
def test_shards_are_a_partition_by_image(parts):
    lists = {"one": lists_of(5)["drawn"], "other": lists_of(3)["drawn"]}
    shards = [list(plan(lists, (part, parts))) for part in range(1, parts + 1)]
    assert all(len(tasks) == 2 for shard in shards for tasks in shard)
    assert max(map(len, shards)) - min(map(len, shards)) <= 1
    found = sorted(str(task) for shard in shards for tasks in shard for task in tasks)
    assert found == sorted(str(task) for tasks in plan(lists) for task in tasks)


def test_a_shard_is_read():
    assert parse_shard("2/8") == (2, 8)


@pytest.mark.parametrize(
    "text", ["0/4", "5/4", "1", "a/b", "1/0", "-1/2", "1/99999999999999999999", "²/4"]
)
def test_a_shard_that_does_not_exist_is_refused(text):
    with pytest.raises(InputError, match="shard"):
        parse_shard(text)


def test_a_worker_keeps_its_image_and_helps_others_at_the_end():
    queue = Queue(plan(lists_of(2)))
    taken = [queue.take(worker) for worker in ("a", "b", "a", "a")]
    assert [(task.case.image_id, task.case.key) for task in taken] == [
        (1, "d1"),
        (2, "d1"),
        (1, "a1"),
        (2, "a1"),
    ]
    assert queue.take("b") is None


def test_the_plan_is_read_only_as_far_as_needed():
    images = plan(lists_of(4))
    queue = Queue(images)
    queue.take("a")
    assert len(list(images)) == 3


def test_images_without_tasks_are_passed_over():
    assert Queue(itertools.chain([[], []], plan(lists_of(1)), [[]])).take("a") is not None


def test_what_was_put_off_comes_last_and_what_failed_comes_next(monkeypatch):
    monkeypatch.setattr(planning, "_POLL", 0)
    queue = Queue(plan(lists_of(1)))
    first = queue.take("a")
    queue.put_off(first)
    second = queue.take("a")
    queue.retry(second, "a")
    assert queue.take("a") == second
    assert queue.take("a") == first
    assert queue.take("a") is None

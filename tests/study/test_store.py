from __future__ import annotations

import dataclasses
import json

import pytest

from tests.helpers.studies import config_of, lists_of, row_of
from vps.errors import OutputError
from vps.study.plan import Task
from vps.study.store import Store, facts_of

LISTS = lists_of(2)
TASK = Task("drawn", LISTS["drawn"].cases[0])


def store_of(folder, lists=LISTS, **changes):
    return Store(config_of(folder, **changes), facts_of(lists))


def digest(folder, **changes):
    return store_of(folder, **changes).digest(TASK, "vps")


CHANGES = [
    {"detector": {"name": "other"}},
    {"detector": {"name": "brightness", "dtype": "bfloat16"}},
    {"detector": {"name": "brightness", "options": {"threads": 2}}},
    {"detector": {"name": "brightness", "labels": ["dog"]}},
    {"regions": {"count": 7, "method": "grid"}},
    {"regions": {"count": 6, "method": "slico"}},
    {"regions": {"count": 6, "method": "grid", "numbering": "distance"}},
    {"regions": {"count": 6, "method": "grid", "file": "maps"}},
    {"methods": {"vps": {"options": {"search": "greedy"}}}},
    {"methods": {"vps": {"options": {"search": "leave_one_out", "budget": 20}}}},
    {"fill": "blur"},
    {"mode": "class"},
    {"lambdas": [1.0, 0.5]},
    {"seed": 1},
    {"metrics": {"fidelity_subsets": 9}},
    {"datasets": {"drawn": {"format": "coco", "annotations": "other.json", "images": "images"}}},
]


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_settings_that_change_results_change_the_digest(tmp_path, change):
    assert digest(tmp_path, **change) != digest(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"detector": {"name": "brightness", "device": "cuda:3"}},
        {"batch_size": 3},
        {"run": {"executor": "ray", "workers": 7, "pictures": True}},
        {"out": "elsewhere"},
        {"name": "renamed"},
        {"methods": {"vps": {"options": {"search": "leave_one_out", "effort": "balanced"}}}},
        {"select": {"per_kind": 3}},
    ],
    ids=str,
)
def test_settings_that_change_no_result_do_not(tmp_path, change):
    assert digest(tmp_path / "moved", **change) == digest(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"box": (2.0, 2.0, 12.0, 13.0)},
        {"label": "cat"},
        {"kind": "missed"},
        {"predicted_label": "cat"},
        {"predicted_box": (2.0, 2.0, 12.0, 13.0)},
        {"object_id": 99},
    ],
    ids=str,
)
def test_a_case_that_asks_something_else_has_another_digest(tmp_path, change):
    other = Task("drawn", dataclasses.replace(TASK.case, **change))
    store = store_of(tmp_path)
    assert store.digest(other, "vps") != store.digest(TASK, "vps")


def test_repairs_are_part_of_the_digest_of_failures_alone(tmp_path):
    missed = Task("drawn", LISTS["drawn"].cases[1])
    plain, on, other = (
        store_of(tmp_path, repair=settings)
        for settings in ({"threshold": 0.4}, {"passes": 60}, {"passes": 60, "threshold": 0.4})
    )
    assert len({store.digest(TASK, "vps") for store in (plain, on, other)}) == 1
    assert len({store.digest(missed, "vps") for store in (plain, on, other)}) == 3
    # Without repairs, results are those of a study that knows of none.
    assert plain.digest(missed, "vps") == store_of(tmp_path).digest(missed, "vps")


def test_what_the_detector_was_asked_for_is_part_of_the_digest(tmp_path):
    lists = {"drawn": dataclasses.replace(LISTS["drawn"], labels=("dog", "cat", "cow"))}
    assert store_of(tmp_path, lists).digest(TASK, "vps") != digest(tmp_path)


def test_a_row_is_read_back_and_clears_the_error(tmp_path):
    store = store_of(tmp_path)
    store.save_error(TASK, "vps", ValueError("once"), "failed")
    assert store.record(TASK, "vps").status == "failed"
    assert store.record(TASK, "vps").message == "once"
    row = row_of(store, TASK, "vps")
    store.save_row(TASK, "vps", row)
    assert json.loads(json.dumps(store.row(TASK, "vps"))) == row
    assert not list(tmp_path.rglob("*.error.json"))
    assert store.missing(TASK) == ["greedy", "box"]


@pytest.mark.parametrize("content", ["", '{"digest": "', "[]", '{"digest": "0"}', "null"])
def test_a_row_that_is_half_there_or_of_something_else_is_missing(tmp_path, content):
    store = store_of(tmp_path)
    path = store.path(TASK, "vps", ".row.json")
    path.parent.mkdir(parents=True)
    path.write_text(content)
    assert store.record(TASK, "vps").status == "missing"


def test_records_are_all_that_is_planned(tmp_path):
    store = store_of(tmp_path)
    store.save_row(TASK, "box", row_of(store, TASK, "box"))
    last = Task("drawn", LISTS["drawn"].cases[-1])
    store.save_error(last, "vps", ValueError("unreadable"), "skipped")
    records = list(store.records(LISTS))
    assert len(records) == 4 * 3
    found = {(record.task, record.method): record.status for record in records}
    assert found.pop((TASK, "box")) == "done"
    assert found.pop((last, "vps")) == "skipped"
    assert set(found.values()) == {"missing"}


def test_an_error_record_has_the_traceback_and_the_cause(tmp_path):
    store = store_of(tmp_path)
    try:
        try:
            raise RuntimeError("deep down")
        except RuntimeError as cause:
            raise ValueError("on top") from cause
    except ValueError as error:
        store.save_error(TASK, "vps", error, "failed")
    record = json.loads(store.path(TASK, "vps", ".error.json").read_text())
    assert (record["error"], record["message"]) == ("ValueError", "on top")
    assert "deep down" in record["traceback"]
    assert "test_store.py" in record["traceback"]
    assert record["versions"]["vps"]


def test_a_case_has_one_lock(tmp_path):
    one, other = store_of(tmp_path), store_of(tmp_path)
    with one.lock(TASK) as first:
        with other.lock(TASK) as second:
            assert (first, second) == (True, False)
        with other.lock(Task("drawn", LISTS["drawn"].cases[1])) as free:
            assert free
    with other.lock(TASK) as free:
        assert free


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path):
    (tmp_path / "out").touch()
    store = store_of(tmp_path)
    with pytest.raises(OutputError, match="out"), store.lock(TASK):
        pass
    with pytest.raises(OutputError, match="cannot be written"):
        store.save_row(TASK, "vps", {})


def test_half_written_files_are_swept(tmp_path):
    store = store_of(tmp_path)
    store.save_row(TASK, "vps", row_of(store, TASK, "vps"))
    half = store.folder(TASK) / ".vps-1.npz.0f.tmp"
    half.touch()
    store.sweep(TASK)
    assert not half.exists()
    assert store.row(TASK, "vps") is not None


NAN, INFINITE = float("nan"), float("inf")


def without(*path):
    """A change that takes an entry out."""

    def change(row):
        *parents, name = path
        for parent in parents:
            row = row[parent]
        del row[name]

    return change


def put(value, *path):
    """A change that puts another value in the place of one."""

    def change(row):
        *parents, name = path
        for parent in parents:
            row = row[parent]
        row[name] = value

    return change


DAMAGES = [
    *(without(name) for name in (
        "dataset", "image_id", "case", "kind", "label", "box", "score", "size", "metrics", "curves",
        "picture", "warnings", "method", "repair", "image_name", "digest",
    )),
    without("metrics", "insertion"),
    without("curves", "deletion"),
    *(put(None, name) for name in (
        "metrics", "curves", "kind", "label", "box", "score", "warnings", "image_name",
    )),
    *(put(value, "metrics", "insertion") for value in (None, NAN, INFINITE, 5, -1, "x", 10**400)),
    put([], "metrics"),
    *(put(value, "curves", "areas") for value in (None, [], [0.0], [0, 1], [1, 0.5, 0], "abc")),
    *(put(value, "curves", "insertion") for value in ([0, NAN, 1], [0, 7, 1], [0, "x", 1], {})),
    *(put(value, "kind") for value in ("mised", 3, [])),
    *(put(value, "box") for value in ([1, 2, 3], [1, 2, 3, None], "box", [0, 0, NAN, 1])),
    *(put(value, "score") for value in (NAN, "x", 3, [])),
    *(put(value, "picture") for value in (7, "../../secret.jpg", "/etc/passwd", [])),
    put("text", "warnings"),
    *(put(value, "repair") for value in ([], 3, {"regions": ["x"]})),
]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_row_counts_as_missing(tmp_path, damage):
    store = store_of(tmp_path)
    row = row_of(store, TASK, "vps")
    store.save_row(TASK, "vps", row)
    assert store.row(TASK, "vps") is not None
    damage(row)
    store.save_row(TASK, "vps", row)
    assert store.row(TASK, "vps") is None
    assert store.record(TASK, "vps").status == "missing"


@pytest.mark.parametrize(
    "content", [b"[" * 100_000, b"\xff\xfe", b'{"a": ' + b"9" * 5000 + b"}", b" " * (1 << 25)]
)
def test_what_is_no_row_at_all_is_missing(tmp_path, content):
    store = store_of(tmp_path)
    for suffix in (".row.json", ".error.json"):
        path = store.path(TASK, "vps", suffix)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    assert store.record(TASK, "vps").status == "missing"


def test_what_a_row_says_of_its_case_is_what_the_list_says(tmp_path):
    store = store_of(tmp_path)
    store.save_row(TASK, "vps", row_of(store, TASK, "vps") | {"label": "cow", "size": "huge"})
    assert (store.row(TASK, "vps")["label"], store.row(TASK, "vps")["size"]) == ("dog", "small")


def test_metrics_of_another_version_are_left_out(tmp_path):
    store = store_of(tmp_path)
    row = row_of(store, TASK, "vps")
    row["metrics"]["beauty"] = 3.0
    store.save_row(TASK, "vps", row)
    assert list(store.row(TASK, "vps")["metrics"]) == ["insertion", "deletion", "passes"]


class Mute(Exception):
    def __str__(self):
        raise RuntimeError("not even this")


@pytest.mark.parametrize(
    "error", [Mute(), ValueError("\ud800"), ValueError("x" * 10**7), ValueError(b"\xff", None)]
)
def test_no_error_is_too_odd_to_be_written(tmp_path, error):
    store = store_of(tmp_path)
    odd = Task("drawn", dataclasses.replace(TASK.case, label="\udce9", image_id="\ud800"))
    store.save_error(odd, "vps", error, "failed")
    assert store.record(odd, "vps").status == "failed"
    assert store.path(odd, "vps", ".error.json").stat().st_size < 10**6


@pytest.mark.parametrize(
    "change", [put(None, "message"), put("done", "status"), put("0", "digest"), without("status")]
)
def test_a_damaged_error_record_counts_as_missing(tmp_path, change):
    store = store_of(tmp_path)
    store.save_error(TASK, "vps", ValueError("once"), "failed")
    path = store.path(TASK, "vps", ".error.json")
    record = json.loads(path.read_text())
    change(record)
    path.write_text(json.dumps(record))
    assert store.record(TASK, "vps").status == "missing"

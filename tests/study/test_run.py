from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path

import pytest
from PIL import Image

from tests.helpers.attacks import POSTSCRIPT, swollen_png
from tests.helpers.studies import LOADER, BrightnessDetector, calls_of, outcome, study
from vps.errors import DetectorError, InputError, OutputError, VpsError
from vps.explaining.explain import explain
from vps.results.explanation import Explanation
from vps.study import work
from vps.study.run import run
from vps.study.store import Store, facts_of


def rows(out):
    return [json.loads(path.read_text()) for path in sorted(Path(out).rglob("*.row.json"))]


def errors(out):
    return [json.loads(path.read_text()) for path in sorted(Path(out).rglob("*.error.json"))]


def test_each_case_and_method_has_a_row_and_an_explanation(tmp_path):
    config, lists = study(tmp_path, 2)
    summary = run(config, lists, loader=LOADER)
    assert (summary.planned, summary.done, summary.results) == (4, 4, 12)
    assert summary.exit_code == 0
    store = Store(config, facts_of(lists))
    records = list(store.records(lists))
    assert {record.status for record in records} == {"done"}
    for record in records:
        explanation = Explanation.load(store.path(record.task, record.method))
        assert explanation.target == record.task.case.target
        assert explanation.image_name == f"{record.task.case.image_id}.png"
        row = record.row
        assert row["metrics"]["insertion"] == pytest.approx(explanation.insertion_auc)
        assert row["metrics"]["passes"] == explanation.passes
        assert list(row["curves"]["deletion"]) == explanation.deletion.tolist()
        assert (row["image_id"], row["case"]) == (record.task.case.image_id, record.task.case.key)
        assert row["picture"] is None


def test_results_are_those_of_explain(tmp_path):
    config, lists = study(tmp_path, 1)
    run(config, lists, loader=LOADER)
    store = Store(config, facts_of(lists))
    record = next(store.records(lists))
    found = Explanation.load(store.path(record.task, "vps"))
    expected = explain(
        BrightnessDetector("brightness"),
        tmp_path / "images" / "1.png",
        record.task.case.target,
        regions=6,
        region_method="grid",
        search="leave_one_out",
        seed=found.seed,
    )
    assert found.order.tolist() == expected.order.tolist()
    assert found.insertion.tolist() == expected.insertion.tolist()


def test_rows_measure_against_the_annotated_object(tmp_path):
    config, lists = study(tmp_path, 1)
    run(config, lists, loader=LOADER)
    by_method = {row["method"]: row for row in rows(config.out) if row["case"] == "d1"}
    # The box as a map lies where the object is, and nowhere else.
    assert by_method["box"]["metrics"]["pointing"] == 1
    assert by_method["box"]["metrics"]["energy_pointing"] == pytest.approx(1)
    for row in by_method.values():
        assert {"mu_fidelity", "energy_pointing_mask", "sparsity"} <= set(row["metrics"])


def test_the_subsets_of_mu_fidelity_pass_once_for_all_methods(tmp_path, tricks):
    counts = []
    for subsets in (0, 8):
        log = tmp_path / f"log{subsets}"
        tricks(log=log)
        out, metrics = str(tmp_path / f"out{subsets}"), {"fidelity_subsets": subsets}
        config, lists = study(tmp_path, 2, out=out, metrics=metrics)
        run(config, lists, loader=LOADER)
        counts.append(len(calls_of(log)))
    # One batch for each of the four cases.
    assert counts[1] - counts[0] == 4


def test_pictures_are_written_and_found_from_the_folder(tmp_path):
    config, lists = study(tmp_path, 1, run={"pictures": True})
    run(config, lists, loader=LOADER)
    for row in rows(config.out):
        with Image.open(Path(config.out) / row["picture"]) as picture:
            assert picture.format == "JPEG"


def test_a_second_start_does_nothing(tmp_path, tricks):
    tricks(log=tmp_path / "log")
    config, lists = study(tmp_path, 2)
    run(config, lists, loader=LOADER)
    calls, before = len(calls_of(tmp_path / "log")), outcome(config.out)
    assert calls > 0
    summary = run(config, lists, loader="no.such:loader")
    assert (summary.done, summary.computed, summary.results) == (4, 0, 0)
    assert len(calls_of(tmp_path / "log")) == calls
    assert outcome(config.out) == before


def test_only_what_is_missing_is_done(tmp_path):
    config, lists = study(tmp_path, 2)
    run(config, lists, loader=LOADER)
    before = outcome(config.out)
    kept = {path: path.stat().st_mtime_ns for path in Path(config.out).rglob("*.row.json")}
    lost = sorted(kept)[3]
    lost.write_text(lost.read_text()[:50])
    summary = run(config, lists, loader=LOADER)
    assert (summary.computed, summary.results) == (1, 1)
    assert outcome(config.out) == before
    for path, time in kept.items():
        assert (path.stat().st_mtime_ns == time) == (path != lost)


def test_other_settings_do_not_touch_old_results(tmp_path):
    config, lists = study(tmp_path, 1)
    run(config, lists, loader=LOADER)
    before = outcome(config.out)
    other = dataclasses.replace(config, fill="black")
    assert run(other, lists, loader=LOADER).results == 6
    after = outcome(config.out)
    assert len(after) == 2 * len(before)
    assert {path: after[path] for path in before} == before
    store = Store(other, facts_of(lists))
    for record in store.records(lists):
        assert Explanation.load(store.path(record.task, record.method)).fill == "black"


def test_a_case_that_fails_is_recorded_and_the_others_go_on(tmp_path, tricks):
    tricks(fail=2)
    config, lists = study(tmp_path, 3)
    summary = run(config, lists, loader=LOADER)
    assert (summary.done, summary.failed) == (4, 2)
    assert summary.exit_code == 1
    assert {row["image_id"] for row in rows(config.out)} == {1, 3}
    found = errors(config.out)
    assert [error["image_id"] for error in found] == [2] * 6
    assert {error["status"] for error in found} == {"failed"}
    assert "too much for me" in found[0]["message"]
    assert "studies.py" in found[0]["traceback"]
    # The next start tries again what failed, and only that.
    tricks()
    summary = run(config, lists, loader=LOADER)
    assert (summary.done, summary.failed, summary.computed) == (6, 0, 2)
    assert not errors(config.out)


def test_a_strict_run_stops_at_the_first_failure(tmp_path, tricks):
    tricks(fail=2)
    config, lists = study(tmp_path, 3, run={"strict": True, "pictures": False})
    with pytest.raises(VpsError, match="drawn, image 2, case d1.*too much for me"):
        run(config, lists, loader=LOADER)
    assert {row["image_id"] for row in rows(config.out)} == {1}


def test_a_run_goes_on_past_a_missing_image_that_is_called_like_a_lost_device(tmp_path):
    config, lists = study(tmp_path, 3)
    annotations = tmp_path / "objects.json"
    text = annotations.read_text()
    assert '"2.png"' in text
    annotations.write_text(text.replace('"2.png"', '"cuda error 0.jpg"'))
    summary = run(config, lists, loader=LOADER)
    assert (summary.done, summary.failed, summary.skipped) == (4, 0, 2)


def pipe(path):
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    "damage",
    [
        Path.unlink,
        lambda path: path.write_bytes(b"\x89PNG\r\n"),
        lambda path: path.write_bytes(swollen_png()),
        lambda path: path.write_bytes(POSTSCRIPT),
        pipe,
    ],
)
def test_an_image_that_cannot_be_read_is_skipped_on_record(tmp_path, damage):
    config, lists = study(tmp_path, 3)
    damage(tmp_path / "images" / "2.png")
    summary = run(config, lists, loader=LOADER)
    assert (summary.done, summary.failed, summary.skipped) == (4, 0, 2)
    assert summary.exit_code == 0
    found = errors(config.out)
    assert {(error["image_id"], error["status"]) for error in found} == {(2, "skipped")}
    assert "2.png" in found[0]["message"]
    strict = dataclasses.replace(config, run=dataclasses.replace(config.run, strict=True))
    with pytest.raises(VpsError, match=r"2\.png"):
        run(strict, lists, loader=LOADER)


def test_batches_that_do_not_fit_are_halved_once_for_all_cases(tmp_path, tricks):
    tricks(log=tmp_path / "log", memory=2)
    config, lists = study(tmp_path, 2, batch_size=8)
    assert run(config, lists, loader=LOADER).done == 4
    tried = [batch for _, batch in calls_of(tmp_path / "log")]
    assert [batch for batch in tried if batch > 2] == tried[: tried.index(2)][-2:]
    tricks()
    free, _ = study(tmp_path, 2, out=str(tmp_path / "free"))
    run(free, lists, loader=LOADER)
    assert outcome(free.out) == outcome(config.out)


def test_a_case_that_does_not_fit_at_all_fails(tmp_path, tricks):
    tricks(memory=0)
    config, lists = study(tmp_path, 1, batch_size=2)
    assert run(config, lists, loader=LOADER).failed == 2
    assert "out of memory" in errors(config.out)[0]["message"]


def test_a_folder_that_cannot_be_written_stops_the_run(tmp_path):
    config, lists = study(tmp_path, 1)
    Path(config.out).touch()
    with pytest.raises(OutputError, match="out"):
        run(config, lists, loader=LOADER)


def test_a_full_disk_stops_the_run_at_once(tmp_path, monkeypatch, tricks):
    tricks(log=tmp_path / "log")
    config, lists = study(tmp_path, 3)
    usual, count = Path.open, [0]

    def fills_up(path, mode="r", *more, **settings):
        count[0] += mode == "wb"
        file = usual(path, mode, *more, **settings)
        if mode == "wb" and count[0] > 4:
            file.write(b"{")
            file.close()
            raise OSError(28, os.strerror(28))
        return file

    monkeypatch.setattr(Path, "open", fills_up)
    with pytest.raises(OutputError, match="No space left on device"):
        run(config, lists, loader=LOADER)
    assert len(rows(config.out)) == 1
    monkeypatch.undo()
    run(config, lists, loader=LOADER)
    whole, _ = study(tmp_path, 3, out=str(tmp_path / "whole"))
    run(whole, lists, loader=LOADER)
    assert outcome(config.out) == outcome(whole.out)


def test_an_interrupted_explanation_is_not_kept(tmp_path, monkeypatch):
    config, lists = study(tmp_path, 1)

    def interrupted(*arguments, **settings):
        (found,) = explain(*arguments, **settings)
        return [dataclasses.replace(found, stopped="interrupted")]

    monkeypatch.setattr(work, "explain", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(config, lists, loader=LOADER)
    assert outcome(config.out) == {}


def test_a_detector_that_cannot_be_loaded_stops_the_run(tmp_path):
    broken = {"name": "brightness", "options": {"broken": True}}
    config, lists = study(tmp_path, 1, detector=broken)
    with pytest.raises(DetectorError, match="no such weights"):
        run(config, lists, loader=LOADER)
    assert not errors(config.out)


def test_a_data_set_that_cannot_be_opened_stops_the_run(tmp_path):
    config, lists = study(tmp_path, 1)
    (tmp_path / "objects.json").unlink()
    with pytest.raises(InputError, match="objects"):
        run(config, lists, loader=LOADER)


def test_an_annotation_that_is_not_there_fails_its_case(tmp_path):
    config, lists = study(tmp_path, 1)
    cases = lists["drawn"].cases
    strange = dataclasses.replace(cases[0], object_id=77)
    lists = {"drawn": dataclasses.replace(lists["drawn"], cases=(strange, cases[1]))}
    assert run(config, lists, loader=LOADER).failed == 1
    assert "no annotation 77" in errors(config.out)[0]["message"]


def test_lists_of_data_sets_that_the_config_lacks_are_refused(tmp_path):
    config, lists = study(tmp_path, 1)
    with pytest.raises(InputError, match="other"):
        run(config, {"other": lists["drawn"]}, loader=LOADER)


def test_several_workers_need_an_executor_that_has_them(tmp_path):
    config, lists = study(tmp_path, 1, run={"workers": 2})
    with pytest.raises(InputError, match="run.executor=processes"):
        run(config, lists, loader=LOADER)


def test_shards_together_are_the_whole(tmp_path):
    config, lists = study(tmp_path, 3)
    run(config, lists, loader=LOADER)
    parts, _ = study(tmp_path, 3, out=str(tmp_path / "parts"))
    done = [run(parts, lists, loader=LOADER, shard=(part, 2)).planned for part in (1, 2)]
    assert done == [4, 2]
    assert outcome(parts.out) == outcome(config.out)


def test_what_another_process_holds_is_waited_for(tmp_path):
    config, lists = study(tmp_path, 2)
    store = Store(config, facts_of(lists))
    task = next(store.records(lists)).task
    lock = store.lock(task)
    assert lock.__enter__()
    seen = []

    def show(progress):
        seen.append(progress.done)
        if progress.done == 3:
            # All else is finished: now the other process lets go.
            lock.__exit__(None, None, None)

    assert run(config, lists, loader=LOADER, show=show).done == 4
    assert seen == [1, 2, 3, 4]


def test_random_methods_have_a_seed_of_their_own_in_each_case(tmp_path):
    config, lists = study(tmp_path, 2)
    run(config, lists, loader=LOADER)
    store = Store(config, facts_of(lists))
    paths = [store.path(record.task, "vps") for record in store.records(lists)]
    assert len({Explanation.load(path).seed for path in paths}) == 4

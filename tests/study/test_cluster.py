from __future__ import annotations

import pytest

from tests.helpers.studies import LOADER, calls_of, outcome, study
from vps.errors import DetectorError
from vps.study.run import run

ray = pytest.importorskip("ray")


def on_ray(tmp_path, workers=2, count=3, **changes):
    settings = {"executor": "ray", "workers": workers, "pictures": False}
    return study(tmp_path, count, out=str(tmp_path / "ray"), run=settings, **changes)


@pytest.mark.parametrize("workers", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_actors_write_the_same_files_even_if_one_is_killed(tmp_path, tricks, workers):
    config, lists = study(tmp_path, 3)
    run(config, lists, loader=LOADER)
    expected = outcome(config.out)
    tricks(die=2, once=tmp_path / "died", log=tmp_path / "log")
    config, lists = on_ray(tmp_path, workers)
    summary = run(config, lists, loader=LOADER)
    assert (tmp_path / "died").exists()
    assert (summary.done, summary.failed) == (6, 0)
    assert outcome(config.out) == expected
    processes = {process for process, _ in calls_of(tmp_path / "log")}
    # Who was killed comes back as another process; of two, the other may be done before.
    assert len(processes) == 2 if workers == 1 else len(processes) in (2, 3)
    assert not ray.is_initialized()


def test_nothing_is_started_where_nothing_is_missing(tmp_path, monkeypatch):
    config, lists = study(tmp_path, 3, out=str(tmp_path / "ray"))
    run(config, lists, loader=LOADER)
    monkeypatch.setattr(ray, "init", None)
    config, lists = on_ray(tmp_path)
    assert run(config, lists, loader=LOADER).computed == 0


@pytest.mark.slow
def test_actors_build_a_detector_of_ones_own(tmp_path):
    detector = {
        "name": "tests.helpers.own_detector:build",
        "device": "cpu",
        "options": {"scale": 0.9},
    }
    config, lists = study(tmp_path, 2, detector=detector)
    assert run(config, lists, loader="detectors:load_for").failed == 0
    expected = outcome(config.out)
    config, lists = study(
        tmp_path,
        2,
        detector=detector,
        out=str(tmp_path / "ray"),
        run={"executor": "ray", "workers": 1, "pictures": False},
    )
    summary = run(config, lists, loader="detectors:load_for")
    assert (summary.done, summary.failed) == (4, 0)
    assert outcome(config.out) == expected


@pytest.mark.slow
def test_actors_that_keep_dying_while_they_load_stop_the_run(tmp_path):
    config, lists = study(
        tmp_path,
        2,
        out=str(tmp_path / "ray"),
        detector={"name": "brightness", "device": "cpu", "options": {"dying": True}},
        run={"executor": "ray", "workers": 1, "attempts": 2},
    )
    with pytest.raises(DetectorError, match="workers die while they load the detector"):
        run(config, lists, loader=LOADER)
    assert not list((tmp_path / "ray").rglob("*.error.json"))


@pytest.mark.slow
def test_a_node_that_dies_and_one_that_joins_late(tmp_path, tricks):
    """Two nodes of a core each: one is killed at work, and its actor comes back on a third."""
    from ray.cluster_utils import Cluster

    config, lists = study(tmp_path, 12)
    run(config, lists, loader=LOADER)
    expected, log, once = outcome(config.out), tmp_path / "log", tmp_path / "no delay"
    tricks(log=log, delay=0.1, once=once)
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        nodes = [cluster.add_node(num_cpus=1)]
        ray.init(address=cluster.address, log_to_driver=False)
        config, lists = on_ray(tmp_path, count=12)

        def workers() -> int:
            return len({process for process, _ in calls_of(log)})

        def show(progress) -> None:
            if len(nodes) == 1 and workers() == 2:
                cluster.remove_node(nodes[0], allow_graceful=False)
                nodes.append(cluster.add_node(num_cpus=1))
            if workers() == 3:
                once.touch()

        summary = run(config, lists, loader=LOADER, show=show)
    finally:
        ray.shutdown()
        cluster.shutdown()
    assert (summary.done, summary.failed) == (24, 0)
    assert outcome(config.out) == expected
    assert workers() == 3

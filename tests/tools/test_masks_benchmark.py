import json

import numpy as np
import pytest
from scipy.stats import spearmanr

from tests.helpers.benchmarks import Knowing, arguments
from tools.benchmarks import masks
from tools.benchmarks.cases import cases_found
from vps.engine.problem import make_problem
from vps.explaining.explain import explain
from vps.methods.perturbation.drise import DRISE


@pytest.fixture
def cases(scenes, monkeypatch):
    """Two cases of drawn scenes, which the command finds, too."""
    monkeypatch.setattr(
        "tools.benchmarks.cases.make_scene", lambda _, index: scenes[index % len(scenes)]
    )
    detector = Knowing(scenes)
    monkeypatch.setattr(masks, "load_for", lambda *_: detector)
    found = cases_found(detector, masks.open_data("scenes:5", "")[0], per_image=1)
    return detector, [case for _, case in zip(range(2), found, strict=False)]


def run(out, *more):
    given = ("--data", "scenes:5", "--objects", 2, "--regions", 9, "--out", out)
    masks.run(arguments(masks, *given, *more))
    (folder,) = out.iterdir()
    return folder


def test_both_ways_are_those_of_the_method(cases, tmp_path, capsys):
    detector, (first, _) = cases
    folder = run(tmp_path, "--masks", 30)
    record = json.loads((folder / f"{first.key}_30.json").read_text())
    problem = make_problem(detector, first.image, [first.target], regions=9)
    for way in ("coverage", "expected"):
        method = DRISE(masks=30, normalisation=way)
        found = [explain(problem, method=method, seed=seed)[0] for seed in (0, 1)]
        for name in ("insertion", "deletion"):
            mean = np.mean([getattr(one, f"{name}_auc") for one in found])
            assert record[way][name] == pytest.approx(mean, abs=1e-6)
        means = [one.region_scores for one in found]
        assert record[way]["repeats"] == pytest.approx(spearmanr(*means).statistic, abs=1e-6)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "knowing, 2 objects of scenes:5, 30 masks"
    assert [line.split(" | ")[0] for line in lines[3:]] == [
        "| box",
        "| expected",
        "| coverage",
        "| coverage - box",
        "| coverage - expected",
    ]


def test_more_masks_go_on_from_those_that_were_seen_through(cases, tmp_path, monkeypatch):
    _, (first, _) = cases
    run(tmp_path / "whole", "--masks", 20)
    folder = run(tmp_path / "on", "--masks", 12)
    seen, usual = [], masks.random_masks

    def counted(numbers, *args, **settings):
        seen.extend(numbers)
        return usual(numbers, *args, **settings)

    monkeypatch.setattr(masks, "random_masks", counted)
    run(tmp_path / "on", "--masks", 20)
    name = f"{first.key}_seed1.npy"
    whole = np.load(tmp_path / "whole" / folder.name / name)
    np.testing.assert_allclose(np.load(folder / name), whole, rtol=1e-6)
    # Those of the second run's own passes, and all of them again for the maps.
    assert seen.count(13) > seen.count(3)

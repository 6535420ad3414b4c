import dataclasses

import numpy as np
import pytest
import torch

pytest.importorskip("pycocotools")

from tests.helpers.analytic import TARGET, by_score, photo, strip_detector  # noqa: E402
from tests.helpers.benchmarks import arguments  # noqa: E402
from tools.benchmarks import failures, planting  # noqa: E402
from tools.benchmarks.planting import DISTRACTORS, cues, distractors, paint  # noqa: E402
from vps.core.candidates import Candidates  # noqa: E402
from vps.core.targets import Kind, Target  # noqa: E402
from vps.data.scenes.layouts import CATEGORIES, WITHOUT_CAUSE  # noqa: E402
from vps.data.scenes.scenes import (
    drawing,  # noqa: E402
    make_scene,  # noqa: E402
)
from vps.engine.problem import make_problem  # noqa: E402
from vps.errors import InputError  # noqa: E402
from vps.explaining.failure import explain_failure  # noqa: E402
from vps.sets.goals import repaired  # noqa: E402

SIZES = ((240, 240), (240, 280))
MAGENTA = np.array([255, 0, 255], np.float32)
DAZZLING = 200  # pixels of magenta


class Deceived:
    """Finds each object where it is, unless it is dazzled by magenta.

    A wheel is a ball, and a buoy a plate, as far as its cue is not as it was drawn.
    """

    name, labels, device = "deceived", CATEGORIES, torch.device("cpu")

    def __init__(self, scenes):
        self.scenes = {scene.layout.size: scene for scene in scenes}

    def prepare(self, image):
        return torch.from_numpy(image.copy()).permute(2, 0, 1).float() / 255

    def detect(self, pixels, size):
        scene = self.scenes[size]
        same = (pixels == self.prepare(scene.image)).all(dim=1)
        magenta = torch.from_numpy(MAGENTA / 255).view(3, 1, 1)
        dazzled = (pixels == magenta).all(dim=1).sum(dim=(1, 2)) >= DAZZLING
        scores = torch.zeros(len(pixels), len(scene.objects), len(CATEGORIES))
        for row, item in enumerate(scene.objects):
            cued = torch.ones(len(pixels))
            if item.cause is not None:
                cued = same[:, torch.from_numpy(item.cause)].float().mean(dim=1)
                scores[:, row, CATEGORIES.index(WITHOUT_CAUSE[item.category])] = 1 - cued
            scores[:, row, CATEGORIES.index(item.category)] = cued
        scores[dazzled] *= 0.1
        boxes = torch.tensor([item.box for item in scene.objects]).expand(len(pixels), -1, 4)
        return Candidates(boxes, scores, CATEGORIES)


def magenta_spot(place, ink, dose, rng):
    mask = drawing.shape_mask("square", 4 + 12 * dose, 0.0)
    patch = np.broadcast_to(MAGENTA, (*mask.shape, 3))
    return patch, mask.round(), place.x, place.y + (1 if place.y < 120 else -1) * place.radius * 1.5


@pytest.fixture
def detector(monkeypatch):
    """Of two scenes with a wheel and a buoy each, in which the benchmark plants magenta spots."""
    scenes = [
        next(
            scene
            for scene in (make_scene(5, index, size=size) for index in range(200))
            if {"wheel", "buoy"} <= {item.category for item in scene.objects}
        )
        for size in SIZES
    ]
    monkeypatch.setattr(planting, "make_scene", lambda _, index: scenes[index % 2])
    monkeypatch.setattr(planting, "DISTRACTORS", {"spot": magenta_spot})
    return Deceived(scenes)


@pytest.mark.parametrize("name", DISTRACTORS)
def test_what_is_painted_leaves_the_object_and_its_own_cue_alone(name):
    changed = 0
    for index in range(3):
        scene = make_scene(3, index, size=SIZES[0])
        for item in scene.objects:
            for dose in (0.0, 1.0):
                image, cause = paint(scene, item, name, dose, 0)
                kept = item.mask if item.cause is None else item.mask | item.cause
                assert not (cause & kept).any()
                assert np.array_equal(image[~cause], scene.image[~cause])
                changed += cause.sum()
    assert changed


def test_a_distractor_grows_until_the_object_is_lost(detector):
    cases = list(distractors(detector, 5, 2, 0.3))
    assert [case.name for case in cases] == ["spot", "spot"]
    for case in cases:
        assert case.target == Target(case.item.box, case.item.category, Kind.MISSED)
        assert (case.image[case.cause] == MAGENTA).all()
        assert DAZZLING <= case.cause.sum() < 5 * DAZZLING
        assert not (case.cause & case.item.mask).any()


@pytest.mark.parametrize("score", [0.1, 0.9])
def test_what_comes_back_when_something_else_is_hidden_is_not_planted(monkeypatch, score):
    scene = make_scene(5, 0, size=SIZES[0])
    item = scene.objects[0]
    image, cause = paint(scene, item, "bar", 0.5, 0)
    hidden = []

    def look(_detector, shown, _item, _label):
        changed = (shown != image).any(axis=2)
        hidden.append(changed.sum())
        assert not (changed & (cause | item.mask)).any()
        return planting.Look(score, item.category, score)

    monkeypatch.setattr(planting, "look", look)
    assert planting._steady(None, image, item, item.category, cause, 0.3) == (score < 0.3)
    # A 64th of the image, but for pixels that are grey by chance.
    assert all(850 < count <= 900 for count in hidden)
    assert len(hidden) == 1 or score < 0.3


def test_wheels_and_buoys_take_turns_and_their_cue_is_the_cause(detector):
    cases = list(cues(detector, 5, 2, 0.3))
    assert [case.name for case in cases] == ["wheel", "buoy"]
    for case in cases:
        truth = Target(case.item.box, WITHOUT_CAUSE[case.name], Kind.CLASSIFICATION, case.name)
        assert case.target == truth
        assert case.cause is case.item.cause


@pytest.mark.parametrize("find", [distractors, cues])
def test_a_detector_that_nothing_deceives(detector, find, monkeypatch):
    monkeypatch.setattr(planting, "lost_clearly", lambda *_: False)
    monkeypatch.setattr(planting, "_SCENES", 2)
    with pytest.raises(InputError, match="only 0 of 1"):
        list(find(detector, 5, 1, 0.3))


@pytest.mark.filterwarnings("ignore:F does not change")
@pytest.mark.parametrize(("planted", "named"), [([2], True), ([2, 4], True), ([3], False)])
def test_columns_where_one_region_of_six_is_the_culprit(planted, named):
    detector = strip_detector(by_score(lambda keep: 0.1 if keep[2] else 0.9))
    target = Target(TARGET.box, TARGET.label, Kind.MISSED)
    answer = explain_failure(detector, photo(), target, regions=detector.regions)
    problem = make_problem(detector, photo(), [target], regions=detector.regions)
    row = failures._judged(answer, np.array(planted), problem.passes(), repaired([target], 0.3))
    assert (row.named, row.elsewhere) == (named, not named)
    assert row.area == row.alone == pytest.approx(1 / 6)
    assert row.chance == pytest.approx(len(planted) / 6)
    assert row.random_area >= row.area
    # What is hidden at random holds the culprit, whatever else it holds.
    assert row.random_named or not named
    assert row.passes == answer.passes


@pytest.mark.filterwarnings("ignore:F does not change")
@pytest.mark.parametrize(("culprit", "passes"), [(2, 0), (None, 60)])
def test_what_random_orders_do_not_repair_names_nothing(culprit, passes):
    """Too few passes for an order, or nothing that helps."""
    detector = strip_detector(by_score(lambda keep: 0.9 if culprit and not keep[culprit] else 0.1))
    target = Target(TARGET.box, TARGET.label, Kind.MISSED)
    answer = explain_failure(detector, photo(), target, regions=detector.regions)
    problem = make_problem(detector, photo(), [target], regions=detector.regions)
    answer = dataclasses.replace(answer, passes=passes)
    row = failures._judged(answer, np.array([2]), problem.passes(), repaired([target], 0.3))
    assert row.named == (culprit == 2)
    assert not row.random_named
    assert row.random_area == 1


def test_a_case_whose_cause_no_region_shows_is_not_repairable(detector):
    case = next(distractors(detector, 5, 1, 0.3))
    given = arguments(failures, "--regions", 9, "--set-passes", 0)
    assert failures._row(detector, case, given) is None


def test_a_row_for_each_thing_planted(detector, monkeypatch, capsys):
    monkeypatch.setattr(failures, "load", lambda *_, **__: detector)
    given = ("--distractors", 1, "--cues", 1, "--regions", 36, "--set-passes", 50)
    failures.run(arguments(failures, *given))
    out = capsys.readouterr().out
    lines = {line[:15].strip(): line[15:].split() for line in out.splitlines()}
    assert lines["spot"] == lines["any distractor"]
    assert lines["wheel"] == lines["any cue"]
    assert [lines[name][0] for name in ("spot", "wheel")] == ["1", "1"]
    repairable = [name for name in ("spot", "wheel") if lines[name][1] == "1"]
    assert repairable
    assert all(lines[name][2] == "100%" for name in repairable)

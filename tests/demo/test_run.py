import contextlib
import html
import re

import numpy as np
import pytest
import torch

from vps import Kind
from vps.engine.budget import Budget
from vps.core.candidates import Candidates
from vps.core.detect import Detection
from vps.data.scenes.layouts import CATEGORIES, WITHOUT_CAUSE
from vps.data.scenes.scenes import make_scene, without_cause
from vps.demo import cases as demo_cases
from vps.demo.run import run_demo
from vps.results.answer import Answer


class Knowing:
    """Finds each object of the scenes that it was told of, as far as its pixels are shown."""

    name, device = "knowing", torch.device("cpu")

    def __init__(self, known, labels=CATEGORIES, wrong=()):
        self.known, self.labels, self.wrong = known, tuple(labels), dict(wrong)
        self.scene = self.pixels = None

    def with_labels(self, labels):
        return Knowing(self.known, labels, self.wrong)

    def prepare(self, image):
        self.scene = self.known.get(image.tobytes())
        self.pixels = torch.from_numpy(image.copy()).permute(2, 0, 1).float() / 255
        return self.pixels

    def detect(self, pixels, size):
        items = self.scene.objects if self.scene else ()
        boxes = torch.zeros(len(pixels), len(items), 4)
        scores = torch.zeros(len(pixels), len(items), len(self.labels))
        same = (pixels == self.pixels).all(dim=1)
        for column, item in enumerate(items):
            boxes[:, column] = torch.tensor(item.box)
            seen = 0.9 * same[:, torch.from_numpy(item.mask)].float().mean(dim=1)
            said = self.wrong.get(item.category, item.category)
            for name in (said, f"the {item.name}"):
                if name in self.labels:
                    scores[:, column, self.labels.index(name)] = seen
            if item.cause is not None and said == item.category:
                # A context object keeps its name only as long as most of its cause is shown.
                near = same[:, torch.from_numpy(item.cause)].float().mean(dim=1)
                for name, there in ((said, near > 0.8), (WITHOUT_CAUSE[said], near <= 0.8)):
                    if name in self.labels:
                        scores[:, column, self.labels.index(name)] = seen * there
        return Candidates(boxes, scores, self.labels)


def by_image(scenes):
    return {scene.image.tobytes(): scene for scene in scenes}


@pytest.fixture(scope="module")
def scenes():
    return [make_scene(demo_cases.SEED, index) for index in range(12)]


@pytest.fixture(scope="module")
def known(scenes):
    """All scenes, also without each of the causes."""
    causes = [(scene, item) for scene in scenes for item in scene.objects if item.cause is not None]
    return by_image(scenes) | by_image(without_cause(*pair) for pair in causes)


def run(detector, folder, monkeypatch):
    monkeypatch.setattr(demo_cases, "SCENES", 12)
    monkeypatch.setattr("vps.demo.run.SCENES", 12)
    saved = []
    page = run_demo(
        detector,
        folder,
        regions=6,
        settings={"search": "greedy"},
        budget=Budget(),
        progress=lambda name: contextlib.nullcontext(lambda passes: None),
        saved=saved,
    )
    names = [path.stem.removesuffix("_answer") for path in saved]
    return page.read_text(), {name: Answer.load(folder / name) for name in names}


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_right_answers_are_found_and_what_is_not_found_is_said(known, tmp_path, monkeypatch):
    page, saved = run(Knowing(known), tmp_path, monkeypatch)
    assert set(saved) == {"correct", "referred", "wheel", "buoy"}
    assert "Not found in 12 scenes: missed, wrong, false, misread" in page
    assert saved["referred"].target.kind is Kind.GROUNDED_RIGHT
    assert (saved["wheel"].target.label, saved["wheel"].rival.label) == ("ball", "wheel")
    assert "Drawn without it, the detector says ball (0.90)" in page
    shares = re.findall(r"The part that reaches 90 % of the score shows (\d+)%", page)
    assert len(shares) == 2
    assert all(int(share) > 80 for share in shares)
    for name, answer in saved.items():
        assert (tmp_path / f"{name}.png").exists()
        assert (tmp_path / f"{name}_answer.png").exists()
        assert html.escape(answer.sentence()[1:]) in page
    again = demo_cases.find_demo_cases(Knowing(known))[0]
    assert [question.name for question in again] == list(saved)


def test_a_wheel_that_is_not_told_by_its_bar_is_no_case(scenes, monkeypatch):
    monkeypatch.setattr(demo_cases, "SCENES", 12)

    # It knows nothing of scenes without their causes, and so finds nothing in them.
    _, missing = demo_cases.find_demo_cases(Knowing(by_image(scenes)))
    assert missing[:2] == ["wheel", "buoy"]


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_mistakes_are_found(known, tmp_path, monkeypatch):
    wrong = dict.fromkeys(CATEGORIES, "ring")
    page, saved = run(Knowing(known, wrong=wrong), tmp_path, monkeypatch)
    assert saved["mistake"].target.kind is Kind.CLASSIFICATION
    assert saved["mistake"].rival.label == "ring"
    assert "Why a ring, and why not a" in page


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_detector_that_finds_nothing_leaves_missed_objects(tmp_path, monkeypatch):
    page, saved = run(Knowing({}), tmp_path, monkeypatch)
    assert set(saved) == {"missed"}
    assert saved["missed"].target.kind is Kind.MISSED
    assert "Not found in 12 scenes: correct, referred, wheel, buoy, wrong, false, misread" in page


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_phrases_at_the_wrong_thing_and_boxes_on_nothing_are_found(known, scenes, monkeypatch):
    monkeypatch.setattr(demo_cases, "SCENES", 12)
    monkeypatch.setattr(
        demo_cases, "detect", lambda detector, image, *_: answers(scenes, detector.labels, image)
    )
    questions = {
        question.name: question for question in demo_cases.find_demo_cases(Knowing(known))[0]
    }
    misread = questions["misread"]
    assert misread.target.kind is Kind.GROUNDED_WRONG
    assert misread.target.label == misread.labels[0]
    assert misread.target.predicted_box != misread.target.box
    assert questions["false-box"].target.box == (1, 1, 3, 3)


def answers(scenes, labels, image):
    """A box in the corner; for a phrase, the first object of the shape that ends it."""
    (scene,) = [scene for scene in scenes if np.array_equal(scene.image, image)]
    if labels == CATEGORIES:
        return [Detection((1, 1, 3, 3), "circle", 0.9)]
    shape = labels[0].split()[-1]
    return [
        Detection(item.box, labels[0], 0.9) for item in scene.objects if item.category == shape
    ][:1]

import json

import pytest
import torch

pytest.importorskip("transformers")

from detectors import load  # noqa: E402
from detectors.grounding_dino.hf import DEMO_GROUNDING_DINO  # noqa: E402
from tests.helpers.contract import check_contract  # noqa: E402
from vps.core.boxes import iou  # noqa: E402
from vps.core.detect import detect  # noqa: E402
from vps.core.targets import Target  # noqa: E402
from vps.data.scenes.layouts import CATEGORIES, PLAIN, WITHOUT_CAUSE  # noqa: E402
from vps.data.scenes.scenes import make_scene, without_cause  # noqa: E402
from vps.explaining.words import explain_words  # noqa: E402

SCENES = [make_scene(31, index) for index in range(16)]


@pytest.fixture(scope="module")
def detector():
    return load("demo-grounding-dino", labels=CATEGORIES)


def label_at(detector, image, box):
    """The label that is shown at a box, or None."""
    for found in detect(detector, image):
        if float(iou(torch.tensor([found.box]), torch.tensor([box]))) >= 0.5:
            return found.label
    return None


def test_keeps_the_contract(detector):
    check_contract(detector)


def test_is_small_and_holds_nothing_but_data():
    files = list(DEMO_GROUNDING_DINO.iterdir())
    assert sum(path.stat().st_size for path in files) < 10e6
    assert {path.suffix for path in files} <= {".json", ".safetensors", ".txt", ".md"}


def test_finds_most_plain_objects_of_scenes_it_has_not_seen(detector):
    labels = [
        (item.category, label_at(detector, scene.image, item.box))
        for scene in SCENES
        for item in scene.objects
        if item.category in PLAIN
    ]
    assert len(labels) > 30
    assert sum(truth == said for truth, said in labels) / len(labels) > 0.6


def test_a_label_changes_with_its_cause(detector):
    right, flipped = 0, 0
    for scene in SCENES:
        for item in scene.objects:
            if item.cause is None or label_at(detector, scene.image, item.box) != item.category:
                continue
            right += 1
            changed = label_at(detector, without_cause(scene, item).image, item.box)
            flipped += changed == WITHOUT_CAUSE[item.category]
    assert right >= 5
    assert flipped / right > 0.6


def test_a_phrase_singles_out_one_object(detector):
    scene = next(
        scene
        for scene in SCENES
        if len({item.name for item in scene.objects}) == len(scene.objects) > 3
    )
    found = 0
    for item in scene.objects:
        best = detect(detector.with_labels((f"the {item.name}",)), scene.image, threshold=0.05)[:1]
        boxes = torch.tensor([entry.box for entry in best]).reshape(-1, 4)
        found += bool((iou(boxes, torch.tensor([item.box])) >= 0.5).any())
    assert found / len(scene.objects) > 0.5


def test_the_card_tells_what_was_measured():
    metrics = json.loads((DEMO_GROUNDING_DINO / "metrics.json").read_text())
    card = (DEMO_GROUNDING_DINO / "README.md").read_text()
    for name, value in metrics.items():
        assert f"| {name} | {value} |" in card
    assert float(metrics["AP50 plain"]) >= 0.65


@pytest.mark.slow
def test_the_card_can_be_measured_again(detector):
    evaluate = pytest.importorskip("tools.demo_training.evaluate")
    table = evaluate.measure(detector, seed=901, count=150)
    metrics = json.loads((DEMO_GROUNDING_DINO / "metrics.json").read_text())
    for name in ("AP50 plain", "AP50 context"):
        assert float(table[name]) == pytest.approx(float(metrics[name]), abs=0.05)


def test_a_needed_word_that_is_hidden_changes_the_grounding_and_an_article_does_not():
    """In this scene there are two crosses, of two sizes."""
    scene = SCENES[1]
    phrase = "the small cross"
    target = min(
        (item for item in scene.objects if item.category == "cross"),
        key=lambda item: item.mask.sum(),
    )
    answer = explain_words(
        load("demo-grounding-dino", labels=(phrase,)), scene.image, Target(target.box, phrase)
    )
    assert answer is not None
    assert answer.right
    assert {word.text: word.lands for word in answer.words} == {
        "the": "same",
        "small": "elsewhere",
        "cross": "lost",
    }

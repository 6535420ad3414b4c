import json

import pytest
import torch

pytest.importorskip("transformers")

from detectors import load  # noqa: E402
from detectors.florence2.detector import DEMO_FLORENCE2  # noqa: E402
from tests.helpers.contract import check_contract  # noqa: E402
from vps.core.boxes import iou  # noqa: E402
from vps.core.detect import detect  # noqa: E402
from vps.core.targets import Target  # noqa: E402
from vps.data.scenes.layouts import CATEGORIES, PLAIN, WITHOUT_CAUSE  # noqa: E402
from vps.data.scenes.scenes import make_scene, without_cause  # noqa: E402

SCENES = [make_scene(31, index) for index in range(12)]


def demo(**options):
    return load("demo-florence-2", labels=CATEGORIES, **options)


@pytest.fixture(scope="module")
def lister():
    """Asked by <OD>."""
    return demo(task="od")


def label_at(detector, image, box):
    """The label that is shown at a box, or None."""
    for found in detect(detector, image):
        if float(iou(torch.tensor([found.box]), torch.tensor([box]))) >= 0.5:
            return found.label
    return None


def test_keeps_the_contract():
    check_contract(demo())


def test_is_small_and_holds_nothing_but_data():
    files = list(DEMO_FLORENCE2.iterdir())
    assert sum(path.stat().st_size for path in files) < 5e6
    assert {path.suffix for path in files} <= {".json", ".safetensors", ".txt", ".md"}


def test_finds_most_plain_objects_of_scenes_it_has_not_seen(lister):
    labels = [
        (item.category, label_at(lister, scene.image, item.box))
        for scene in SCENES
        for item in scene.objects
        if item.category in PLAIN
    ]
    assert len(labels) > 20
    assert sum(truth == said for truth, said in labels) / len(labels) > 0.6


def test_a_label_changes_with_its_cause(lister):
    right, flipped = 0, 0
    for scene in SCENES:
        for item in scene.objects:
            if item.cause is None or label_at(lister, scene.image, item.box) != item.category:
                continue
            right += 1
            changed = label_at(lister, without_cause(scene, item).image, item.box)
            flipped += changed == WITHOUT_CAUSE[item.category]
    assert right >= 4
    assert flipped / right > 0.5


def test_phrases_single_out_objects():
    detector = demo(task="grounding")
    right, asked = 0, 0
    for scene in SCENES[:6]:
        names = [item.name for item in scene.objects]
        for item in scene.objects:
            if names.count(item.name) > 1:
                continue
            found = detect(detector.with_labels((f"the {item.name}",)), scene.image)[:1]
            boxes = torch.tensor([entry.box for entry in found]).reshape(-1, 4)
            right += bool((iou(boxes, torch.tensor([item.box])) >= 0.5).any())
            asked += 1
    assert right / asked > 0.6


def test_the_likelihood_of_a_label_tells_whether_it_is_there():
    detector = demo(scoring="likelihood")
    there, not_there = [], []
    for scene in SCENES[:6]:
        targets = [Target(box=scene.objects[0].box, label=label) for label in CATEGORIES]
        pixels = detector.prepare(scene.image)[None]
        scores = detector.score_targets(pixels, scene.image.shape[:2], targets).class_scores[0]
        present = {item.category for item in scene.objects}
        for label, score in zip(CATEGORIES, scores.tolist(), strict=True):
            (there if label in present else not_there).append(score)
    assert sum(there) / len(there) > 0.6
    assert sum(not_there) / len(not_there) < 0.4


def test_the_card_tells_what_was_measured():
    metrics = json.loads((DEMO_FLORENCE2 / "metrics.json").read_text())
    card = (DEMO_FLORENCE2 / "README.md").read_text()
    for name, value in metrics.items():
        assert f"| {name} | {value} |" in card
    assert float(metrics["AP50 plain"]) >= 0.6
    assert float(metrics["expressions right"].split()[0]) >= 0.6


@pytest.mark.slow
def test_the_card_can_be_measured_again(lister):
    evaluate = pytest.importorskip("tools.demo_training.evaluate")
    metrics = json.loads((DEMO_FLORENCE2 / "metrics.json").read_text())
    again = evaluate.average_precision(lister, seed=901, count=150)
    for name in ("AP50 plain", "AP50 context"):
        assert again[name] == pytest.approx(float(metrics[name]), abs=0.05)

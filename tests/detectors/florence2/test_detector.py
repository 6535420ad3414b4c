import threading

import pytest
import torch
from PIL import Image

pytest.importorskip("transformers")

import detectors.florence2.detector as adapter  # noqa: E402
from detectors import load  # noqa: E402
from detectors.florence2 import asking as florence2_asking  # noqa: E402
from detectors.florence2 import targets as florence2_targets
from detectors.florence2.encoder import read_pairs  # noqa: E402
from detectors.florence2.writing import write_answers  # noqa: E402
from tests.helpers.contract import batch_of, live, picture  # noqa: E402
from tests.models.tiny_florence2 import (  # noqa: E402
    LABELS,
    TASKS,
    load_checkpoint,
    own_processor,
    write_checkpoint,
)
from vps.core.detector import PromptedDetector, TargetScorer  # noqa: E402
from vps.core.targets import Target  # noqa: E402
from vps.errors import InputError  # noqa: E402

SIZE = (48, 64)
BOXES = ((100, 100, 400, 500), (500, 300, 900, 950))
TARGETS = [
    Target((3.0, 4.0, 40.0, 30.0), "dog"),
    Target((30.0, 20.0, 60.0, 44.0), "red"),
    Target((0.0, 0.0, 64.0, 48.0), "dog"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_checkpoint(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def detector(folder):
    return load_checkpoint(folder)


@pytest.fixture(scope="module")
def scorer(folder):
    return load_checkpoint(folder, scoring="likelihood")


def by_label(found, row=0):
    """Boxes and scores of an image by label."""
    boxes, scores = live(found, row)
    return {
        label: (boxes[scores[:, column] > 0], scores[scores[:, column] > 0, column])
        for column, label in enumerate(found.labels)
    }


@pytest.mark.parametrize("task", TASKS)
def test_prompts_are_those_of_transformers(folder, task):
    detector = load_checkpoint(folder, task=task)
    processor = own_processor(folder)
    image = Image.fromarray(picture(SIZE))
    labels = LABELS if task != "od" else ("",)
    assert len(detector.prompts) == len(labels)
    for prompt, label in zip(detector.prompts, labels, strict=True):
        inputs = processor(images=image, text=TASKS[task] + label, return_tensors="pt")
        tokens = inputs["input_ids"][0].tolist()
        image_token = processor.tokenizer.convert_tokens_to_ids("<image>")
        assert [token for token in tokens if token != image_token] == list(prompt)


def test_tasks_have_two_names(folder):
    assert (
        load_checkpoint(folder, task="<OD>").settings == load_checkpoint(folder, task="od").settings
    )


def test_names_tell_how_it_is_asked(detector, scorer, folder):
    assert detector.name == f"hf-florence-2:{folder} (max_new_tokens=30)"
    assert scorer.name == f"hf-florence-2:{folder} (max_new_tokens=30, scoring=likelihood)"
    assert isinstance(detector, PromptedDetector)
    assert isinstance(scorer, PromptedDetector)
    assert isinstance(scorer, TargetScorer)
    assert not isinstance(detector, TargetScorer)


@pytest.mark.parametrize("scoring", ["generate", "likelihood"])
def test_an_image_is_looked_at_once(folder, scoring):
    detector = load_checkpoint(folder, scoring=scoring)
    seen = []
    tower = detector.checkpoint.model.model.vision_tower
    handle = tower.register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    batch = batch_of(detector, SIZE)
    if scoring == "generate":
        detector.detect(batch, SIZE)
    else:
        detector.score_targets(batch, SIZE, TARGETS)
    handle.remove()
    assert seen == [len(batch)]


@pytest.mark.parametrize("task", TASKS)
def test_the_number_of_pairs_at_a_time_does_not_matter(folder, task, monkeypatch):
    detector = load_checkpoint(folder, task=task, scoring="likelihood")
    batch = batch_of(detector, SIZE)
    found, scores = detector.detect(batch, SIZE), detector.score_targets(batch, SIZE, TARGETS)
    monkeypatch.setattr(florence2_asking, "ROWS", 2)
    monkeypatch.setattr(florence2_targets, "ROWS", 2)
    again, others = detector.detect(batch, SIZE), detector.score_targets(batch, SIZE, TARGETS)
    assert torch.equal(again.boxes, found.boxes)
    assert torch.allclose(again.scores, found.scores, rtol=1e-3)
    assert torch.allclose(others.class_scores, scores.class_scores, rtol=1e-3)
    assert torch.allclose(others.ious, scores.ious, atol=1e-4)


@pytest.mark.parametrize("task", ["open-vocabulary", "grounding"])
def test_a_label_alone_scores_as_among_others(folder, task):
    detector = load_checkpoint(folder, task=task)
    batch = batch_of(detector, SIZE)
    found = detector.detect(batch, SIZE)
    for label in LABELS:
        alone = detector.narrowed((label,))
        assert alone.labels == (label,)
        assert alone.name == detector.name
        for row in range(len(batch)):
            boxes, scores = by_label(alone.detect(batch, SIZE), row)[label]
            assert torch.allclose(boxes, by_label(found, row)[label][0])
            assert torch.allclose(scores, by_label(found, row)[label][1], rtol=1e-3)


def test_narrowed_keeps_order_and_kind(scorer, folder):
    two = scorer.narrowed(("red", "dog"))
    assert two.labels == ("dog", "red")
    assert isinstance(two, TargetScorer)
    everything = load_checkpoint(folder, task="od")
    assert everything.narrowed(("red",)) is everything
    with pytest.raises(InputError, match="unknown label 'hat'"):
        scorer.narrowed(("hat",))


def test_other_labels_share_the_weights(detector):
    other = detector.with_labels(("cat",))
    assert other.labels == ("cat",)
    assert other.checkpoint is detector.checkpoint


@pytest.mark.parametrize("task", TASKS)
def test_a_score_is_the_probability_of_label_and_box(folder, task):
    detector = load_checkpoint(folder, task=task)
    batch = batch_of(detector, SIZE)
    prompts = dict(enumerate(detector.prompts))
    with torch.no_grad():
        ((pairs, encoded),) = read_pairs(detector.checkpoint, batch, prompts, 100)
        answers = write_answers(detector.checkpoint, encoded, beams=1, max_new_tokens=30)
    found = detector.detect(batch, SIZE)
    matches = load_checkpoint(folder, task=task, confidence="match").detect(batch, SIZE)
    assert torch.equal(matches.scores, (found.scores > 0).float())
    checked = 0
    for (row, prompt), answer in zip(pairs, answers, strict=True):
        # The tiny model's answers begin with a word of one token, and a box.
        label = detector.checkpoint.tokenizer.decode(answer.tokens[:1])
        if label != (LABELS[prompt] if task != "od" else label) or label not in LABELS:
            continue
        expected = torch.tensor(answer.said[0] + answer.located[1]).exp()
        scores = by_label(found, row)[label][1]
        # A box with swapped corners is none.
        bins = [detector.bins[token] for token in answer.tokens[1:5]]
        if bins[0] <= bins[2] and bins[1] <= bins[3]:
            assert torch.isclose(scores, expected, rtol=1e-3).any()
            checked += 1
    assert checked


def test_what_was_not_asked_for_is_no_candidate(folder):
    detector = load_checkpoint(folder, task="od", labels=("nothing",))
    found = detector.detect(batch_of(detector, SIZE), SIZE)
    assert found.boxes.shape == (3, 0, 4)
    assert found.scores.shape == (3, 0, 1)


@pytest.mark.parametrize(
    ("task", "text", "column"),
    [
        ("open-vocabulary", "the red  Hat ", 1),
        ("open-vocabulary", "red hat", None),
        ("open-vocabulary", "dog", None),
        ("grounding", "The red hat", 1),
        ("grounding", " red hat", 1),
        ("grounding", "re", None),
        ("grounding", "dog", None),
        ("grounding", "", None),
        ("od", "DOG", 0),
        ("od", "red hat", None),
        ("od", "", None),
    ],
)
def test_whose_box_it_is(task, text, column):
    from detectors.florence2.tasks import TASKS, fold

    names = [fold(label) for label in ("dog", "the red hat")]
    assert TASKS[task].column(text, names, 1) == column


def test_a_target_scores_by_itself_in_any_company(scorer):
    batch = batch_of(scorer, SIZE)
    together = scorer.score_targets(batch, SIZE, TARGETS)
    assert together.class_scores.shape == (3, 3)
    assert together.boxes.shape == (3, 3, 4)
    for column, target in enumerate(TARGETS):
        for row, image in enumerate(batch):
            alone = scorer.narrowed((target.label,)).score_targets(image[None], SIZE, [target])
            class_score = together.class_scores[row, column]
            assert torch.isclose(alone.class_scores[0, 0], class_score, rtol=1e-3)
            assert torch.isclose(alone.ious[0, 0], together.ious[row, column], atol=1e-4)
            assert torch.allclose(alone.boxes[0, 0], together.boxes[row, column], atol=0.01)
    again = scorer.score_targets(batch, SIZE, TARGETS)
    assert torch.equal(again.ious, together.ious)
    # Two targets of a label are begun alike.
    assert torch.allclose(together.class_scores[:, 0], together.class_scores[:, 2])


def test_targets_are_in_pixels_of_the_image(scorer):
    batch = batch_of(scorer, SIZE)
    wide = [
        Target((3 * x1, 2 * y1, 3 * x2, 2 * y2), target.label)
        for target in TARGETS
        for x1, y1, x2, y2 in [target.box]
    ]
    found = scorer.score_targets(batch, SIZE, TARGETS)
    grown = scorer.score_targets(batch, (2 * SIZE[0], 3 * SIZE[1]), wide)
    assert torch.allclose(grown.ious, found.ious, atol=1e-4)
    assert torch.allclose(grown.boxes, found.boxes * torch.tensor([3.0, 2.0, 3.0, 2.0]), atol=1e-2)


@pytest.mark.parametrize("task", TASKS)
def test_what_is_written_scores_alike_both_ways(folder, task):
    detector = load_checkpoint(folder, task=task)
    scorer = load_checkpoint(folder, task=task, scoring="likelihood")
    batch = batch_of(detector, SIZE)
    found = detector.detect(batch, SIZE)
    checked = 0
    for row in range(len(batch)):
        targets, expected = [], []
        for label, (boxes, scores) in by_label(found, row).items():
            for box, score in zip(boxes.tolist(), scores, strict=True):
                if box[0] < box[2] and box[1] < box[3]:
                    targets.append(Target(tuple(box), label))
                    expected.append(score)
        if targets:
            its_own = scorer.about(batch[row], SIZE, targets)
            likely = its_own.score_targets(batch[row, None], SIZE, targets)
            assert torch.allclose(likely.class_scores[0], torch.stack(expected), rtol=1e-3)
            checked += len(targets)
    assert checked > 2


def test_what_is_not_written_comes_behind_what_is(folder):
    from detectors.florence2.writing import WrittenAnswer

    scorer = load_checkpoint(folder, task="od", scoring="likelihood")
    dog, red, sun = (scorer.label_tokens[LABELS.index(label)] for label in ("dog", "red", "sun"))
    near, far = ([scorer.checkpoint.locations[k] for k in box] for box in BOXES)
    tokens = [*dog, *near, *far, *red, *far, 2]
    answer = WrittenAnswer(tokens, [0.0] * len(tokens), [0.0] * len(tokens))

    def place(label, box):
        x1, y1, x2, y2 = (side / 1000 for side in box)
        target = Target((64 * x1, 48 * y1, 64 * x2, 48 * y2), label)
        found = scorer._place(target, answer, 0, SIZE)
        return list(found.tokens), [found.tokens[at] for at in found.label]

    assert place("dog", BOXES[0]) == ([*dog], [*dog])
    assert place("dog", BOXES[1]) == ([*dog, *near], [*dog])
    assert place("red", BOXES[1]) == ([*dog, *near, *far, *red], [*red])
    # Not at any of the label's boxes; not with any of the boxes' labels.
    assert place("dog", (0, 0, 90, 90)) == ([*dog, *near, *far], [*dog])
    assert place("sun", BOXES[0]) == ([*dog, *near, *far, *red, *far, *sun], [*sun])


def test_a_scorer_knows_one_image_at_a_time(scorer):
    batch = batch_of(scorer, SIZE)
    one = scorer.about(batch[0], SIZE, TARGETS)
    assert one.about(batch[2], SIZE, TARGETS)._beginnings == (
        scorer.about(batch[2], SIZE, TARGETS)._beginnings
    )
    assert not scorer._beginnings
    assert one.name == scorer.name
    assert one.checkpoint is scorer.checkpoint


def test_a_place_must_leave_room_for_the_box(folder):
    scorer = load_checkpoint(folder, scoring="likelihood", max_new_tokens=1000)
    batch = batch_of(scorer, SIZE)
    found = scorer.about(batch[0], SIZE, TARGETS).score_targets(batch, SIZE, TARGETS)
    assert torch.isfinite(found.ious).all()


def test_threads_do_not_disturb_each_other(detector):
    batch = batch_of(detector, SIZE)
    asked = [detector.narrowed((label,)) for label in LABELS]
    expected = [one.detect(batch, SIZE) for one in asked]
    found = [None] * len(asked)

    def run(number):
        found[number] = asked[number].detect(batch, SIZE)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(asked))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one, other in zip(found, expected, strict=True):
        assert torch.equal(one.scores, other.scores)


def test_half_precision(folder):
    detector = load_checkpoint(folder, dtype="bfloat16", scoring="likelihood")
    batch = batch_of(detector, SIZE)
    assert detector.detect(batch, SIZE).scores.dtype == torch.float32
    close = load_checkpoint(folder, scoring="likelihood").score_targets(batch, SIZE, TARGETS)
    found = detector.score_targets(batch, SIZE, TARGETS)
    assert torch.allclose(found.ious, close.ious, atol=0.05)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"labels": None}, "say what"),
        ({"labels": ()}, "no labels"),
        ({"labels": ("dog", "Dog")}, "read the same"),
        ({"labels": ("a <loc_3> b",)}, "tags"),
        ({"labels": ("<s>",)}, "tags"),
        ({"labels": ("dog " * 40,)}, "shorten it"),
        ({"task": "open vocabulary"}, "did you mean 'open-vocabulary'"),
        ({"task": "<OCR>"}, "unknown task '<OCR>', did you mean '<OD>'"),
        ({"scoring": "likelyhood"}, "did you mean 'likelihood'"),
        ({"confidence": "score"}, "unknown confidence"),
        ({"beams": 0}, "beams must be a whole number of at least 1"),
        ({"beams": 1.5}, "option beams of hf-florence-2 must be a whole number"),
        (
            {"max_new_tokens": "many"},
            "option max_new_tokens of hf-florence-2 must be a whole number",
        ),
        ({"tasks": "od"}, "unknown option of hf-florence-2 'tasks', did you mean 'task'"),
    ],
)
def test_what_cannot_be_asked(folder, settings, message):
    with pytest.raises(InputError, match=message):
        load(f"hf-florence-2:{folder}", **({"labels": LABELS} | settings))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("hf-florence-2", "needs a checkpoint"),
        ("hf-florence-2:./nowhere", "no checkpoint folder"),
        ("demo-florence-2:./here", "takes no path"),
    ],
)
def test_what_cannot_be_loaded(name, message):
    with pytest.raises(InputError, match=message):
        load(name, labels=LABELS)


def test_the_demo_says_when_its_weights_are_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(adapter, "DEMO_FLORENCE2", tmp_path)
    with pytest.raises(InputError, match="weights are not installed"):
        load("demo-florence-2", labels=LABELS)


def test_the_demo_is_found_in_its_folder(folder, monkeypatch):
    monkeypatch.setattr(adapter, "DEMO_FLORENCE2", folder)
    found = load("demo-florence-2", labels=LABELS, task="od")
    assert found.name == "demo-florence-2 (task=od)"

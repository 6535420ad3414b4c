import argparse
import json
import os
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch
from PIL import Image

import detectors
import vps
from detectors import DETECTORS
from tests.helpers.paths import ROOT
from vps.cli.main import main
from vps.cli.questions import question_of
from vps.core.candidates import Candidates
from vps.core.detect import Detection
from vps.core.masking import FILLS
from vps.core.regions import REGION_METHODS
from vps.core.scoring import MODES
from vps.core.targets import Kind
from vps.methods import METHODS
from vps.results.answer import Answer
from vps.results.explanation import Explanation
from vps.search import SEARCHES
from vps.search.settings import EFFORTS

BOX = (8.0, 8.0, 24.0, 24.0)


class Bright:
    """Finds a dog where the middle is bright and a cat in the corner, whatever is there."""

    name, labels, device = "bright", ("dog", "cat"), torch.device("cpu")
    broken = False

    def prepare(self, image):
        return torch.from_numpy(image.copy()).permute(2, 0, 1).float() / 255

    def detect(self, pixels, size):
        dog = pixels[:, :, 8:24, 8:24].mean(dim=(1, 2, 3))
        boxes = torch.tensor([BOX, (0.0, 0.0, 8.0, 8.0)]).expand(len(pixels), 2, 4)
        scores = torch.zeros(len(pixels), 2, 2)
        scores[:, 0, 0], scores[:, 1, 1] = dog, 0.35
        if self.broken and len(pixels) > 1:
            scores = scores * float("nan")
        return Candidates(boxes.clone(), scores, self.labels)


@pytest.fixture
def image(tmp_path):
    pixels = np.full((32, 40, 3), 40, np.uint8)
    pixels[8:24, 8:24] = 255
    Image.fromarray(pixels).save(tmp_path / "street.png")
    return str(tmp_path / "street.png")


@pytest.fixture
def bright(monkeypatch):
    detector = Bright()
    monkeypatch.setattr(detectors, "load", lambda *_, **__: detector)
    return detector


def explain(image, tmp_path, *more):
    return main(["explain", image, "--regions", "6", "--out", str(tmp_path / "out"), *more])


def saved(tmp_path):
    return sorted(path.name for path in (tmp_path / "out").glob("*.json"))


def fails(capsys, code, *words):
    """The command printed one line that holds the words, and nothing else."""
    error = capsys.readouterr().err
    assert code == 2
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    for word in words:
        assert word in error


def test_detect_prints_a_numbered_table(image, bright, capsys):
    assert main(["detect", image]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.split() == ["1", "dog", "1.000", "8.0", "8.0", "24.0", "24.0"]
    assert second.split()[1] == "cat"


def test_detect_prints_json(image, bright, capsys):
    assert main(["detect", image, "--json", "--threshold", "0.5"]) == 0
    assert json.loads(capsys.readouterr().out) == [{"label": "dog", "score": 1.0, "box": list(BOX)}]


def test_explain_takes_the_best_detection(image, bright, tmp_path, capsys):
    assert explain(image, tmp_path) == 0
    assert saved(tmp_path) == ["street_1_dog.json"]
    explanation = Explanation.load(tmp_path / "out" / "street_1_dog")
    assert explanation.target.box == BOX
    assert explanation.image_name == "street.png"
    assert (tmp_path / "out" / "street_1_dog.png").exists()
    assert f"insertion AUC {explanation.insertion_auc:.3f}" in capsys.readouterr().out


def test_explain_takes_one_or_all_detections(image, bright, tmp_path):
    assert explain(image, tmp_path, "--detection", "2", "--format", "svg") == 0
    assert saved(tmp_path) == ["street_2_cat.json"]
    assert explain(image, tmp_path, "--all", "--search", "random") == 0
    assert saved(tmp_path) == ["street_1_dog.json", "street_2_cat.json"]


def test_a_box_that_is_found_is_explained_as_found(image, bright, tmp_path):
    assert explain(image, tmp_path, "--box", "9", "8", "24", "24", "--label", "dog") == 0
    target = Explanation.load(tmp_path / "out" / "street_9-8-24-24_dog").target
    assert target.kind is Kind.CORRECT
    assert target.box == (9, 8, 24, 24)


def test_two_boxes_of_one_label_are_kept_apart(image, bright, tmp_path):
    for edge in ("24", "23.5"):
        assert explain(image, tmp_path, "--box", "9", "8", edge, "24", "--label", "dog") == 0
    assert saved(tmp_path) == ["street_9-8-23.5-24_dog.json", "street_9-8-24-24_dog.json"]


def test_doubts_are_printed_as_notes_and_not_as_warnings(image, bright, tmp_path, capsys):
    with warnings.catch_warnings(record=True) as raised:
        explain(image, tmp_path, "--box", "30", "20", "40", "30", "--label", "dog", "--quiet")
    assert not raised
    notes = capsys.readouterr().err.splitlines()
    assert notes
    assert all(line.startswith("note: ") for line in notes)


def test_a_box_that_is_not_found_is_a_missed_object(image, bright, tmp_path):
    assert explain(image, tmp_path, "--box", "30", "20", "40", "30", "--label", "dog") == 0
    explanation = Explanation.load(tmp_path / "out" / "street_30-20-40-30_dog")
    assert explanation.target.kind is Kind.MISSED
    assert explanation.warnings


def test_images_that_cannot_be_read(image, bright, tmp_path, capsys):
    fails(capsys, explain(str(tmp_path / "no.png"), tmp_path), "no.png", "does not exist")
    whole = (tmp_path / "street.png").read_bytes()
    (tmp_path / "half.png").write_bytes(whole[: len(whole) // 2])
    fails(capsys, explain(str(tmp_path / "half.png"), tmp_path), "half.png", "truncated")
    (tmp_path / "text.png").write_text("no image")
    fails(capsys, explain(str(tmp_path / "text.png"), tmp_path), "not an image")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--box", "90", "90", "99", "99", "--label", "dog"], ["outside the image", "40 x 32"]),
        (["--box", "-90", "-90", "99", "99", "--label", "dog"], ["outside the image"]),
        (["--box", "24", "24", "8", "8", "--label", "dog"], ["no area"]),
        (["--box", "8", "8", "24", "24"], ["--label", "dog, cat"]),
        (["--box", "8", "8", "24", "24", "--label", "dgo"], ["unknown label", "dog"]),
        (["--label", "dog"], ["--box"]),
        (["--detection", "7"], ["no detection 7", "1 to 2"]),
        (["--detection", "0"], ["no detection 0"]),
        (["--threshold", "1.0001"], ["threshold"]),
        (["--regions", "0"], ["number of regions"]),
        (["--search", "gredy"], ["greedy"]),
        (["--fill", "pink"], ["fill"]),
        (["--mode", "boxes"], ["box"]),
        (["--region-method", "slicc"], ["slic"]),
        (["--batch-size", "0"], ["batch size"]),
        (["--seed", "-1"], ["seed"]),
    ],
)
def test_wrong_settings(image, bright, tmp_path, capsys, options, words):
    fails(capsys, explain(image, tmp_path, *options), *words)
    assert saved(tmp_path) == []


def test_nothing_found(image, bright, tmp_path, capsys):
    Image.new("RGB", (40, 32)).save(image)
    fails(capsys, explain(image, tmp_path, "--threshold", "0.9"), "finds nothing", "--threshold")


def test_nan_from_the_detector(image, bright, tmp_path, capsys):
    bright.broken = True
    fails(capsys, explain(image, tmp_path), "NaN", "bright")


def test_an_output_folder_that_cannot_be_written_is_told_before_any_pass(
    image, bright, tmp_path, capsys
):
    (tmp_path / "out").touch()
    bright.detect = None
    fails(capsys, explain(image, tmp_path), "out cannot be written")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--detector", "demo-grounding-dyno"], ["demo-grounding-dino"]),
        (["--detector", "hf-grounding-dino:./nowhere", "--prompt", "dog"], ["nowhere"]),
        (["--detector", "onnx:nowhere.yaml"], ["nowhere.yaml"]),
        (["--prompt", " . "], ["label"]),
        (["--prompt", "dog " * 200], ["tokens"]),
        (["--prompt", "dog", "--device", "cuda:9"], ["cuda"]),
        (["--prompt", "dog", "--device", "mps"], ["not supported"]),
        (["--prompt", "dog", "--dtype", "int8"], ["dtype"]),
    ],
)
def test_detectors_that_cannot_be_loaded(image, tmp_path, capsys, options, words):
    pytest.importorskip("transformers")
    pytest.importorskip("onnxruntime")
    fails(capsys, explain(image, tmp_path, *options), *words)


def test_an_interrupt_keeps_the_best_so_far_of_all_targets(image, bright, tmp_path, capsys):
    passes = []

    def detect(pixels, size):
        passes.append(len(pixels))
        if len(passes) == 6:
            raise KeyboardInterrupt
        return Bright.detect(bright, pixels, size)

    bright.detect = detect
    assert explain(image, tmp_path, "--all", "--batch-size", "4", "--search", "path_search") == 130
    assert saved(tmp_path) == ["street_1_dog.json", "street_2_cat.json"]
    error = capsys.readouterr().err
    assert str(tmp_path / "out" / "street_1_dog.json") in error
    assert "stopped before its end: interrupted" in error


def test_a_detector_that_fails_leaves_a_partial_result(image, bright, tmp_path, capsys):
    passes = []

    def detect(pixels, size):
        passes.append(len(pixels))
        if len(passes) > 5:
            raise RuntimeError("out of memory")
        return Bright.detect(bright, pixels, size)

    bright.detect = detect
    assert explain(image, tmp_path, "--batch-size", "4", "--search", "path_search") == 2
    assert saved(tmp_path) == ["street_1_dog.json"]
    error = capsys.readouterr().err
    assert "out of memory" in error
    assert "the detector failed after" in error
    assert f"saved so far: {tmp_path / 'out' / 'street_1_dog.json'}" in error


def test_an_interrupt_before_the_first_result_says_that_nothing_is_saved(
    image, bright, tmp_path, capsys
):
    def detect(pixels, size):
        raise KeyboardInterrupt

    bright.detect = detect
    assert explain(image, tmp_path) == 130
    assert capsys.readouterr().err == "interrupted; saved so far: nothing\n"


def test_help_imports_no_model_library():
    code = (
        "import sys\nfrom vps.cli.main import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "assert not {'transformers', 'matplotlib', 'skimage'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, capture_output=True)


def test_the_same_door_from_a_checkout(image, tmp_path):
    command = [sys.executable, str(ROOT / "tools" / "explain.py"), "no.png", "--out", "out"]
    environment = {**os.environ, "PYTHONPATH": ""}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert done.returncode == 2
    assert done.stderr == "error: image no.png does not exist\n"


def test_detectors_lists_every_kind_with_what_it_needs(capsys, monkeypatch):
    monkeypatch.setitem(
        DETECTORS,
        "rare",
        detectors.DetectorEntry("a:b", "rare birds", ("torch", "dodo"), "rare", "rare:x"),
    )
    assert main(["detectors"]) == 0
    printed = capsys.readouterr().out
    for kind, entry in DETECTORS.items():
        assert f"{kind}: {entry.about}" in printed
        assert f"--detector {entry.example}" in printed
    assert "not installed: dodo; pip install '.[rare]'" in printed


def test_options_of_a_detector(monkeypatch, image):
    given = {}
    monkeypatch.setattr(detectors, "load", lambda *_, **options: given.update(options) or Bright())
    assert main(["detect", image, "--option", "a=<OD>", "--option", "b=c=1"]) == 0
    assert (given["a"], given["b"]) == ("<OD>", "c=1")


@pytest.mark.parametrize("text", ["device=cpu", "prompt=dog", "name=x"])
def test_what_has_an_argument_of_its_own_is_no_option(image, capsys, text):
    assert main(["detect", image, "--option", text]) == 2
    assert "is no --option" in capsys.readouterr().err


def test_options_that_are_none(image, capsys):
    assert main(["detect", image, "--option", "threads"]) == 2
    assert "takes NAME=VALUE, got 'threads'" in capsys.readouterr().err


def test_missed_is_answered_by_a_sentence_and_saved(image, bright, tmp_path, capsys):
    box = ["--box", "20", "4", "38", "28", "--label", "dog"]
    assert explain(image, tmp_path, "--missed", *box) == 0
    assert saved(tmp_path)[-1] == "street_20-4-38-28_missed_dog_answer.json"
    answer = Answer.load(tmp_path / "out" / "street_20-4-38-28_missed_dog")
    assert answer.kind is Kind.MISSED
    assert answer.sentence() in capsys.readouterr().out
    assert (tmp_path / "out" / "street_20-4-38-28_missed_dog_answer.png").exists()


def test_why_not_sets_a_label_against_the_one_that_was_given(image, bright, tmp_path, capsys):
    assert explain(image, tmp_path, "--why-not", "dog", "--detection", "2") == 0
    answer = Answer.load(tmp_path / "out" / "street_2_why-not_dog")
    assert (answer.target.label, answer.rival.label) == ("dog", "cat")
    assert answer.rival.box == (0, 0, 8, 8)
    assert "the cat wins over the dog" in capsys.readouterr().out


def test_why_not_there_sets_a_box_against_the_one_that_was_given(image, bright, tmp_path, capsys):
    box = ["--box", "26", "4", "38", "28"]
    assert explain(image, tmp_path, "--why-not", "dog", "--detection", "1", *box) == 0
    answer = Answer.load(tmp_path / "out" / "street_1_why-not_26-4-38-28_dog")
    assert answer.target.box == (26, 4, 38, 28)
    assert answer.kind is Kind.GROUNDED_WRONG
    assert answer.rival.label == "dog"
    assert explain(image, tmp_path, "--why-not", "cat", "--detection", "1", *box) == 0
    assert Answer.load(tmp_path / "out" / "street_1_why-not_26-4-38-28_cat").kind is Kind.BOTH


def test_why_not_there_is_held_against_what_the_detector_has_there(image, bright, tmp_path, capsys):
    assert explain(image, tmp_path, "--why-not", "dog", "--box", "0", "0", "8", "7") == 0
    answer = Answer.load(tmp_path / "out" / "street_2_why-not_0-0-8-7_dog")
    assert answer.kind is Kind.CLASSIFICATION
    assert answer.rival.label == "cat"
    away = ["--box", "30", "4", "38", "28"]
    assert explain(image, tmp_path, "--why-not", "cat", *away) == 0
    answer = Answer.load(tmp_path / "out" / "street_2_why-not_30-4-38-28_cat")
    assert answer.kind is Kind.GROUNDED_WRONG


def test_a_phrase_is_held_against_what_it_is_grounded_to_not_what_is_found_there_too():
    found = [Detection((0, 0, 8, 8), "cat", 0.9), Detection((20, 4, 30, 28), "cat", 0.4)]
    given = argparse.Namespace(why_not="cat", box=[20, 4, 31, 28], label=None, detection=None)
    for flag in ("all", "missed", "false_box", "smallest"):
        setattr(given, flag, False)
    given.duplicate_of, given.threshold = None, 0.3
    asked = question_of(given, ("dog", "cat"), found)
    assert asked.target.kind is Kind.GROUNDED_WRONG
    assert asked.target.predicted_box == (0, 0, 8, 8)


@pytest.mark.parametrize(
    ("flag", "kind"), [("false-box", Kind.BACKGROUND), ("smallest", Kind.CORRECT)]
)
def test_what_a_detection_needs_and_what_triggers_a_false_one(
    flag, kind, image, bright, tmp_path, capsys
):
    assert explain(image, tmp_path, f"--{flag}", "--threshold", "0.5") == 0
    answer = Answer.load(tmp_path / "out" / f"street_1_{flag}_dog")
    assert answer.kind is kind
    assert answer.necessary.regions
    assert (answer.repair is None) == (kind is Kind.CORRECT)
    assert answer.sentence() in capsys.readouterr().out


@pytest.mark.parametrize(
    ("error", "code", "stopped"),
    [(KeyboardInterrupt(), 130, "interrupted"), (RuntimeError("out of memory"), 2, "failed")],
)
def test_what_ends_an_answer_early_keeps_it(error, code, stopped, image, bright, tmp_path, capsys):
    passes = []

    def detect(pixels, size):
        passes.append(len(pixels))
        if len(passes) == 6:
            raise error
        return Bright.detect(bright, pixels, size)

    bright.detect = detect
    options = ["--smallest", "--batch-size", "4", "--search", "path_search"]
    assert explain(image, tmp_path, *options) == code
    answer = Answer.load(tmp_path / "out" / "street_1_smallest_dog")
    assert answer.stopped == stopped
    assert "1_smallest_dog_answer.json" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--missed"], ["--box"]),
        (["--smallest", "--box", "8", "8", "24", "24"], ["--detection"]),
        (["--why-not", "cat", "--label", "dog"], ["itself"]),
        (["--why-not", "cat", "--label", "dog", "--box", "8", "8", "24", "24"], ["itself"]),
        (["--duplicate-of", "1"], ["no two boxes of one label"]),
        (["--duplicate-of", "9"], ["no detection 9"]),
        (["--all", "--detection", "1"], ["give one of them"]),
        (["--why-not", "dog", "--all"], ["--detection"]),
        (["--why-not", "dog"], ["is a dog", "another label"]),
        (["--why-not", "dgo"], ["unknown label 'dgo'"]),
        (["--why-not", "cat", "--mode", "class"], ["mode object"]),
    ],
)
def test_failures_that_cannot_be_asked_about(options, words, image, bright, tmp_path, capsys):
    fails(capsys, explain(image, tmp_path, *options), *words)


def test_every_choice_stands_in_the_help(capsys):
    with pytest.raises(SystemExit):
        main(["explain", "--help"])
    text = capsys.readouterr().out
    for table in (SEARCHES, METHODS, MODES, FILLS, REGION_METHODS, EFFORTS):
        assert [name for name in table if name not in text] == []


def test_version(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"vps {vps.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "near"),
    [(["explian", "a.png"], "explain"), (["detect", "a.png", "--promt", "dog ."], "--prompt")],
)
def test_what_is_misspelt_gets_the_nearest_name(arguments, near, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert f"did you mean {near}?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--fill", "bleu"], "unknown fill 'bleu', did you mean 'blur'"),
        (["--mode", "objekt"], "did you mean 'object'"),
        (["--region-method", "slik"], "unknown region method"),
        (["--method", "d-rise"], "did you mean 'drise'"),
        (["--search", "greed"], "did you mean 'greedy'"),
        (["--effort", "higher"], "did you mean 'high'"),
        (["--regions", "0"], "the number of regions must be at least 1, got 0"),
        (["--batch-size", "0"], "the batch size must be at least 1"),
        (["--threshold", "1.5"], r"--threshold must lie in [0, 1], got 1.5"),
        (["--time-limit", "-1"], "time limit"),
    ],
)
def test_settings_are_checked_before_anything_is_loaded(tmp_path, capsys, given, message):
    # Neither image nor detector is there: they would be told of first, were they looked at.
    arguments = ["explain", str(tmp_path / "no.png"), "--detector", "none", *given]
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_methods_and_searches_are_listed_with_what_they_do(capsys):
    for command, table in (("methods", METHODS), ("searches", SEARCHES)):
        assert main([command]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert [line.partition(":")[0] for line in lines[1:]] == list(table)
        assert all(len(line.partition(": ")[2]) > 20 for line in lines)

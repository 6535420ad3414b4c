import zipfile

import numpy as np
import pytest
from PIL import Image

from tests.helpers.colours import PLACES, Colours, scene
from tests.helpers.page import DETECTOR, ended, workbench
from vps import Answer, Explanation, InputError, Kind
from vps.app.asking import Heard, How, Question, Why, cost_beforehand
from vps.app.detector import DetectorChoices, HeldDetector
from vps.app.images import DrawnScenes, FolderImages
from vps.app.recipes import command_line, python_lines
from vps.app.visits import Visit, Visits
from vps.app.workbench import told
from vps.core.detect import Detection
from vps.errors import CancelledError, DetectorError

FAST = How(effort="fast", regions=12)


def looked(bench, name="blocks.png", prompt="red . green .", **settings) -> Visit:
    visit = bench.visits.of("me")
    turn = bench.look(visit, bench.listed(name), DETECTOR, prompt, 0.3, **settings)
    assert ended(turn)
    if turn.error is not None:
        raise turn.error
    return visit


def asked(bench, visit, question, hows=(FAST,)):
    turn = bench.ask(visit, question, hows)
    assert ended(turn)
    if turn.error is not None:
        raise turn.error
    return visit.answered


def test_what_is_found_is_the_visits(bench):
    visit = looked(bench)
    assert [one.label for one in visit.found] == ["red", "green"]
    np.testing.assert_allclose(visit.found[0].box, np.array(PLACES["red"]) * [128, 96, 128, 96])
    assert visit.labels == ("red", "green")
    assert visit.image.size == (96, 128)
    assert visit.source.startswith("data:image/jpeg;base64,")
    assert visit.pass_seconds > 0
    assert [one.label for one in looked(bench, prompt="green .").found] == ["green"]


def test_a_map_tells_how_far_it_is_and_what_comes_of_it(bench):
    visit, heard = looked(bench), []
    turn = bench.ask(visit, Question(Why.MAP, 0), [FAST])
    version = 0
    while not turn.done:
        turn.wait(version, 1)
        version = turn.version
        heard.append(turn.latest)
    (one,) = visit.answered
    assert isinstance(one.explanation, Explanation)
    assert one.explanation.target.label == "red"
    assert one.explanation.image_name == "blocks.png"
    assert one.sentence == ""
    assert isinstance(heard[-1], Heard)
    assert heard[-1].planned >= heard[-1].progress.passes > 0
    assert heard[-1].so_far.warnings == ()
    # The part that suffices lies where the red is.
    first = one.explanation.order[0] == one.explanation.label_map
    assert first[:, :32].any()


@pytest.mark.parametrize(
    ("question", "kind", "begins"),
    [
        (Question(Why.SMALLEST, 0), Kind.CORRECT, "The red ("),
        (Question(Why.FALSE_BOX, 1), Kind.BACKGROUND, "The false box called green"),
        (Question(Why.WHY_NOT, 0, label="green"), Kind.CLASSIFICATION, "The red ("),
        (Question(Why.MISSED, None, (70, 20, 100, 60), "red"), Kind.MISSED, "The red is missed"),
    ],
)
def test_questions_for_sets_are_answered_in_a_sentence(bench, question, kind, begins):
    (one,) = asked(bench, looked(bench), question)
    assert isinstance(one.answer, Answer)
    assert one.answer.kind is kind
    assert one.sentence.startswith(begins)
    assert one.sentence.endswith(".")


def test_two_methods_side_by_side(bench):
    found = asked(bench, looked(bench), Question(Why.MAP, 0), [FAST, How("random", regions=12)])
    assert [one.explanation.method for one in found] == ["vps", "random"]
    visit = bench.visits.of("me")
    assert [name for name, _ in visit.explanations] == ["vps", "random"]


@pytest.mark.parametrize(
    ("question", "message"),
    [
        (Question(Why.MAP), "click one of the boxes"),
        (Question(Why.MAP, 7), "click one of the boxes"),
        (Question(Why.MISSED), "draw the box"),
        (Question(Why.WHY_NOT, 0), "what it should have been called"),
        (Question(Why.WHY_NOT, 0, label="red"), "called red already"),
    ],
)
def test_questions_that_lack_something(bench, question, message):
    visit = looked(bench)
    with pytest.raises(InputError, match=message):
        bench.ask(visit, question, [FAST])


def test_a_question_without_an_image(bench):
    with pytest.raises(InputError, match="choose an image"):
        bench.ask(Visit(), Question(Why.MAP, 0), [FAST])
    with pytest.raises(InputError, match="nothing to download"):
        bench.files(Visit())


def test_words_of_a_label_of_one_word(bench):
    with pytest.raises(InputError, match="cannot hide words|one word"):
        asked(bench, looked(bench), Question(Why.WORDS, 0))


def test_stopping_keeps_what_is_known(bench):
    visit = looked(bench)
    Colours.delay = 0.05
    turn = bench.ask(visit, Question(Why.MAP, 0), [How(regions=40), How("random")])
    while turn.latest is None or turn.latest.so_far is None:
        turn.wait(turn.version, 1)
    visit.stop()
    assert ended(turn)
    (one,) = visit.answered  # the second method does not begin
    assert one.explanation.stopped == "cancelled"


def test_a_new_question_ends_the_one_before(bench):
    visit = looked(bench)
    Colours.delay = 0.05
    first = bench.ask(visit, Question(Why.MAP, 0), [How(regions=40)])
    Colours.delay = 0
    second = bench.ask(visit, Question(Why.MAP, 1), [FAST])
    assert ended(second)
    assert first.cancelled()
    assert visit.answered[0].explanation.target.label == "green"


def test_a_detector_that_raises_is_told_and_the_next_question_is_answered(bench):
    Colours.fails = True
    with pytest.raises(DetectorError, match="out of colours"):
        looked(bench)
    Colours.fails = False
    visit = looked(bench)
    Colours.fails = True
    with pytest.raises(DetectorError, match="out of colours"):
        asked(bench, visit, Question(Why.MAP, 0))
    Colours.fails = False
    assert asked(bench, visit, Question(Why.MAP, 0))


def test_what_cannot_be_read_or_is_too_large(images, tmp_path):
    bench = workbench(images, tmp_path, max_pixels=20_000)
    (tmp_path / "text.png").write_text("no image")
    Image.new("RGB", (160, 126)).save(tmp_path / "huge.png")
    visit = bench.visits.of("me")
    for name, message in (("text.png", "not an image"), ("huge.png", "too large")):
        turn = bench.look(visit, bench.sent(str(tmp_path / name)), DETECTOR, "red .", 0.3)
        assert ended(turn)
        assert message in told(turn.error)
    with pytest.raises(InputError, match="no such image in the list"):
        looked(bench, "../secret.png")


def test_downloads_hold_picture_and_data(bench):
    visit = looked(bench)
    (one,) = asked(bench, visit, Question(Why.SMALLEST, 0))
    picture, archive = bench.files(visit)
    assert Image.open(picture).width == 1080
    with zipfile.ZipFile(archive) as file:
        assert file.namelist() == [
            "blocks_smallest_vps.json",
            "blocks_smallest_vps.npz",
            "blocks_smallest_vps.png",
            "blocks_smallest_vps_answer.json",
        ]
        file.extractall(archive.parent / "out")
    assert Answer.load(archive.parent / "out" / "blocks_smallest_vps") == one.answer


def test_the_lines_that_give_the_same_run(bench, images, monkeypatch):
    visit = looked(bench)
    (one,) = asked(bench, visit, Question(Why.MAP, 1))
    lines = python_lines(bench.asked(visit), one).replace("result.show(image)", "")
    names: dict = {}
    exec(lines, names)
    result = names["result"]
    np.testing.assert_array_equal(result.order, one.explanation.order)
    np.testing.assert_array_equal(result.insertion, one.explanation.insertion)


@pytest.mark.parametrize(
    ("question", "words"),
    [
        (Question(Why.MAP, 0), "--detection 1"),
        (Question(Why.SMALLEST, 0), "--detection 1 --smallest"),
        (Question(Why.FALSE_BOX, 1), "--detection 2 --false-box"),
        (Question(Why.WHY_NOT, 0, label="green"), "--detection 1 --why-not green"),
        (
            Question(Why.MISSED, None, (70.5, 20, 100, 60), "red"),
            "--missed --box 70.5 20 100 60 --label red",
        ),
    ],
)
def test_the_command_that_gives_the_same(bench, images, question, words):
    visit = looked(bench)
    (one,) = asked(bench, visit, question)
    line = command_line(bench.asked(visit), one)
    path = images / "blocks.png"
    assert line.startswith(f"vps explain {path} --detector {DETECTOR} --prompt 'red . green .'")
    assert f"--threshold 0.3 {words} --regions 12 --method vps" in line
    assert f"--search {one.explanation.search} --effort fast --out out" in line


def test_drawn_scenes_are_made_by_the_lines_too(bench):
    scenes = DrawnScenes(2)
    chosen = scenes.choose("scene-1.png", None)
    assert chosen.image.shape[2] == 3
    names: dict = {}
    exec(chosen.python, names)
    np.testing.assert_array_equal(names["image"], chosen.image)
    assert chosen.shell.endswith(".save('scene-1.png')\"")


def test_folders_list_their_images_only(images, tmp_path):
    assert FolderImages(images).names == ("blocks.png", "large.png")
    (tmp_path / "note.txt").touch()
    with pytest.raises(InputError, match="no image files"):
        FolderImages(tmp_path)
    with pytest.raises(InputError, match="no folder"):
        FolderImages(tmp_path / "gone")


def test_settings_that_there_are_not():
    for wrong in ({"method": "vsp"}, {"effort": "most"}, {"regions": 1}, {"regions": 10**6}):
        with pytest.raises(InputError):
            How(**wrong)


def test_the_cost_is_told_from_the_time_of_a_pass():
    cost = cost_beforehand(How(regions=36), Why.MAP, 0.5)
    assert cost.seconds == cost.passes * 0.5
    assert cost_beforehand(How(regions=36), Why.SMALLEST, 0.5).passes > cost.passes
    assert cost_beforehand(How("random", regions=36), Why.MAP, 0.5).passes == 72


def test_one_detector_is_in_memory(monkeypatch):
    held = HeldDetector(DetectorChoices((DETECTOR, "tests.helpers.own_detector:build")))
    first = held.get(DETECTOR, "red .")
    assert held.get(DETECTOR, "red .") is first
    assert held.get(DETECTOR, "green .").labels == ("green",)
    assert held.get("tests.helpers.own_detector:build", None).name == "mine"
    assert held.get(DETECTOR, "red .") is not first
    with pytest.raises(InputError, match="no such detector"):
        held.get("demo-grounding-dino", "red .")


def test_what_stands_in_the_prompt_at_first():
    choices = DetectorChoices(("demo-grounding-dino",))
    assert choices.prompt_of("demo-grounding-dino").startswith("circle . square .")
    assert choices.prompt_of("torchvision:ssd300_vgg16") is None
    assert choices.prompt_of("hf-grounding-dino:x") == "person . dog . cat . car ."
    assert DetectorChoices(("a",), prompt="cup .").prompt_of("hf-grounding-dino:x") == "cup ."


def test_visitors_are_told_apart_and_those_of_long_ago_forgotten():
    visits = Visits()
    first = visits.of("a")
    assert visits.of("a") is first
    assert visits.of("b") is not first
    for number in range(40):
        visits.of(str(number))
    assert len(visits) == 32
    assert visits.of("a") is not first
    visits.leave("a")
    visits.leave("nobody")
    assert len(visits) == 31


def test_errors_are_told_in_words():
    assert told(InputError("a b")) == "a b"
    assert told(CancelledError("c")) == "c"
    assert told(KeyError("x")) == "something went wrong: KeyError: 'x'"


def test_a_detection_is_what_is_clicked():
    found = [Detection((0, 0, 5, 5), "dog", 0.5)]
    assert Question(Why.MAP, 0).target(found).kind is Kind.CORRECT
    assert scene().shape == (96, 128, 3)

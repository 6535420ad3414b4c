"""Planted causes of failures, on detectors whose answers can be worked out by hand."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from tests.helpers.analytic import (
    LABELS,
    TARGET,
    additive,
    breaking,
    by_score,
    constant,
    per_label,
    photo,
    strip_detector,
)
from tests.helpers.words import LEFT, MIDDLE, PHRASE, WordDetector, needs_0_and_3
from vps.core.candidates import Candidates
from vps.core.targets import Kind, Target
from vps.engine.budget import Budget
from vps.engine.problem import make_problem
from vps.errors import IncompleteError, InputError
from vps.explaining.failure import explain_failure
from vps.explaining.words import explain_words
from vps.methods.control.box import BoxPrior
from vps.methods.perturbation.drise import DRISE
from vps.methods.search.vps import VPS
from vps.results.answer import Answer
from vps.sets.goals import with_rival

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
MISSED = dataclasses.replace(TARGET, kind=Kind.MISSED)
OTHER = (6.0, 2.0, 14.0, 10.0)


def answer(rule, target, count=12, **settings):
    detector = strip_detector(rule, count)
    search = {} if "method" in settings else {"search": "path_search"}
    settings = {"regions": detector.regions, **search, **settings}
    return explain_failure(detector, photo(), target, **settings)


@pytest.mark.parametrize(("count", "inside"), [(12, 50), (40, 60)])
def test_a_distractor_is_what_is_to_be_hidden(count, inside):
    found = answer(by_score(lambda keep: 0.7 * keep[3] * (not keep[8])), MISSED, count)
    assert found.repair.regions == (8,)
    assert found.repair.exact
    assert found.repair.hidden
    assert found.sufficient.regions == (3,)
    assert found.repair.class_score == pytest.approx(0.7)
    assert found.best_score == pytest.approx(0.7)
    assert found.repair.box == TARGET.box
    share = f"{100 * found.repair.area:.0f}"
    assert found.sentence() == (
        f"the dog is missed; hiding these {share} % of the image (1 region) is enough for it to be "
        "found, at 0.70 (threshold 0.30); that holds under 4 of 4 fills; "
        f"{inside} % of what is hidden lies in the object's own box; other ways may exist"
    )


@pytest.mark.parametrize("count", [12, 40])
def test_two_distractors_that_must_go_together(count):
    def score(keep):
        return 0.1 * keep[3] + 0.6 * float(keep[3] and not keep[8] and not keep[1])

    found = answer(by_score(score), MISSED, count)
    assert found.repair.regions == (1, 8)
    assert found.repair.exact


def test_the_part_that_is_found_best_is_that_of_the_path():
    found = answer(by_score(lambda keep: 0.2 * keep[:4].sum() * (not keep[8])), MISSED)
    assert found.best.regions == (0, 1, 2, 3)
    assert len(found.sufficient.regions) == 2
    curve = found.explanation.insertion_class
    assert found.best.class_score == curve.max() == pytest.approx(0.8)


def test_what_can_never_be_seen_is_said_in_words():
    found = answer(constant(0.0), MISSED, 40)
    assert found.repair is found.sufficient is found.best is None
    assert "whatever was hidden or shown, was it a detection" in found.sentence()
    assert found.passes < 1000


def test_what_hiding_does_not_help_tells_the_best_score():
    found = answer(by_score(lambda keep: 0.2 * keep[3]), MISSED)
    assert found.repair is None
    assert found.sentence().endswith("the best seen was 0.20 (threshold 0.30)")


def test_what_is_not_missed_is_said_so():
    found = answer(constant(0.8), MISSED)
    assert found.repair.regions == ()
    assert "is found here, at 0.80" in found.sentence()


def test_a_correct_one_has_a_sufficient_and_a_necessary_set():
    weights = np.array([0, 0.5, 0, 0.25, 0, 0.15, 0, 0, 0, 0])
    found = answer(additive(weights), TARGET, 10, threshold=0.6)
    assert found.sufficient.regions in ((1, 3), (1, 5))
    assert found.necessary.regions == (1,)
    assert found.repair is None
    assert "alone" in found.sentence()
    assert "is lost when these" in found.sentence()


@pytest.mark.parametrize("kind", [Kind.BACKGROUND, Kind.DUPLICATE])
def test_a_false_box_dies_with_what_triggers_it(kind):
    target = dataclasses.replace(TARGET, kind=kind)
    found = answer(by_score(lambda keep: 0.9 * keep[2]), target)
    assert found.repair == dataclasses.replace(found.necessary, fills=found.repair.fills)
    assert found.repair.holds()
    assert found.repair.regions == found.sufficient.regions == (2,)
    assert "is enough for it to be gone (threshold 0.30)" in found.sentence()


def test_a_duplicate_is_gone_when_the_object_is_found_once():
    """Region 4 adds a second box; it overlaps the first by more than half, so that no hiding that
    keeps the object would make the place of the second box empty."""
    near = (4.0, 2.0, 12.0, 10.0)  # IoU 0.6

    def rule(keep):
        scores = np.array([[0, 0.8 * keep[2], 0], [0, 0.6 * keep[4], 0]])
        return np.array([TARGET.box, near]), scores

    duplicate = Target(near, "dog", Kind.DUPLICATE)
    found = answer(rule, duplicate, rival=TARGET)
    assert found.repair.regions == (4,)
    assert found.repair.exact
    assert found.target.predicted_box == TARGET.box
    assert found.necessary.regions == found.sufficient.regions == (4,)
    assert "is enough to leave only one box, at 0.80" in found.sentence()
    assert answer(rule, duplicate).repair.regions == (2, 4)


def test_a_weak_duplicate_is_told_from_a_strong_first_box_and_from_a_third():
    """IoU x score of the first box is higher at the place of the second than its own."""
    near, third = (4.0, 2.0, 12.0, 10.0), (11.0, 2.0, 19.0, 10.0)

    def rule(keep):
        scores = np.array([[0, 0.9 * keep[2], 0], [0, 0.5 * keep[4], 0], [0, 0.9 * keep[6], 0]])
        return np.array([TARGET.box, near, third]), scores

    found = answer(rule, Target(near, "dog", Kind.DUPLICATE), rival=TARGET)
    assert found.repair.regions == (4,)
    assert found.whole_score == pytest.approx(0.5)


def test_contrast_turns_one_label_into_the_other():
    """Cat by regions 0 and 1, dog by region 2: without 1 the cat falls behind."""
    weights = np.zeros((12, 3))
    weights[[0, 1], 0], weights[2, 1] = (0.2, 0.45), 0.5
    target = Target(TARGET.box, "dog", Kind.CLASSIFICATION, "cat", OTHER)
    found = answer(per_label(weights), target)
    assert found.rival == Target(TARGET.box, "cat")
    assert found.repair.regions == (1,)
    assert found.sufficient.regions == (2,)
    assert found.rival_sufficient.regions == (1,)
    assert (found.repair.score, found.repair.rival_score) == pytest.approx((0.5, 0.2))
    assert found.sentence().startswith(
        "the cat (0.65) is found, not the dog, which scores 0.50 there"
    )
    assert (
        "is enough for the dog to be found before all else, at 0.50 (the cat then has 0.00)"
        in found.sentence()
    )


@pytest.mark.parametrize("kind", [Kind.LOCALISATION, Kind.GROUNDED_WRONG])
def test_contrast_of_two_boxes_of_a_label(kind):
    """Region 4 pulls the box away from the true one."""

    def rule(keep):
        return np.array([TARGET.box, OTHER]), np.array([[0, 0.5, 0], [0, 0.9 * keep[4], 0]])

    found = answer(rule, Target(TARGET.box, "dog", kind, None, OTHER))
    assert found.rival == Target(OTHER, "dog")
    assert found.repair.regions == found.rival_sufficient.regions == (4,)
    assert found.sufficient.regions == ()
    assert found.sentence().startswith(
        "the detector's box (0.90) is found beside the true box of the dog (0.50)"
    )
    assert "is enough for the true box to be found before all else" in found.sentence()


def test_the_target_and_its_rival_share_passes():
    weights = np.random.default_rng(0).random((12, 3)) / 12
    target = Target(TARGET.box, "dog", Kind.CLASSIFICATION, "cat")
    detector = strip_detector(per_label(weights), 12)
    found = explain_failure(detector, photo(), target, regions=detector.regions)
    sets = (found.repair, found.sufficient, found.rival_sufficient)
    searched = found.passes - sum(one.passes for one in sets if one is not None)
    assert 0 < searched <= found.passes
    # At other fills, the repair is shown once more each; and the whole image, to see it again.
    others = len(found.repair.fills) - 1 + 1
    distinct = len({row.tobytes() for row in detector.seen})
    assert found.passes == len(detector.seen) == distinct + others


@pytest.mark.parametrize("kind", [Kind.MISSED, Kind.CLASSIFICATION])
def test_saved_answers_load_equal(kind, tmp_path):
    weights = np.random.default_rng(0).random((12, 3)) / 10
    found = answer(per_label(weights), Target(TARGET.box, "dog", kind, "cat"))
    path = found.save(tmp_path / "one.v2")
    assert path.name == "one.v2_answer.json"
    assert Answer.load(tmp_path / "one.v2") == found
    path.write_text("{}")
    with pytest.raises(InputError, match="corrupt or no answer"):
        Answer.load(tmp_path / "one.v2")


def of_kind(kind):
    return {"kind": kind, "target": {"kind": kind}}


@pytest.mark.parametrize("name", ["rival_score", "rival_found"])
def test_an_answer_with_a_rival_has_its_scores_in_every_set(name, tmp_path):
    found = answer(
        per_label(np.random.default_rng(0).random((12, 3)) / 10),
        Target(TARGET.box, "dog", Kind.CLASSIFICATION, "cat"),
    )
    path = found.save(tmp_path / "one")
    record = json.loads(path.read_text())
    record["before"][name] = None
    path.write_text(json.dumps(record))
    with pytest.raises(InputError, match=f"before.{name} must be a number where there is a rival"):
        Answer.load(tmp_path / "one")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"answer_version": []}, r"has version \[\]"),
        ({"surprise": 1}, "surprise"),
        ({"best_score": float("nan")}, "best_score must be a finite number"),
        ({"threshold": 7}, "threshold must lie in"),
        ({"passes": "x"}, "passes must be a whole number"),
        ({"stopped": 3}, "stopped"),
        ({"rival": 3}, "rival must hold keys"),
        ({"before": None}, "before.regions is missing"),
        ({"repair": []}, "repair must hold keys"),
        ({"words": {}}, "words.label is missing"),
        ({"kind": "correct"}, "kind is correct, but target.kind missed"),
        (of_kind("classification"), "rival is missing, which a case of kind classification has"),
        ({"before": {"rival_found": 0.5}}, "before.rival_found must be .* null where not"),
        *(
            ({"repair": changes}, f"repair.{name}")
            for name, changes in (
                ("regions", {"regions": [99]}),
                ("regions", {"regions": [1, 1]}),
                ("regions", {"regions": "12"}),
                ("area", {"area": 2}),
                ("found_score", {"found_score": None}),
                ("box", {"box": [0, 0, 1]}),
                ("fills", {"fills": {"mean": 1}}),
                ("inside", {"inside": -1}),
            )
        ),
    ],
)
def test_an_answer_that_was_tampered_with_is_refused(changes, message, saved_answer):
    path, whole = saved_answer
    record = json.loads(whole)
    for name, value in changes.items():
        inner = isinstance(value, dict) and isinstance(record.get(name), dict)
        record[name] = {**record[name], **value} if inner else value
    path.write_text(json.dumps(record))
    with pytest.raises(InputError, match=message) as error:
        Answer.load(path.with_name("one"))
    assert "one_answer.json" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.fixture(scope="module")
def saved_answer(tmp_path_factory):
    found = answer(by_score(lambda keep: 0.7 * keep[3] * (not keep[8])), MISSED)
    path = found.save(tmp_path_factory.mktemp("answer") / "one")
    assert Answer.load(path.with_name("one")) == found
    return path, path.read_text()


@pytest.mark.parametrize("text", ["[" * 100_000, "null", '{"answer_version": 1}', ""])
def test_what_is_no_answer_is_refused(text, saved_answer):
    path, _ = saved_answer
    path.write_text(text)
    with pytest.raises(InputError, match="one_answer.json"):
        Answer.load(path.with_name("one"))


@pytest.mark.parametrize(
    ("target", "settings", "message"),
    [
        (MISSED, {"rival": TARGET}, "has no rival"),
        (dataclasses.replace(TARGET, kind=Kind.LOCALISATION), {}, "another box"),
        (MISSED, {"threshold": 0}, "threshold lies in"),
        (MISSED, {"set_passes": -1}, "0 or more"),
        (MISSED, {"mode": "class"}, "mode object, got class"),
    ],
)
def test_what_cannot_be_asked_is_refused(target, settings, message):
    with pytest.raises(InputError, match=message):
        answer(constant(0.1), target, **settings)


def test_another_candidate_that_is_found_counts_even_where_it_does_not_attain_s():
    """Without region 0 the best IoU x score is a good box below the threshold, yet a loose box
    above the threshold is left: the detection is not gone until region 1 is hidden, too."""
    loose = (2.0, 2.0, 10.0, 6.3)  # IoU 0.54

    def answer(keep: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        scores = np.array([[0, 0.9 if keep[0] else 0.29, 0], [0, 0.5 * keep[1], 0]])
        return np.array([TARGET.box, loose]), scores

    detector = strip_detector(answer)
    found = explain_failure(
        detector,
        photo(),
        Target(TARGET.box, "dog", Kind.BACKGROUND),
        regions=detector.regions,
        search="leave_one_out",
    )
    assert found.repair is not None
    assert found.repair.regions == (0, 1)
    assert found.repair.found_score == pytest.approx(0.29)


def test_of_a_phrase_the_words_are_answered_too(tmp_path):
    target = Target(MIDDLE, PHRASE, Kind.GROUNDED_WRONG, None, LEFT)
    detector = WordDetector(needs_0_and_3)
    found = explain_failure(detector, photo(), target, regions=4, threshold=0.2)
    assert found.words == dataclasses.replace(
        explain_words(WordDetector(needs_0_and_3), photo(), target, threshold=0.2),
        seconds=found.words.seconds,
    )
    assert len(found.words.repair.words) == 2
    assert found.passes > found.words.passes
    assert found.sentence().endswith(f"; of the words, {found.words.sentence()}")
    found.save(tmp_path / "one")
    assert Answer.load(tmp_path / "one") == found
    missed = dataclasses.replace(target, kind=Kind.MISSED, predicted_box=None)
    assert explain_failure(detector, photo(), missed, regions=4).words is None


@pytest.mark.parametrize("passes", [0, 5])
def test_a_set_that_the_orders_have_seen_is_made_irreducible_whatever_the_passes(passes):
    rule = by_score(lambda keep: 0.7 * keep[3] * (not keep[8]))
    assert answer(rule, MISSED, 40, set_passes=passes).repair.regions == (8,)


def test_without_time_a_set_that_was_seen_is_kept():
    late = answer(by_score(lambda keep: 0.7 * keep[3]), TARGET, budget=Budget(seconds=1e-6))
    assert late.stopped == "time limit"
    assert 3 in late.necessary.regions


def test_words_that_are_about_another_box_are_left_out():
    detector = WordDetector(needs_0_and_3)
    target = Target(MIDDLE, PHRASE, Kind.GROUNDED_WRONG, predicted_box=(0, 0, 2, 2))
    found = explain_failure(detector, photo(), target, regions=4)
    assert found.words is None
    assert found.passes > 16  # which theirs belong to


def test_what_scores_higher_but_is_not_found_does_not_win():
    """A dog's box of IoU 0.45 outdoes the cat's score, but no dog is found."""

    def rule(keep):
        return np.array([TARGET.box, (2.0, 2.0, 10.0, 5.6)]), np.array([[0.35, 0, 0], [0, 0.99, 0]])

    found = answer(rule, Target(TARGET.box, "dog", Kind.CLASSIFICATION, "cat"))
    assert found.sentence().startswith(
        "the cat (0.35) is found, not the dog, which scores 0.99 there"
    )


def test_what_needs_nothing_is_said_so():
    assert "even with the whole image hidden, at 0.80" in answer(constant(0.8), TARGET).sentence()
    false = answer(constant(0.8), dataclasses.replace(TARGET, kind=Kind.BACKGROUND))
    assert "is there even with the whole image hidden; no part was found" in false.sentence()


def slow_answer(passes: int, error: BaseException):
    """An answer whose detector breaks off in the pass with this number, after the orders."""
    rule = by_score(lambda keep: 0.2 + 0.1 * keep[3] - 0.15 * keep[8])
    detector = breaking(strip_detector(rule, 12), {passes: error})
    settings = {"regions": detector.regions, "search": "leave_one_out", "batch_size": 4}
    return explain_failure(detector, photo(), MISSED, threshold=0.25, **settings)


def test_an_interrupt_of_the_search_for_sets_keeps_what_is_known():
    whole = slow_answer(10**6, KeyboardInterrupt())
    assert whole.stopped == "finished"
    found = slow_answer(14, KeyboardInterrupt())
    assert found.stopped == "interrupted"
    assert found.explanation == dataclasses.replace(
        whole.explanation, seconds=found.explanation.seconds
    )
    assert found.sentence().endswith("the search was stopped before its end: interrupted")


@pytest.mark.parametrize("passes", [3, 14])
def test_a_detector_that_fails_leaves_a_partial_answer(passes):
    """What the passes before tell of the sets is kept, too."""
    with pytest.raises(IncompleteError, match="out of memory") as caught:
        slow_answer(passes, RuntimeError("out of memory"))
    (partial,) = caught.value.partial
    assert partial.stopped == "failed"
    assert partial.sufficient.found_score >= 0.25
    assert str(caught.value).count("the detector failed after") == 1


def test_time_that_is_up_ends_all_searches(monkeypatch):
    clock = iter(range(10**6))
    monkeypatch.setattr("vps.engine.budget.time.monotonic", lambda: next(clock))
    found = answer(by_score(lambda keep: 0.2 * keep[3]), MISSED, 40, budget=Budget(seconds=1e4))
    assert found.stopped == "finished"
    clock = iter(range(10**6))
    found = answer(by_score(lambda keep: 0.2 * keep[3]), MISSED, 40, budget=Budget(seconds=50))
    assert found.stopped == "time limit"
    assert found.passes < 900


def test_a_problem_is_answered_as_image_and_target_are():
    weights = np.random.default_rng(0).random((12, 3)) / 10
    target = Target(TARGET.box, "dog", Kind.CLASSIFICATION, "cat")
    usual = answer(per_label(weights), target)
    detector = strip_detector(per_label(weights), 12)
    problem = make_problem(detector, photo(), with_rival(target), regions=detector.regions)
    found = explain_failure(problem, search="path_search")
    assert found.sentence() == usual.sentence()
    assert (found.repair, found.sufficient, found.passes) == (
        usual.repair,
        usual.sufficient,
        usual.passes,
    )
    with pytest.raises(InputError, match="a Problem holds image, targets"):
        explain_failure(problem, fill="black")


@pytest.mark.parametrize("method", ["drise", "box", "random"])
def test_any_method_can_order_the_regions_first(method):
    rule = by_score(lambda keep: 0.7 * keep[3] * (not keep[8]))
    found = answer(rule, MISSED, method=method, **({"masks": 50} if method == "drise" else {}))
    assert found.repair.regions == (8,)
    assert found.explanation.method == method


def test_passes_are_those_of_everything_whatever_the_method():
    for method in (DRISE(masks=40), BoxPrior(), VPS("path_search")):
        detector = strip_detector(by_score(lambda keep: 0.7 * keep[3] * (not keep[8])), 12)
        problem = make_problem(detector, photo(), [MISSED], regions=detector.regions)
        assert explain_failure(problem, method=method).passes == len(detector.seen)


def test_a_problem_gets_the_rival_of_its_kind_and_no_other_targets():
    weights = np.random.default_rng(0).random((12, 3)) / 10
    detector = strip_detector(per_label(weights), 12)
    target = Target(TARGET.box, "dog", Kind.CLASSIFICATION, "cat")
    problem = make_problem(detector, photo(), [target], regions=detector.regions)
    assert explain_failure(problem).rival == Target(TARGET.box, "cat")
    for targets in ([TARGET, Target(OTHER, "cat")], [target, Target(OTHER, "bird"), TARGET]):
        problem = make_problem(detector, photo(), targets, regions=detector.regions)
        detector.seen.clear()
        with pytest.raises(InputError, match="no rival|a failure is of one target"):
            explain_failure(problem)
        assert not detector.seen


def test_what_would_be_called_something_else_is_not_a_repair():
    """Without region 8 the dog's own score rises over the threshold, but it is a cat at 0.53."""

    def rule(keep):
        return np.array([TARGET.box]), np.array([[0.53 * keep[3], 0.36 * (not keep[8]), 0]])

    found = answer(rule, MISSED)
    assert found.repair is None or 3 in found.repair.regions  # which makes the cat
    plain = answer(rule, dataclasses.replace(MISSED, label="cat"), threshold=0.54)
    assert plain.repair is None
    assert "the best seen was 0.53 (threshold 0.54)" in plain.sentence()


def test_a_third_label_that_outdoes_both_keeps_a_contrast_from_being_won():
    """Without region 1 the dog beats the cat, but the box is a bird's at 0.77."""

    def rule(keep):
        scores = [[0.4 * keep[1], 0.33, 0], [0, 0, 0.77 * (not keep[1] and keep[5])]]
        return np.array([TARGET.box, TARGET.box]), np.array(scores)

    found = answer(rule, Target(TARGET.box, "dog", Kind.CLASSIFICATION, "cat"))
    assert found.repair.regions == (1, 5)
    assert found.repair.other_label is None
    assert found.repair.found_score == pytest.approx(0.33)


@pytest.mark.parametrize(("colour", "held"), [(None, 4), ((0.5, 0.5, 0.5), 1)])
def test_a_repair_says_under_how_many_fills_it_holds(colour, held):
    """The grey over region 8 looks like a dog; or any fill will do."""
    detector = strip_detector(by_score(lambda keep: 0.7 * (not keep[8])), 12)
    usual = detector.detect
    region = torch.from_numpy(detector.regions.label_map == 8)

    def detect(pixels, size):
        found = usual(pixels, size)
        if colour is None:
            return found
        grey = (pixels[:, :, region] == 0.5).all(dim=2).all(dim=1)
        return Candidates(found.boxes, found.scores * grey[:, None, None], found.labels)

    detector.detect = detect
    found = explain_failure(
        detector,
        photo(),
        MISSED,
        regions=detector.regions,
        fill=colour or "mean",
        search="leave_one_out",
    )
    total = 4 if colour is None else 5
    assert found.repair.regions == (8,)
    assert sum(found.repair.fills.values()) == held
    assert found.repair.holds() == (held == total)
    assert f"that holds under {held} of {total} fills" in found.sentence()


def sees_grey(rule, count=12):
    """A detector whose rule is also told whether region 0 has the colour of a grey fill."""
    detector = strip_detector(by_score(lambda keep: 0.7), count)
    regions = [torch.from_numpy(detector.regions.label_map == r) for r in range(count)]

    def detect(pixels, size):
        same = (pixels == detector.pixels).all(dim=1)
        keeps = np.array([[bool(row[region].all()) for region in regions] for row in same])
        grey = (pixels[:, :, regions[0]] == 0.5).all(dim=2).all(dim=1)
        scores = torch.tensor(
            [0.7 * rule(keep, bool(looks)) for keep, looks in zip(keeps, grey, strict=True)]
        )
        one = torch.tensor(TARGET.box).repeat(len(pixels), 1, 1)
        return Candidates(one, scores[:, None, None] * torch.tensor([0.0, 1, 0]), LABELS)

    detector.detect = detect
    return detector


def test_a_repair_that_holds_under_all_fills_stands_before_a_smaller_one_that_does_not():
    """The grey over region 0 looks like a dog; without regions 10 and 11 the dog is found."""
    detector = sees_grey(lambda keep, grey: grey or not (keep[10] or keep[11]))
    found = explain_failure(
        detector, photo(), MISSED, regions=detector.regions, fill=(0.5, 0.5, 0.5)
    )
    assert found.repair.regions == (10, 11)
    assert found.repair.fills == dict.fromkeys(found.repair.fills, True)
    assert len(found.repair.fills) == 5
    assert found.repair.exact


def test_without_one_that_holds_the_repair_says_under_how_many_it_does():
    detector = sees_grey(lambda keep, grey: grey)
    found = explain_failure(
        detector, photo(), MISSED, regions=detector.regions, fill=(0.5, 0.5, 0.5)
    )
    assert found.repair.regions == (0,)
    assert sum(found.repair.fills.values()) == 1


@pytest.mark.parametrize("passes", [40, 64, 150, 3000])
def test_a_budget_is_one_number_for_all_that_is_done(passes):
    weights = np.random.default_rng(0).random((12, 3)) / 10
    wrong = Target(TARGET.box, "dog", Kind.CLASSIFICATION, "cat")
    rule = by_score(lambda keep: 0.7 * keep[3] * (not (keep[8] or keep[9])))
    for answers, target in ((rule, MISSED), (per_label(weights), wrong), (rule, TARGET)):
        detector = strip_detector(answers, 12)
        found = explain_failure(
            detector, photo(), target, regions=detector.regions, threshold=0.2, budget=passes
        )
        assert found.passes == len(detector.seen) <= passes
        if passes in (40, 3000):
            assert found.stopped == ("budget" if passes == 40 else "finished")


def test_a_budget_that_is_too_small_for_words_leaves_them_out():
    target = Target(MIDDLE, PHRASE, Kind.GROUNDED_WRONG, None, LEFT)
    found = explain_failure(
        WordDetector(needs_0_and_3), photo(), target, regions=4, threshold=0.2, budget=18
    )
    assert found.passes <= 18
    assert found.words is None
    assert found.stopped == "budget"


def test_what_lies_beside_the_object_is_hidden_first():
    """Either of two regions will do; one lies on the object."""
    detector = strip_detector(by_score(lambda keep: 0.7 * (not keep[5] or not keep[11])), 12)
    found = explain_failure(detector, photo(), MISSED, regions=detector.regions)
    assert found.repair.regions == (11,)
    assert found.repair.inside == 0
    assert "own box" not in found.sentence()


@pytest.mark.parametrize(
    ("score", "said"),
    [(0.297, "0.297 (threshold 0.30)"), (0.2999, "0.2999 (threshold"), (0.12, "0.12 (threshold")],
)
def test_a_score_never_rounds_to_the_threshold_that_it_misses(score, said):
    found = answer(constant(score), MISSED)
    assert found.repair is None
    assert f"the best seen was {said}" in found.sentence()

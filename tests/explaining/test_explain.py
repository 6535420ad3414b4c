import copy
import dataclasses
import warnings

import numpy as np
import pytest
import torch
from PIL import Image

from detectors.function import FunctionDetector
from tests.helpers.analytic import (
    LABELS,
    TARGET,
    LikelihoodDetector,
    RegionDetector,
    additive,
    breaking,
    constant,
    per_label,
    photo,
    scattered,
    strip_detector,
)
from tests.helpers.objectives import WEIGHTS
from tests.helpers.region_methods import EVERY_METHOD
from vps import (
    DRISE,
    VPS,
    Attribution,
    BoxPrior,
    Budget,
    Explanation,
    Kind,
    Progress,
    Regions,
    Target,
    explain,
    make_regions,
)
from vps.engine.problem import make_problem
from vps.errors import CancelledError, DetectorError, IncompleteError, InputError


def run(detector, **settings) -> Explanation:
    settings = {"regions": detector.regions, "search": "greedy", **settings}
    return explain(detector, photo(), settings.pop("target", TARGET), **settings)


def test_planted_order_curves_and_map(tmp_path):
    detector = strip_detector(additive(WEIGHTS))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = run(detector, seed=5, image_name="noise")
    assert result.order.tolist() == np.argsort(-WEIGHTS).tolist()
    assert result.passes == 38 == len({row.tobytes() for row in detector.seen})
    assert result.insertion[0] == 0
    assert result.insertion[-1] == pytest.approx(WEIGHTS.sum())
    np.testing.assert_array_equal(result.insertion_boxes[1:], [TARGET.box] * 6)
    assert result.heatmap.shape == (12, 16)
    assert result.heatmap.dtype == np.float32
    assert result.heatmap.min() == 0
    assert result.heatmap.max() == 1
    assert (result.heatmap[result.label_map == 1] == 1).all()
    assert result.warnings == ()
    recorded = (result.detector, result.fill, result.region_method, result.search, result.seed)
    assert recorded == ("rule", "mean", "strips", "greedy", 5)
    assert result.image_name == "noise"
    assert set(result.versions) == {"vps", "python", "torch", "numpy", "scikit-image"}
    result.save(tmp_path / "one")
    assert Explanation.load(tmp_path / "one") == result


def test_greedy_beats_random_and_a_failure_is_explained_too():
    best = run(strip_detector(additive(WEIGHTS)))
    chance = run(strip_detector(additive(WEIGHTS)), search="random")
    assert best.insertion_auc > chance.insertion_auc
    assert best.deletion_auc < chance.deletion_auc
    assert chance.passes == 12


@pytest.mark.parametrize("mode", ["object", "class", "box"])
@pytest.mark.parametrize("fill", ["mean", "black", "image-mean", "blur", (0.2, 0.3, 0.4)])
def test_every_mode_with_every_fill(mode, fill):
    result = run(strip_detector(scattered()), mode=mode, fill=fill, batch_size=3)
    assert np.isfinite(result.objective).all()
    assert np.isfinite(result.heatmap).all()
    assert (result.mode, result.fill) == (mode, fill if isinstance(fill, str) else "0.2,0.3,0.4")


@pytest.mark.filterwarnings("ignore:F does not change")
@pytest.mark.parametrize("method", EVERY_METHOD)
def test_every_region_method(method):
    image = photo()
    pixels = image.astype(np.float32).transpose(2, 0, 1) / 255
    detector = strip_detector(scattered())
    detector.regions = make_regions(pixels, 8, method)
    result = run(detector, regions=8, region_method=method)
    assert result.region_method == method
    assert np.array_equal(result.label_map, detector.regions.label_map)


@pytest.mark.filterwarnings("ignore:F does not change")
def test_all_zero_gives_a_result_and_warnings():
    with pytest.warns(UserWarning, match="scores 0 at the most"):
        result = run(strip_detector(additive(np.zeros(6))))
    assert len(result.warnings) == 2
    assert result.order.tolist() == list(range(6))
    with pytest.warns(UserWarning, match="constant"):
        assert not result.heatmap.any()
    assert result.insertion_auc == result.deletion_auc == 0
    assert result.smallest_sufficient() == 6


def test_missed_target_that_some_part_would_show():
    def hidden_by_region_two(keep):
        score = 0.8 * keep[1] * (not keep[2])
        return np.array([TARGET.box]), np.array([[0, score, 0]])

    with pytest.warns(UserWarning, match="0 on the whole image"):
        result = run(
            strip_detector(hidden_by_region_two), target=Target(TARGET.box, "dog", Kind.MISSED)
        )
    assert len(result.warnings) == 1
    assert result.order[0] == 1
    assert result.order[-1] == 2
    assert np.isfinite(result.heatmap).all()


def test_a_single_region_is_constant():
    with pytest.warns(UserWarning, match="constant"):
        result = run(strip_detector(additive(np.array([0.7])), 1))
    assert result.insertion.tolist() == pytest.approx([0, 0.7])


def test_any_image_that_can_be_opened(tmp_path):
    path = tmp_path / "noise.png"
    Image.fromarray(photo()).save(path)
    detector = strip_detector(additive(WEIGHTS))
    results = [
        explain(detector, image, TARGET, regions=detector.regions)
        for image in (photo(), Image.fromarray(photo()), path, str(path))
    ]
    assert [result.image_name for result in results] == [None, None, "noise.png", "noise.png"]
    for result in results[1:]:
        assert np.array_equal(result.objective, results[0].objective)


def test_progress_counts_up_to_the_passes():
    seen: list[Progress] = []
    result = run(
        strip_detector(additive(WEIGHTS)), budget=Budget(progress=seen.append), batch_size=5
    )
    passes = [progress.passes for progress in seen]
    assert passes == sorted(passes)
    assert passes[-1] == result.passes
    assert seen[-1].rounds == result.rounds == 4
    assert seen[-1].insertion_auc == pytest.approx(result.insertion_auc)
    assert seen[-1].deletion_auc == pytest.approx(result.deletion_auc)


def test_budget():
    result = run(strip_detector(additive(WEIGHTS)), budget=14)
    assert result.order.tolist() == np.argsort(-WEIGHTS).tolist()
    assert result.passes < 38


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"search": "gredy"}, "unknown search 'gredy', did you mean 'greedy'"),
        ({"region_method": "slick"}, "unknown region method"),
        ({"numbering": "distant"}, "numbering of regions 'distant', did you mean 'distance'"),
        ({"regions": "labels.txt"}, r"labels\.txt is neither a \.npy nor a \.png"),
        ({"regions": "labels.npy"}, r"label map labels\.npy does not exist"),
        ({"fill": "grey"}, "unknown fill"),
        ({"mode": "both"}, "unknown mode"),
        ({"regions": 0}, "number of regions"),
        ({"regions": Regions(np.array([[0, 1]]), "mine")}, "grid"),
        ({"budget": -1}, "budget"),
        ({"batch_size": 0}, "batch size"),
        ({"target": Target(TARGET.box, "dgo")}, "unknown label"),
        ({"target": Target((99, 99, 120, 120), "dog")}, "outside the image"),
    ],
)
def test_unusable_input_fails_before_the_first_pass(settings, message):
    detector = strip_detector(additive(WEIGHTS))
    with pytest.raises(InputError, match=message):
        run(detector, **settings)
    assert not detector.seen


@pytest.mark.filterwarnings("ignore:F does not change", "ignore:the target scores")
def test_of_regions_that_are_worth_the_same_the_nearest_to_the_box_comes_first(tmp_path):
    detector = strip_detector(constant(0.0))
    usual, near = (run(detector, numbering=name) for name in ("scan", "distance"))
    assert (usual.numbering, near.numbering) == ("scan", "distance")
    _, y1, _, y2 = TARGET.box
    away = []
    for result in (usual, near):
        assert result.order.tolist() == list(range(6))
        strips = [np.nonzero(result.label_map == strip)[0].mean() + 0.5 for strip in result.order]
        away.append(np.abs(np.array(strips) - (y1 + y2) / 2))
    assert away[1].tolist() == sorted(away[0]) != away[0].tolist()
    near.save(tmp_path / "near")
    assert Explanation.load(tmp_path / "near") == near


def test_regions_are_near_to_one_target(tmp_path):
    other = Target((0.0, 0.0, 3.0, 3.0), "cat")
    with pytest.raises(InputError, match="there are 2 targets: explain them one by one"):
        run(
            strip_detector(additive(WEIGHTS)),
            target=None,
            targets=[TARGET, other],
            numbering="distance",
        )
    wrong = Target(TARGET.box, "dog", Kind.CLASSIFICATION, predicted_label="cat")
    pair = [wrong, Target(TARGET.box, "cat")]
    found = make_problem(strip_detector(additive(WEIGHTS)), photo(), pair, numbering="distance")
    alone = make_problem(strip_detector(additive(WEIGHTS)), photo(), [wrong], numbering="distance")
    assert np.array_equal(found.regions.label_map, alone.regions.label_map)


def test_regions_from_a_file(tmp_path):
    detector = strip_detector(additive(WEIGHTS))
    labels = detector.regions.label_map
    np.save(tmp_path / "noise.npy", labels)
    usual = run(detector)
    for path in (tmp_path, str(tmp_path / "noise.npy")):
        found = run(detector, regions=path, image_name="noise.jpg")
        assert found.region_method == "file:noise.npy"
        assert np.array_equal(found.label_map, labels)
        assert np.array_equal(found.order, usual.order)


LOOK = 1  # a second one at the whole image, which tells whether a detector is deterministic
THREE = [Target(TARGET.box, label) for label in ("cat", "dog", "bird")]
PER_LABEL = per_label(np.stack([WEIGHTS, WEIGHTS[::-1], np.roll(WEIGHTS, 3)], axis=1))


@pytest.mark.parametrize("search", ["greedy", "path_search", "top_k"])
@pytest.mark.parametrize("count", [1, 3])
def test_several_targets_share_passes_and_get_what_each_gets_alone(search, count):
    detector = strip_detector(PER_LABEL)
    together = run(detector, target=None, targets=THREE[:count], search=search)
    alone = [run(strip_detector(PER_LABEL), target=one, search=search) for one in THREE[:count]]
    assert [result.target for result in together] == THREE[:count]
    for one, other in zip(together, alone, strict=True):
        assert (one.sharing, other.sharing) == (count, 1)
        assert one.passes + LOOK == len(detector.seen)
        assert np.array_equal(one.order, other.order)
        assert np.array_equal(one.objective, other.objective)
    assert count == 1 or len(detector.seen) < sum(result.passes for result in alone)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"targets": [TARGET]}, "either a target or a list"),
        ({"target": None}, "either a target or a list"),
        ({"target": None, "targets": []}, "at least one target"),
        ({"effort": "higher"}, "unknown effort 'higher', did you mean 'high'"),
        ({"budget": 1.5}, "budget"),
        ({"method": VPS(search="greedy", budget=1e-9), "search": None}, "give that to VPS"),
        ({"time_limit": 5}, "unknown setting, with the method vps, 'time_limit'"),
        ({"seed": -1}, "seed"),
    ],
)
def test_what_cannot_be_asked_for_fails_before_the_first_pass(given, message):
    detector = strip_detector(additive(WEIGHTS))
    with pytest.raises(InputError, match=message):
        run(detector, **given)
    assert not detector.seen


@pytest.mark.filterwarnings("ignore:.*steps of the curves are interpolated")
@pytest.mark.parametrize(
    ("search", "call"), [("greedy", 4), ("path_search", 4), ("top_k", 4), ("auto", 4)]
)
def test_ctrl_c_gives_what_is_known(search, call):
    detector = breaking(strip_detector(scattered()), {call: KeyboardInterrupt()})
    with pytest.warns(UserWarning, match="stopped before its end: interrupted"):
        result = run(detector, search=search, batch_size=4)
    assert result.stopped == "interrupted"
    assert result.passes == len(detector.seen) == sum(detector.batches)
    assert np.isfinite([result.insertion, result.deletion, result.objective]).all()


@pytest.mark.filterwarnings("ignore:the search was stopped")
def test_ctrl_c_while_the_curves_are_measured_interpolates_the_rest():
    # The budget ends the search after its first round; then the curves are measured.
    detector = breaking(strip_detector(additive(WEIGHTS)), {4: KeyboardInterrupt()})
    with pytest.warns(UserWarning, match="3 of 7 steps of the curves are interpolated"):
        result = run(detector, budget=14, batch_size=4)
    assert result.stopped == "interrupted"
    assert result.measured.tolist() == [True, True, False, False, False, True, True]


@pytest.mark.filterwarnings("ignore")
def test_a_time_limit_leaves_only_the_curves_to_measure():
    result = run(strip_detector(additive(WEIGHTS)), budget=Budget(seconds=1e-9))
    assert (result.stopped, result.passes, result.measured.all()) == ("time limit", 12, True)


@pytest.mark.parametrize("error", [DetectorError("no boxes"), RuntimeError("out of memory")])
def test_a_failure_in_the_middle_comes_with_what_is_known(error, tmp_path):
    detector = breaking(strip_detector(PER_LABEL), {6: error})
    with pytest.raises(IncompleteError, match=rf"{error}.*failed after \d+ passes") as failure:
        run(detector, target=None, targets=THREE, batch_size=4)
    assert [part.target for part in failure.value.partial] == THREE
    for part in failure.value.partial:
        assert (part.stopped, part.passes, part.sharing) == ("failed", sum(detector.batches), 3)
        assert np.isfinite(part.objective).all()
        part.save(tmp_path / "part")
        assert Explanation.load(tmp_path / "part") == part


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (DetectorError("no boxes"), DetectorError),
        (OSError("gone"), DetectorError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
)
def test_a_failure_at_once_leaves_nothing_to_keep(error, raised):
    with pytest.raises(raised) as failure:
        run(breaking(strip_detector(scattered()), {0: error}))
    assert not isinstance(failure.value, IncompleteError)


def test_nan_midway_names_the_sizes_of_the_batch():
    def answer(keep):
        return np.array([TARGET.box]), np.array([[0, np.nan if keep.sum() == 3 else 0.5, 0]])

    with pytest.raises(IncompleteError, match=r"NaN.*shows 3, 3, 3.* of 6 regions") as failure:
        run(strip_detector(answer))
    assert not failure.value.partial[0].measured[3]


def test_a_failure_while_the_curves_are_measured_keeps_the_rest_too():
    detector = breaking(strip_detector(additive(WEIGHTS)), {4: RuntimeError("out of memory")})
    with pytest.raises(IncompleteError, match="out of memory") as failure:
        run(detector, budget=14, batch_size=4)
    again = copy.copy(failure.value)  # as it is for another process
    assert str(again) == str(failure.value)
    assert again.partial == failure.value.partial
    assert not again.partial[0].measured.all()


def test_several_targets_have_a_name():
    with pytest.raises(InputError, match=r"targets=\["):
        run(strip_detector(additive(WEIGHTS)), target=[TARGET, TARGET])


def test_a_small_budget_is_refused_before_anything_is_measured():
    detector = strip_detector(additive(WEIGHTS))
    with pytest.raises(InputError, match="budget of 5 passes is too small.* needs 8"):
        run(detector, search="auto", budget=5)
    assert not detector.seen


class Prompted(RegionDetector):
    """Asks for cats and dogs in one prompt and for birds in another; counts its narrowings."""

    def with_labels(self, labels):
        raise NotImplementedError

    def narrowed(self, labels):
        other = Prompted(photo(), self.regions, lambda keep: only(keep, columns))
        columns = slice(0, 2) if "bird" not in labels else slice(0, 3)
        other.labels = LABELS[columns]
        return other


def only(keep, columns):
    boxes, scores = per_label(np.stack([WEIGHTS, WEIGHTS / 2, WEIGHTS / 4], axis=1))(keep)
    return boxes, scores[:, columns]


def test_a_target_costs_only_the_prompts_that_hold_its_label():
    regions = strip_detector(scattered()).regions
    detector = Prompted(photo(), regions, lambda keep: only(keep, slice(0, 3)))
    narrow = run(detector)
    assert detector.seen == []
    assert narrow.labels == ("cat", "dog")
    whole = run(detector, all_prompts=True)
    assert whole.labels == LABELS
    assert len(detector.seen) == whole.passes + LOOK
    assert np.array_equal(narrow.insertion, whole.insertion)
    assert np.array_equal(narrow.order, whole.order)


def test_a_problem_is_explained_as_image_and_targets_are(monkeypatch):
    detector = strip_detector(PER_LABEL)
    problem = make_problem(detector, photo(), THREE, regions=detector.regions, image_name="noise")
    prepared = []
    monkeypatch.setattr(detector, "prepare", prepared.append)
    found = explain(problem, search="greedy", seed=3)
    assert not prepared
    other = strip_detector(PER_LABEL)
    usual = run(other, target=None, targets=THREE, seed=3)
    for one, expected in zip(found, usual, strict=True):
        assert one.image_name == "noise"
        assert np.array_equal(one.objective, expected.objective)
        assert np.array_equal(one.order, expected.order)
    with pytest.raises(InputError, match="a Problem holds image, targets and settings"):
        explain(problem, fill="black")
    with pytest.raises(InputError, match="a Problem holds"):
        explain(problem, photo(), TARGET)
    with pytest.raises(InputError, match="either a target or a list"):
        explain(detector)
    with pytest.raises(InputError, match="give a detector, an image and a target, or a Problem"):
        explain(detector, target=TARGET)


def test_a_budget_too_small_for_a_share_is_refused_before_the_first_pass():
    detector = strip_detector(additive(WEIGHTS))
    method = VPS(search="greedy", budget=1e-9)
    with pytest.raises(InputError, match="first round alone needs"):
        explain(detector, photo(), TARGET, regions=detector.regions, method=method)
    assert not detector.seen


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    ("method", "after"), [(VPS("greedy"), 2), (VPS("top_k"), 3), (DRISE(masks=50), 2)]
)
def test_who_cancels_gets_what_is_known(method, after):
    seen: list[Progress] = []
    detector = strip_detector(additive(WEIGHTS))
    budget = Budget(progress=seen.append, cancelled=lambda: len(seen) >= after)
    result = explain(
        detector, photo(), TARGET, regions=detector.regions, method=method, budget=budget
    )
    assert result.stopped == "cancelled"
    assert len(seen) <= after + 1
    assert np.isfinite(result.insertion).all()
    assert (result.saliency is None) == (method.name == "vps")


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("out of memory")])
def test_masks_until_an_end_make_a_map_too(error):
    detector = breaking(strip_detector(additive(WEIGHTS)), {4: error})
    settings = {"regions": detector.regions, "method": DRISE(masks=50), "batch_size": 4}
    if isinstance(error, KeyboardInterrupt):
        result = explain(detector, photo(), TARGET, **settings)
    else:
        with pytest.raises(IncompleteError, match="out of memory") as failure:
            explain(detector, photo(), TARGET, **settings)
        (result,) = failure.value.partial
    usual = strip_detector(additive(WEIGHTS))
    expected = explain(usual, photo(), TARGET, **{**settings, "method": DRISE(masks=12)})
    np.testing.assert_allclose(result.saliency, expected.saliency, rtol=1e-6)
    assert result.stopped.at_once
    assert result.passes == 13


@pytest.mark.parametrize("method", [VPS("greedy"), VPS("auto"), DRISE(), BoxPrior()])
def test_what_is_cancelled_before_anything_is_known_says_so(method):
    detector = strip_detector(scattered(), 24)
    budget = Budget(cancelled=lambda: True)
    with pytest.raises(CancelledError, match="there is nothing to keep: cancelled"):
        explain(detector, photo(), TARGET, regions=detector.regions, method=method, budget=budget)
    assert not detector.seen or method.name == "drise"  # which looked at the whole image


def test_a_scorer_of_targets_looks_at_the_whole_image_once():
    base = strip_detector(constant(0.5))
    for method in (VPS("greedy"), DRISE(masks=20), BoxPrior()):
        detector = LikelihoodDetector(
            photo(), base.regions, base.answer, lambda keep, target: (keep.mean(), 0.8)
        )
        problem = make_problem(detector, photo(), [TARGET], regions=base.regions)
        explain(problem, method=method)
        explain(problem.varied(batch_size=3, fill="black"), method=method)
        assert len(detector.asked_about) == 1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"maps": np.full((1, 12, 16), np.nan, np.float32)}, "must give finite maps"),
        ({"maps": np.zeros((1, 6, 8), np.float32)}, r"of shape \(1, 12, 16\)"),
        ({"maps": np.zeros((2, 12, 16), np.float32)}, r"got \(2, 12, 16\)"),
        ({}, "either maps or orders"),
        ({"orders": [np.arange(6), np.arange(6)]}, "gave 2 orders for 1 targets"),
    ],
)
def test_a_method_that_breaks_its_contract_is_named(given, message):
    @dataclasses.dataclass(frozen=True)
    class Mine:
        name = "mine"

        def planned_passes(self, problem):
            return 0

        def with_passes(self, passes):
            return self

        def attribute(self, problem, budget, seed):
            return Attribution(0, **given)

    detector = strip_detector(additive(WEIGHTS))
    with pytest.raises(InputError, match=message):
        explain(detector, photo(), TARGET, regions=detector.regions, method=Mine())


def test_arguments_of_other_types_are_told():
    detector = strip_detector(additive(WEIGHTS))
    for settings, message in (
        ({"seed": 1.5}, "seed"),
        ({"seed": "a"}, "seed"),
        ({"regions": "6"}, "number of regions"),
        ({"regions": 6.5}, "number of regions"),
        ({"batch_size": 2.5}, "batch size"),
        ({"lambdas": 1}, "lambdas"),
        ({"lambdas": (1e308, 1e308)}, "lambdas"),
        ({"target": None, "targets": TARGET}, "list of at least one target"),
    ):
        with pytest.raises(InputError, match=message):
            run(detector, **settings)
    assert not detector.seen


def test_a_map_is_judged_by_its_pixels_where_that_is_asked():
    image = np.random.default_rng(0).integers(1, 255, (14, 16, 3), dtype=np.uint8)
    detector = FunctionDetector(in_the_light, LABELS)
    targets = [TARGET, Target((0.0, 0.0, 8.0, 8.0), "cat")]
    settings = {"regions": 9, "region_method": "grid", "method": DRISE(masks=12), "seed": 3}
    usual = explain(detector, image, targets=targets, **settings)
    found = explain(detector, image, targets=targets, map_replay="pixel-steps", **settings)
    for number, (one, other) in enumerate(zip(found, usual, strict=True)):
        assert one.target == targets[number]
        # The map, and what it took, is the same; what it is judged by is not.
        assert np.array_equal(one.saliency, other.saliency)
        assert (one.passes, one.sharing) == (other.passes, 2)
        assert (one.replay, other.replay) == ("49 pixel steps, black", "regions, mean")
        assert np.array_equal(one.heatmap, other.heatmap)
        assert np.array_equal(one.order, np.arange(49))
        step, values = 20, one.saliency.ravel()
        shown = one.label_map < step
        assert values[shown.ravel()].min() >= values[~shown.ravel()].max()
        seen = torch.from_numpy(image / 255 * shown[:, :, None]).permute(2, 0, 1)
        _, scores = in_the_light(seen[None])
        assert one.insertion[step] == pytest.approx(scores[0, number, 1 - number], abs=1e-5)
        # The whole image scores the same under any fill.
        assert one.insertion[-1] == one.deletion[0] == pytest.approx(other.deletion[0])


def in_the_light(pixels):
    """A dog and a cat, each as sure as its box is bright."""
    boxes = np.tile([TARGET.box, (0.0, 0.0, 8.0, 8.0)], (len(pixels), 1, 1))
    scores = np.zeros((len(pixels), 2, 3))
    scores[:, 0, 1] = pixels[:, :, 2:10, 2:10].mean(dim=(1, 2, 3))
    scores[:, 1, 0] = pixels[:, :, :8, :8].mean(dim=(1, 2, 3))
    return boxes, scores


def test_an_order_is_judged_by_its_regions_in_any_case():
    result = run(strip_detector(additive(WEIGHTS)), map_replay="pixel-steps")
    assert result.replay == "regions, mean"
    assert result == dataclasses.replace(
        run(strip_detector(additive(WEIGHTS)), map_replay="regions"), seconds=result.seconds
    )


def test_the_map_rule_is_kept_and_decides_the_map(tmp_path):
    ours = run(strip_detector(additive(WEIGHTS)))
    theirs = run(strip_detector(additive(WEIGHTS)), map_rule="vps-paper")
    assert np.array_equal(ours.order, theirs.order)
    steps = np.abs(np.diff(ours.objective))
    np.testing.assert_allclose(theirs.region_scores[ours.order], -np.cumsum(steps))
    assert Explanation.load(theirs.save(tmp_path / "one")).map_rule == "vps-paper"
    assert not np.array_equal(ours.heatmap, theirs.heatmap)


@pytest.mark.parametrize("replay", ["regions", "pixel-steps"])
def test_a_constant_map_of_a_method_is_told(replay):
    """No detection of the label is left: D-RISE gives 0 everywhere, and the score still varies."""

    def find(images):
        boxes, scores = in_the_light(images)
        scores[..., 2] = 1  # A user sees another label in the same place.
        return boxes, scores

    image = np.random.default_rng(0).integers(1, 255, (14, 16, 3), dtype=np.uint8)
    settings = {"regions": 4, "region_method": "grid", "map_replay": replay}
    method = DRISE(masks=8, similarity="detections")
    with pytest.warns(UserWarning, match="the same value everywhere: the map is constant"):
        found = explain(FunctionDetector(find, LABELS), image, TARGET, method=method, **settings)
    assert found.saliency is not None
    assert not found.saliency.any()
    assert any("map is constant" in note for note in found.warnings)


def test_an_end_while_pixels_are_measured_interpolates_the_rest():
    image = np.random.default_rng(0).integers(1, 255, (14, 16, 3), dtype=np.uint8)
    calls = []

    def stop():
        calls.append(1)
        return len(calls) > 6

    detector = FunctionDetector(in_the_light, LABELS)
    settings = {"regions": 4, "region_method": "grid", "method": DRISE(masks=12)}
    budget = Budget(cancelled=stop)
    found = explain(detector, image, TARGET, map_replay="pixel-steps", budget=budget, **settings)
    assert found.stopped.value == "cancelled"
    assert 2 <= found.measured.sum() < 50
    assert any("interpolated" in note for note in found.warnings)

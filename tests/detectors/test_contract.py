"""The contract of all adapters, on small models of the real classes.

Cases whose library is not installed are skipped, and say so.
"""

import pickle
import shutil

import numpy as np
import pytest
import torch

from detectors import DETECTORS
from tests.helpers import contract
from tests.helpers.zoo_cases import CASES
from vps.core.detect import detect, visible
from vps.core.detector import PromptedDetector, WordHider
from vps.core.regions import make_regions
from vps.core.scoring import best_candidates
from vps.core.targets import Target
from vps.engine.passes import Passes
from vps.errors import DetectorError, InputError
from vps.explaining.explain import explain

# In the names of layers by whose outputs models choose queries or proposals.
DECIDING = (
    "rpn",
    "enc_score_head",
    "encoder_output_class",
    "encoder_class_head",
    "cls_branches",
    "fc_cls",
    "conv_obj",
)
WITH_WEIGHTS = [parameter for parameter in CASES if parameter.values[0].weights]
COMPARED = [parameter for parameter in CASES if parameter.values[0].own]


def test_every_kind_of_detector_has_a_case():
    kinds = {case.values[0].name.split(" ")[0] for case in CASES}
    assert set(DETECTORS) - kinds == {kind for kind in DETECTORS if kind.startswith("demo-")}


@pytest.mark.parametrize("case", CASES)
def test_contract(case, loaded):
    contract.check_contract(loaded(case), case.tolerance, case.sizes)


@pytest.mark.parametrize("case", COMPARED)
def test_the_best_candidates_are_what_the_library_itself_detects(case, saved, loaded):
    detector = loaded(case)
    for size in case.sizes:
        image = contract.picture(size, seed=1)
        found = detector.detect(detector.prepare(image)[None], size)
        ours = contract.reduce(found, case.reduction)
        theirs = case.own(saved(case), image)
        contract.assert_same_detections(ours, theirs, size, case.tolerance)


@pytest.mark.parametrize("case", CASES)
def test_nothing_is_left_changed(case, saved, loaded):
    detector = loaded(case)
    model = case.model(detector)
    if model is None:
        pytest.skip("no torch module inside")
    size = case.sizes[0]
    batch = contract.batch_of(detector, size)
    detector.detect(batch, size)  # what of a text is kept, is not computed again
    leaves = []
    handles = [
        module.register_forward_pre_hook(lambda module, _: leaves.append(module))
        for module in model.modules()
        if not list(module.children())
    ]
    expected = detector.detect(batch, size)
    for handle in handles:
        handle.remove()
    before = contract.snapshot(model)
    for leaf in (leaves[0], leaves[len(leaves) // 2], leaves[-1]):

        def fail(*_):
            raise ZeroDivisionError("a model may fail anywhere")

        handle = leaf.register_forward_pre_hook(fail)
        with pytest.raises((ZeroDivisionError, DetectorError), match="fail anywhere"):
            detector.detect(batch, size)
        handle.remove()
        assert contract.snapshot(model) == before
        # Nothing that the failure left behind shows in other images.
        other = detector.detect(batch.flip(-2), size)
    fresh = case.load(saved(case), "cpu").detect(batch.flip(-2), size)
    assert torch.equal(other.scores, fresh.scores)
    found = detector.detect(batch, size)
    assert contract.snapshot(model) == before
    assert torch.equal(found.boxes, expected.boxes)
    assert torch.equal(found.scores, expected.scores)


@pytest.mark.parametrize("case", CASES)
def test_narrowed_keeps_the_scores_of_targets(case, loaded):
    detector = loaded(case)
    if not isinstance(detector, PromptedDetector):
        pytest.skip("not asked by prompts")
    size = case.sizes[0]
    batch = contract.batch_of(detector, size)
    whole = detector.detect(batch, size)
    box = torch.tensor([0.0, 0.0, size[1] / 2, size[0] / 2])
    for label in detector.labels:
        some = detector.narrowed((label,)).detect(batch, size)
        for mode in ("object", "class"):
            before, after = (
                best_candidates(found, box, found.column(label), mode) for found in (whole, some)
            )
            # What is found depends on what else a candidate could be called.
            for name in ("score", "class_score", "iou", "box"):
                same = torch.allclose(getattr(before, name), getattr(after, name), atol=1e-6)
                assert same, name


@pytest.mark.parametrize("case", CASES)
def test_hidden_words_change_nothing_else(case, loaded):
    detector = loaded(case)
    if not isinstance(detector, WordHider):
        pytest.skip("hides no words")
    size = case.sizes[0]
    batch = contract.batch_of(detector, size)
    whole = detector.detect(batch, size)
    for column, label in enumerate(detector.labels):
        keep = np.ones(len(detector.words(label)), bool)
        same = detector.with_hidden(label, keep)
        assert same.labels == detector.labels
        assert torch.equal(same.detect(batch, size).scores, whole.scores)
        for place in range(len(keep)):
            some = detector.with_hidden(label, np.arange(len(keep)) != place)
            contract.check_contract(some, case.tolerance, case.sizes[:1])
            scores = some.detect(batch, size).scores
            assert scores.shape == whole.scores.shape
            assert not torch.allclose(scores[..., column], whole.scores[..., column], atol=1e-4)
        blind = detector.with_hidden(label, ~keep).detect(batch, size)
        assert (blind.scores[..., column] == 0).all()
        with pytest.raises(InputError, match="words"):
            detector.with_hidden(label, np.ones(len(keep) + 1, bool))
    with pytest.raises(InputError, match="unknown label"):
        detector.with_hidden("horse", np.ones(1, bool))
    assert torch.equal(detector.detect(batch, size).scores, whole.scores)


@pytest.mark.parametrize("case", CASES)
def test_what_is_saved_loads_equal(case, saved, loaded):
    size = case.sizes[0]
    batch = contract.batch_of(loaded(case), size)
    first, second = (d.detect(batch, size) for d in (loaded(case), case.load(saved(case), "cpu")))
    assert torch.equal(first.boxes, second.boxes)
    assert torch.equal(first.scores, second.scores)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU")
@pytest.mark.parametrize("case", CASES)
def test_contract_on_cuda(case, saved, loaded):
    try:
        detector = case.load(saved(case), "cuda")
    except InputError as error:
        pytest.skip(str(error))
    contract.check_contract(detector, 1e-3, case.sizes)
    size = case.sizes[0]
    here, there = (d.detect(contract.batch_of(d, size), size) for d in (loaded(case), detector))
    assert torch.allclose(here.scores, there.scores.cpu(), atol=1e-3)


@pytest.mark.parametrize("case", CASES)
def test_the_best_detection_is_explained(case, loaded):
    detector = loaded(case)
    size = case.sizes[0]
    image = contract.picture(size)
    detections = detector.detect(detector.prepare(image)[None], size)
    boxes = detections.boxes.clone()
    boxes[..., 0::2] = boxes[..., 0::2].clamp(0, size[1])
    boxes[..., 1::2] = boxes[..., 1::2].clamp(0, size[0])
    whole = ((boxes[..., 2:] - boxes[..., :2]) > 1).all(-1, keepdim=True)
    inside = type(detections)(boxes, detections.scores * whole, detections.labels)
    best = visible(inside, threshold=0)[0]
    explanation = explain(
        detector,
        image,
        Target(best.box, best.label),
        regions=4,
        region_method="grid",
        search="path_search",
        batch_size=4,
    )
    assert explanation.heatmap.shape == size
    assert np.isfinite(explanation.heatmap).all()
    assert explanation.insertion[-1] > 0
    assert sorted(explanation.order) == list(range(len(explanation.order)))


def spoilt(case, folder, value):
    """A case's detector with a value in place of all its weights."""
    if case.spoilt is not None:
        return case.spoilt(folder, value)
    detector = case.load(folder, "cpu")
    for parameter in case.model(detector).parameters():
        parameter.data.fill_(value)
    return detector


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("case", CASES)
def test_weights_that_are_no_numbers_are_the_detectors_error(case, value, saved):
    detector = spoilt(case, saved(case), value)
    size = case.sizes[0]
    image = contract.picture(size)
    with pytest.raises(DetectorError, match="NaN"):
        detect(detector, image)
    pixels = detector.prepare(image)
    regions = make_regions(pixels, 4, "grid")
    target = Target((0, 0, size[1] / 2, size[0] / 2), detector.labels[0])
    with pytest.raises(DetectorError, match="NaN"):
        Passes(detector, pixels, size, regions, [target]).evaluate(
            np.ones((2, regions.count), bool)
        )


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_nan_of_one_part_of_a_model_is_an_error_or_changes_nothing(case, loaded):
    detector = loaded(case)
    model = case.model(detector)
    if model is None:
        pytest.skip("no torch module inside")
    size = case.sizes[0]
    batch = contract.batch_of(detector, size)[:1]
    ran = {}
    leaves = {name: part for name, part in model.named_modules() if not list(part.children())}
    handles = [
        part.register_forward_hook(lambda *_, name=name: ran.setdefault(name))
        for name, part in leaves.items()
        if list(part.parameters())
    ]
    expected = detector.detect(batch, size)
    for handle in handles:
        handle.remove()
    # What decides which queries and proposals become candidates, and some of the others.
    # Not the queries and keys of attention: for small sizes, torch's scaled_dot_product_attention
    # takes NaN among them for weights of zero, which nothing behind it can tell.
    names = [name for name in ran if not name.endswith(("q_proj", "k_proj"))]
    deciding = [name for name in names if any(part in name for part in DECIDING)]
    for name in dict.fromkeys([*deciding, *names[:: len(names) // 3 + 1], names[-1]]):
        handle = leaves[name].register_forward_hook(lambda *parts: parts[-1] * np.nan)
        try:
            found = detector.detect(batch, size)
        except DetectorError:
            continue
        finally:
            handle.remove()
        assert torch.equal(found.scores, expected.scores), name
        assert torch.equal(found.boxes, expected.boxes), name


class Trap:
    """Unpickled, it leaves a file behind."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.mark.parametrize("case", WITH_WEIGHTS)
@pytest.mark.parametrize("damage", ["truncated", "garbage", "empty", "pickle", "missing"])
def test_damaged_weights_are_refused(case, damage, saved, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(saved(case), folder)
    (weights,) = folder.glob(case.weights)
    trap = tmp_path / "trapped"
    if damage == "missing":
        weights.unlink()
    else:
        content = weights.read_bytes()
        weights.write_bytes(
            {
                "truncated": content[: len(content) // 2],
                "garbage": b"not a model " * 100,
                "empty": b"",
                "pickle": pickle.dumps({"model": Trap(trap)}, protocol=2),
            }[damage]
        )
    with pytest.raises(InputError) as caught:
        case.load(folder, "cpu")
    assert str(folder) in str(caught.value)
    assert not trap.exists()

"""Relevance through attention, against the equations written out on what the library tells."""

import copy

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

transformers = pytest.importorskip("transformers")

from detectors import load  # noqa: E402
from tests.helpers.contract import live, picture  # noqa: E402
from tests.helpers.patches import PATCHES, question  # noqa: E402
from tests.helpers.small_cnn import cnn_problem  # noqa: E402
from tests.models import tiny_hf_closed_set, tiny_hf_zero_shot  # noqa: E402
from vps.core.asking import candidates  # noqa: E402
from vps.core.boxes import iou  # noqa: E402
from vps.core.targets import Target  # noqa: E402
from vps.engine.budget import Budget  # noqa: E402
from vps.engine.problem import make_problem  # noqa: E402
from vps.errors import InputError  # noqa: E402
from vps.methods.gradient.attention import GenericAttention  # noqa: E402

SIZE = (48, 70)


@pytest.fixture(scope="module", params=["Detr", "ConditionalDetr", "TableTransformer", "Yolos"])
def closed_set(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    tiny_hf_closed_set.write_checkpoint(folder, request.param)
    return load(f"hf-closed-set:{folder}")


@pytest.fixture(scope="module")
def owl(tmp_path_factory):
    folder = tmp_path_factory.mktemp("owl")
    tiny_hf_zero_shot.write_checkpoint(folder, "owlvit")
    return load(f"hf-zero-shot:{folder}", labels=["dog", "cat"])


def problem_of(detector):
    """About two targets near the best candidates; where sides are the same, gradients are split."""
    boxes, scores = live(detector.detect(detector.prepare(picture(SIZE))[None], SIZE))
    inside = boxes.clamp(min=0).minimum(boxes.new_tensor([70, 48, 70, 48]))
    wide = (inside[:, 2:] - inside[:, :2]).amin(dim=1) > 4
    best = (scores.amax(dim=1) * wide).topk(2).indices.tolist()
    near = inside + inside.new_tensor([1.0, 0.7, -0.6, -0.9])
    targets = [
        Target(tuple(near[one].tolist()), detector.labels[int(scores[one].argmax())])
        for one in best
    ]
    return make_problem(detector, picture(SIZE), targets, regions=9)


def attained_by(problem, number):
    """Which candidate attains s."""
    target = problem.targets[number]
    found = candidates(problem.detector, problem.pixels[None], problem.size)
    ious = iou(found.boxes[0], found.boxes.new_tensor([target.box]))[:, 0]
    return int((ious * found.scores[0, :, found.column(target.label)]).argmax())


def told_attention(problem, number):
    """(A, g) of each layer by the library's own outputs, those of the encoder first."""
    detector = copy.deepcopy(problem.detector)
    model = detector.model
    model.requires_grad_(True)
    for part in model.modules():
        if hasattr(part, "config"):
            part.config._attn_implementation = "eager"
    inputs, mask = detector.processor.inputs(problem.pixels[None])
    given = {"pixel_values": inputs.requires_grad_(), "output_attentions": True}
    if model.config.model_type != "yolos":
        given["pixel_mask"] = mask
    output = model(**given)
    column = detector._columns[detector.labels.index(problem.targets[number].label)]
    logits = output.logits[0]
    softmax = logits.shape[-1] == model.config.num_labels + 1
    scores = (logits.softmax(-1) if softmax else logits.sigmoid())[:, column]
    width, height = problem.size[1], problem.size[0]
    x, y, w, h = (output.pred_boxes[0] * torch.tensor([width, height, width, height])).T
    boxes = torch.stack([x - w / 2, y - h / 2, x + w / 2, y + h / 2], dim=1)
    boxes = boxes.clamp(min=0).minimum(boxes.new_tensor([width, height, width, height]))
    overlaps = iou(boxes, boxes.new_tensor([problem.targets[number].box]))[:, 0]
    s = (scores * overlaps).max()
    if model.config.model_type == "yolos":
        layers = list(output.attentions)
    else:
        layers = list(output.encoder_attentions)
        for own, across in zip(output.decoder_attentions, output.cross_attentions, strict=True):
            layers += [own, across]
    gradients = torch.autograd.grad(s, layers)
    return [(a[0].detach().double(), g[0].double()) for a, g in zip(layers, gradients, strict=True)]


def normalised(relevance):
    """Equations 8 and 9, row by row."""
    found = np.eye(len(relevance))
    for row in range(len(relevance)):
        added = relevance[row].copy()
        added[row] -= 1
        if added.sum() > 0:
            found[row] += added / added.sum()
    return found


def written_out(told, encoders, query):
    """Equations 5 to 7 and 10; the row of a query."""
    shared = [(a * g).clamp(min=0).mean(dim=0).numpy() for a, g in told]
    r_ii = np.eye(len(shared[0]))
    for a in shared[:encoders]:
        r_ii = r_ii + a @ r_ii
    if encoders == len(shared):
        return r_ii[query]
    r_qq, r_qi = np.eye(len(shared[encoders])), 0
    for own, across in zip(shared[encoders::2], shared[encoders + 1 :: 2], strict=True):
        before = r_qq
        r_qq = before + own @ before
        r_qi = r_qi + own @ r_qi if np.ndim(r_qi) else 0
        r_qi = r_qi + normalised(r_qq).T @ across @ normalised(r_ii)
    return r_qi[query]


def test_it_is_as_the_paper_has_it_on_what_the_library_tells(closed_set):
    problem = problem_of(closed_set)
    found = GenericAttention().attribute(problem, Budget(), 0)
    assert (found.forward, found.backward) == (1, 2)
    yolos = closed_set.model.config.model_type == "yolos"
    for number in range(2):
        told = told_attention(problem, number)
        query = attained_by(problem, number)
        if yolos:
            query -= closed_set.model.config.num_detection_tokens
        tokens = written_out(told, len(told) if yolos else 1, query)
        with closed_set.attending() as layers:
            values = layers.grid(torch.tensor(tokens)[None, :, None], problem.pixels.shape[1:])
        expected = interpolate(values, problem.pixels.shape[1:], mode="bilinear")[0, 0].numpy()
        assert expected.std() > 0
        np.testing.assert_allclose(found.maps[number], expected, atol=1e-4 * expected.max())


def test_owl_has_one_too(owl):
    problem = problem_of(owl)
    found = GenericAttention().attribute(problem, Budget(), 0)
    assert found.maps.shape == (2, *problem.pixels.shape[1:])
    assert found.maps.min() >= 0
    assert found.maps[0].std() > 0
    # The token that is the candidate stands out: R begins with I.
    with owl.attending() as layers:
        side = layers.grid(torch.zeros(1, 17, 1), problem.pixels.shape[1:]).shape[-2:]
    place = attained_by(problem, 0)
    peak = np.unravel_index(found.maps[0].argmax(), found.maps[0].shape)
    width = found.maps[0].shape[1]
    assert int(peak[1] * side[1] / width) == place % side[1]


def test_the_scores_are_the_same_while_it_tells_and_nothing_is_left(closed_set):
    problem = problem_of(closed_set)
    before = closed_set.detect(problem.pixels[None], SIZE)
    configs = [part.config for part in closed_set.model.modules() if hasattr(part, "config")]
    kept = [(one._attn_implementation, one.output_attentions) for one in configs]
    with closed_set.attending():
        within = closed_set.detect(problem.pixels[None], SIZE)
    with pytest.raises(ZeroDivisionError), closed_set.attending():
        1 / 0  # noqa: B018
    assert [(one._attn_implementation, one.output_attentions) for one in configs] == kept
    assert not any(one.requires_grad for one in closed_set.model.parameters())
    torch.testing.assert_close(within.scores, before.scores, atol=1e-5, rtol=0)
    torch.testing.assert_close(within.boxes, before.boxes, atol=1e-3, rtol=0)


def test_what_is_not_read_stays_dark():
    problem = question()
    found = GenericAttention().attribute(problem, Budget(), 0).maps[0]
    top, bottom, left, right = PATCHES[0]
    dark = np.ones(found.shape, bool)
    dark[top:bottom, left:right] = False
    dark[0, 0] = False  # the token itself
    assert found[top:bottom, left:right].min() > 0
    assert not found[dark].any()


def test_detectors_that_do_not_attend_to_all(tmp_path):
    with pytest.raises(InputError, match="attention of a transformer, and small-cnn names none"):
        GenericAttention().attribute(cnn_problem(), Budget(), 0)
    tiny_hf_closed_set.write_checkpoint(tmp_path, "DeformableDetr")
    problem = problem_of(load(f"hf-closed-set:{tmp_path}"))
    with pytest.raises(InputError, match="DeformableDetrForObjectDetection does not attend to all"):
        GenericAttention().attribute(problem, Budget(), 0)

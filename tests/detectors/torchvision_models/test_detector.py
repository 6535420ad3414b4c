import inspect
import os
from urllib.error import URLError

import numpy as np
import pytest
import torch
from torch import nn
from torchvision import models

from detectors import load
from detectors.torchvision_models.checkpoint import NO_EPSILON, clear_epsilon, is_frozen
from detectors.torchvision_models.detector import TorchvisionDetector, find_columns
from detectors.torchvision_models.heads import ImageCandidates
from tests.helpers.contract import live, picture
from tests.models.tiny_torchvision import LABELS, build
from vps.core.scoring import best_candidates
from vps.errors import DetectorError, InputError

HERE = "torchvision:tests.models.tiny_torchvision"
SMALLEST = "ssdlite320_mobilenet_v3_large"
NAMES = models.list_models(module=models.detection)
KINDS = ("tiny_fasterrcnn", "tiny_retinanet", "tiny_fcos", "tiny_ssd")
COCO = models.detection.FCOS_ResNet50_FPN_Weights.COCO_V1.meta["categories"]


def detector_of(name, **settings):
    return TorchvisionDetector(build(name, 4), LABELS, **settings)


def candidates(detector, size=(48, 64)):
    return detector.detect(detector.prepare(picture(size))[None], size)


@pytest.fixture
def saved(tmp_path):
    """A function that saves something as model.pth and gives the path."""

    def save(content, name="model.pth"):
        torch.save(content, tmp_path / name)
        return tmp_path / name

    return save


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("size", [(48, 64), (130, 44), (13, 11)])
def test_the_model_gets_what_its_own_transform_gives(name, size):
    detector = detector_of(name)
    image = picture(size)
    plain = torch.from_numpy(image).permute(2, 0, 1) / 255
    expected, _ = detector.model.transform([plain])
    seen = []
    handle = detector.model.backbone.register_forward_pre_hook(
        lambda _, inputs: seen.append(inputs[0])
    )
    detector.detect(detector.prepare(image)[None], size)
    handle.remove()
    assert tuple(detector.prepare(image).shape[1:]) == expected.image_sizes[0]
    # SSD's inputs run up to 255.
    assert torch.allclose(seen[0], expected.tensors, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", KINDS)
def test_the_floor_leaves_out_what_is_below_and_nothing_else(name):
    everything = candidates(detector_of(name, floor=0))
    # Between two scores, so that rounding moves none over it.
    ranked = everything.scores.amax(-1).flatten().sort().values
    floor = float(ranked[len(ranked) // 2 - 1 : len(ranked) // 2 + 1].mean())
    boxes, scores = live(candidates(detector_of(name, floor=floor)))
    kept = everything.scores[0].amax(-1) >= floor
    assert 0 < len(boxes) < len(kept)
    # RetinaNet and FCOS compare the floor with all classes, of which one is no label here.
    low = scores.amax(-1) < floor
    assert torch.equal(boxes[~low], everything.boxes[0][kept])
    assert torch.allclose(scores[~low], everything.scores[0][kept], rtol=0, atol=1e-6)
    target = everything.boxes[0, int(everything.scores[0, :, 1].argmin())]
    for column in range(3):
        before, after = (
            best_candidates(candidates(detector_of(name, floor=f)), target, column, "object").score[
                0
            ]
            for f in (0, floor)
        )
        assert before - floor <= after <= before


def test_each_candidate_of_an_rcnn_has_one_label_and_the_box_of_its_class():
    detector = detector_of("tiny_fasterrcnn", floor=0)
    found = candidates(detector)
    assert ((found.scores > 0).sum(-1) == 1).all()
    boxes = found.boxes[0].reshape(-1, 3, 4)
    assert not torch.allclose(boxes[:, 0], boxes[:, 1], atol=1)


def test_an_rcnn_without_proposals_has_no_candidates():
    detector = detector_of("tiny_fasterrcnn")
    detector.model.rpn.score_thresh = 1.0
    found = candidates(detector)
    assert found.scores.shape == (1, 0, 3)


def test_masks_are_not_computed():
    detector = detector_of("tiny_maskrcnn")
    detector.model.roi_heads.mask_head = None
    assert candidates(detector).scores.max() > 0


def test_images_with_fewer_candidates_are_padded():
    image = torch.tensor([0, 2, 2])
    boxes = torch.arange(12.0).reshape(3, 4)
    scores = torch.tensor([[0.1], [0.2], [0.3]])
    padded, rates = ImageCandidates(image, boxes, scores).padded(3)
    assert padded.tolist() == [
        [boxes[0].tolist(), [0] * 4],
        [[0] * 4, [0] * 4],
        boxes[1:].tolist(),
    ]
    assert torch.equal(rates[..., 0], torch.tensor([[0.1, 0], [0, 0], [0.2, 0.3]]))


@pytest.mark.parametrize("name", KINDS)
def test_half_precision_is_close_and_keeps_boxes_exact(name):
    full, half = (
        candidates(detector_of(name, floor=0, dtype=dtype))
        for dtype in (torch.float32, torch.bfloat16)
    )
    assert half.boxes.dtype == half.scores.dtype == torch.float32
    if name == "tiny_fasterrcnn":  # Other proposals may survive.
        assert abs(full.scores.max() - half.scores.max()) < 0.05
    else:
        assert (full.scores - half.scores).abs().max() < 0.05
        assert (full.boxes - half.boxes).abs().max() < 3


@pytest.mark.parametrize("name", NAMES)
def test_published_labels(name):
    for weights in models.get_model_weights(name):
        categories = weights.meta["categories"]
        columns = find_columns(categories, len(categories), background=True)
        assert len(columns) == (1 if "keypoint" in name else 80)
        assert all(categories[column] == label for label, column in columns.items())
        assert columns["person"] == 1


@pytest.mark.parametrize(
    ("labels", "classes", "background", "expected"),
    [
        (("cat", "dog"), 3, True, {"cat": 1, "dog": 2}),
        (("background", "cat", "dog"), 3, True, {"cat": 1, "dog": 2}),
        (("cat", "dog"), 3, False, {"cat": 1, "dog": 2}),
        # What is learned by sigmoids may do without a background.
        (("cat", "dog"), 2, False, {"cat": 0, "dog": 1}),
        (("cat", "N/A", "N/A", "dog"), 5, True, {"cat": 1, "dog": 4}),
    ],
)
def test_labels_and_classes(labels, classes, background, expected):
    assert find_columns(labels, classes, background) == expected


@pytest.mark.parametrize(
    ("labels", "classes", "background", "message"),
    [
        (("cat", "dog"), 2, True, "scores 2 classes.*give 1 labels, not 2"),
        (("cat",), 4, False, "give 3 or 4 labels, not 1"),
        (("cat", "cat"), 3, True, "different names"),
        ("ab", 3, True, "give 2 labels, not 1"),
        (("N/A",), 2, True, "at least one"),
    ],
)
def test_labels_that_do_not_fit(labels, classes, background, message):
    with pytest.raises(InputError, match=message):
        find_columns(labels, classes, background)


@pytest.mark.parametrize("name", [*KINDS, SMALLEST])
def test_classes_are_counted_by_the_weights(name, saved):
    weights = saved(build(name, 6).state_dict())
    source = f"torchvision:{name}" if name == SMALLEST else f"{HERE}:{name}"
    assert load(source, weights=weights, labels=[*"abcde"]).labels == tuple("abcde")
    with pytest.raises(InputError, match="6 classes"):
        load(source, weights=weights, labels=[*"abc"])
    with pytest.raises(InputError, match="6 classes; give the labels"):
        load(source, weights=weights)


def test_a_file_may_be_safetensors_wrapped_or_of_a_parallel_model(saved, tmp_path):
    safetensors = pytest.importorskip("safetensors.torch")
    model = build("tiny_fcos", 4)
    safetensors.save_file(model.state_dict(), tmp_path / "model.safetensors")
    files = [
        tmp_path / "model.safetensors",
        saved(model.state_dict()),
        saved({"model": model.state_dict(), "epoch": 3}, "wrapped.pth"),
        saved(nn.DataParallel(model).state_dict(), "parallel.pth"),
    ]
    first, *others = (
        candidates(load(f"{HERE}:tiny_fcos", weights=file, labels=LABELS)) for file in files
    )
    for found in others:
        assert torch.equal(found.scores, first.scores)
        assert torch.equal(found.boxes, first.boxes)


def test_published_weights_come_from_the_cache_of_torch(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    published = models.get_model_weights(SMALLEST).DEFAULT
    file = tmp_path / "checkpoints" / os.path.basename(published.url)
    file.parent.mkdir()
    torch.save(build(SMALLEST, 91).state_dict(), file)
    detectors = [
        load(f"torchvision:{SMALLEST}"),
        load(f"torchvision:{SMALLEST}", weights="COCO_V1"),
        # The same file by its path has the same classes.
        load(f"torchvision:{SMALLEST}", weights=file),
    ]
    first, *others = (candidates(detector) for detector in detectors)
    assert first.labels == tuple(name for name in COCO[1:] if name != "N/A")
    assert all(torch.equal(found.scores, first.scores) for found in others)
    with pytest.raises(InputError, match="brings its own labels"):
        load(f"torchvision:{SMALLEST}", labels=["cat"])
    file.write_bytes(b"not weights")
    with pytest.raises(InputError, match="cannot be fetched"):
        load(f"torchvision:{SMALLEST}")


def test_published_weights_without_a_network(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise URLError("no network")

    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    monkeypatch.setattr(torch.hub, "urlopen", refuse)
    with pytest.raises(InputError, match="cannot be fetched: .*no network.*the file as weights"):
        load(f"torchvision:{SMALLEST}")


def test_sizes_other_than_the_builders(saved):
    weights = saved(build("tiny_fcos", 4).state_dict())
    image = np.zeros((40, 80, 3), np.uint8)
    for settings, expected in (
        ({}, (48, 96)),
        ({"min_size": 32}, (32, 64)),
        ({"max_size": 160}, (64, 128)),
        ({"min_size": 100, "max_size": 120}, (60, 120)),
    ):
        detector = load(f"{HERE}:tiny_fcos", weights=weights, labels=LABELS, **settings)
        assert tuple(detector.prepare(image).shape[1:]) == expected


def test_frozen_batch_norms_are_told_by_what_they_lack():
    model = build("tiny_fcos", 4)
    assert is_frozen(model.state_dict())
    model.backbone.body = nn.Sequential(nn.BatchNorm2d(2)).eval()
    assert not is_frozen(model.state_dict())
    clear_epsilon(model.backbone)
    values = torch.randn(1, 2, 3, 3)
    model.backbone.body[0].running_var.fill_(1e-6)
    assert torch.allclose(model.backbone.body(values), values * 1e3)


def test_epsilons_are_those_of_the_library():
    """The builders that end with overwrite_eps(model, 0.0)."""
    sources = {name: inspect.getsource(models.get_model_builder(name)) for name in NAMES}
    with_call = {name for name in NAMES if "overwrite_eps(model, 0.0)" in sources[name]}
    assert set(NO_EPSILON) == with_call


@pytest.mark.parametrize(
    ("source", "settings", "message"),
    [
        ("fasterrcnn_resnet50", {}, "did you mean 'fasterrcnn_resnet50_fpn'"),
        ("resnet50", {}, "unknown model of torchvision 'resnet50'"),
        (
            SMALLEST,
            {"weights": "nowhere.pth"},
            "no weights nowhere.pth.* published weights: COCO_V1",
        ),
        ("nowhere:build", {"weights": "a.pth"}, "nowhere:build is no function.*No module"),
        ("os:path_", {"weights": "a.pth"}, "is no function"),
        (SMALLEST, {"dtype": "float8"}, "unknown dtype"),
        (SMALLEST, {"device": "cuda:77"}, "cuda:77"),
        (SMALLEST, {"weigths": "a.pth"}, "did you mean 'weights'"),
    ],
)
def test_what_cannot_be_loaded(source, settings, message):
    with pytest.raises(InputError, match=message):
        load(f"torchvision:{source}", **settings)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"weight": torch.zeros(3)}, "is of none of the detectors of torchvision"),
        ([torch.zeros(3)], "hold no state dict"),
        ({"model": {"epoch": 3}}, "hold no state dict"),
    ],
)
def test_files_that_are_no_weights(content, message, saved):
    with pytest.raises(InputError, match=message):
        load(f"{HERE}:tiny_fcos", weights=saved(content), labels=LABELS)


def test_weights_of_another_model(saved):
    weights = saved(build("tiny_retinanet", 4).state_dict())
    with pytest.raises(InputError, match=r"model.pth does not fit .*tiny_fcos: .*Missing key"):
        load(f"{HERE}:tiny_fcos", weights=weights, labels=LABELS)


def test_settings_that_do_not_fit(saved):
    weights = saved(build("tiny_ssd", 4).state_dict())
    for settings, message in (
        ({"min_size": 100}, r"SSD resizes every image to \(64, 64\)"),
        ({"floor": 1.0}, "floor must be"),
    ):
        with pytest.raises(InputError, match=message):
            load(f"{HERE}:tiny_ssd", weights=weights, labels=LABELS, **settings)
    weights = saved(build("tiny_fcos", 4).state_dict())
    with pytest.raises(InputError, match="1 or more"):
        load(f"{HERE}:tiny_fcos", weights=weights, labels=LABELS, max_size=0)


def test_models_that_cannot_be_explained():
    with pytest.raises(InputError, match="training mode"):
        TorchvisionDetector(build("tiny_fcos", 4).train(), LABELS)
    with pytest.raises(InputError, match="a Linear is none of the detectors"):
        TorchvisionDetector(nn.Linear(2, 2).eval(), LABELS)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("floor", [0, 0.001])
def test_nan_is_an_error_and_never_dropped(name, floor):
    detector = detector_of(name, floor=floor)
    for value in detector.model.parameters():
        value.data.fill_(float("nan"))
    with pytest.raises(DetectorError, match="NaN"):
        candidates(detector)


@pytest.mark.parametrize("part", ["rpn.head", "roi_heads.box_predictor"])
def test_nan_of_one_part_of_an_rcnn_is_an_error_and_leaves_no_hook(part):
    detector = detector_of("tiny_fasterrcnn")
    module = detector.model.get_submodule(part)
    for value in module.parameters():
        value.data.fill_(float("nan"))
    with pytest.raises(DetectorError, match="NaN"):
        candidates(detector)
    assert not detector.model.rpn.head._forward_hooks

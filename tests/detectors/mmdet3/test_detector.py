"""The adapter of mmdet beyond the contract; the models are those of tiny_mmdet."""

import copy
import importlib.util
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from detectors import load
from tests.helpers import contract
from tests.helpers.contract import live, picture
from tests.models import tiny_mmdet
from tests.models.tiny_mmdet import LABELS
from tests.models.zoo import Reduction
from vps.core.boxes import cxcywh_to_xyxy
from vps.errors import InputError

pytestmark = [
    pytest.mark.mmdet,
    pytest.mark.skipif(importlib.util.find_spec("mmdet") is None, reason="needs mmdet"),
]
SIZE = (48, 64)
CLASSES = {"dataset_meta": {"classes": LABELS}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A function that gives the folder of a saved model, written once."""
    folders = {}

    def save(name):
        if name not in folders:
            folders[name] = tmp_path_factory.mktemp(name)
            tiny_mmdet.save(folders[name], name)
        return folders[name]

    return save


@pytest.fixture
def detector(folder):
    def load_one(name, **options):
        return tiny_mmdet.load_model(folder(name), "cpu", **options)

    return load_one


def everything(detector, size=SIZE):
    return detector.detect(detector.prepare(picture(size))[None], size)


def candidates(detector, size=SIZE):
    found = everything(detector, size)
    return found.boxes[0], found.scores[0]


def raw(detector, size=SIZE):
    """What the head gives before its post-processing, and the meta information of the image."""
    frame = detector._pipeline.frame(tuple(detector.prepare(picture(size)).shape[1:]))
    inputs = list(frame.place(detector.prepare(picture(size))[None]))
    data = detector.model.data_preprocessor({"inputs": inputs, "data_samples": frame.samples(1)})
    with torch.no_grad():
        return detector.model(**data, mode="tensor"), data["data_samples"][0].metainfo


def flat(levels, width):
    """Maps (1, places * width, h, w) of all levels as (n, width)."""
    return torch.cat([level[0].permute(1, 2, 0).reshape(-1, width) for level in levels])


def write(folder, settings, meta=CLASSES):
    tiny_mmdet.write(folder, settings, meta)
    return folder


def retinanet():
    return tiny_mmdet.settings_of(*tiny_mmdet.MODELS["retinanet"])


def change_checkpoint(folder, target, change):
    """Copy config and checkpoint; `change` makes of what this holds what is saved."""
    (target / "config.py").write_text((folder / "config.py").read_text())
    content = torch.load(folder / "model.pth", weights_only=True)
    torch.save(change(content), target / "model.pth")
    return target


# What the model sees.


@pytest.mark.parametrize("name", ["faster-rcnn", "fcos", "ssdlite", "rtmdet", "yolox"])
@pytest.mark.parametrize("size", [(48, 64), (130, 44), (13, 11)])
def test_the_model_gets_what_its_own_pipeline_gives(name, size, detector):
    from mmcv.transforms import Compose

    image = picture(size)
    detector = detector(name)
    settings = tiny_mmdet.settings_of(*tiny_mmdet.MODELS[name])
    steps = list(settings.test_dataloader.dataset.pipeline)
    steps[0] = {"type": "LoadImageFromNDArray"}
    with tiny_mmdet.mmdet_scope():
        packed = Compose(steps)({"img": image[..., ::-1], "img_id": 0, "img_path": ""})
    packed = {key: [value] for key, value in packed.items()}
    expected = detector.model.data_preprocessor(packed)
    seen = []
    handle = detector.model.backbone.register_forward_pre_hook(
        lambda _, inputs: seen.append(inputs[0])
    )
    detector.detect(detector.prepare(image)[None], size)
    handle.remove()
    assert torch.allclose(seen[0], expected["inputs"], atol=1e-4)
    frame = detector._pipeline.frame(tuple(detector.prepare(image).shape[1:]))
    assert frame.meta["img_shape"] == expected["data_samples"][0].img_shape


NORMALIZE = {"type": "Normalize", "mean": [100.0] * 3, "std": [50.0] * 3}
MIRROR = {"type": "Pad", "size_divisor": 32, "padding_mode": "reflect"}
AUGMENT = {"type": "TestTimeAug", "transforms": [[{"type": "Resize", "scale": (64, 64)}]]}


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        ([NORMALIZE], "changes colours"),
        ([{"type": "Pad", "size_divisor": 32}, NORMALIZE], "more than pad"),
        ([MIRROR], "more than pad"),
        ([AUGMENT], "one image"),
    ],
)
def test_a_pipeline_that_does_more_than_resize_and_pad_is_refused(steps, reason):
    from mmdet.registry import TRANSFORMS

    steps = [{"type": "LoadImageFromFile"}, *steps, {"type": "PackDetInputs"}]
    with tiny_mmdet.mmdet_scope():
        built = [TRANSFORMS.build(step) for step in steps]
    with pytest.raises(InputError, match=reason):
        pipeline_of(built)
    with pytest.raises(InputError, match="no step that packs"):
        pipeline_of(built[:1])


def pipeline_of(steps):
    from detectors.mmdet3.pipeline import Pipeline

    return Pipeline(steps)


def test_images_are_resized_in_floats_where_the_pipeline_loads_them_so(folder, tmp_path):
    config = (folder("retinanet") / "config.py").read_text()
    exact = "{'type': 'LoadImageFromFile', 'to_float32': True, "
    (tmp_path / "config.py").write_text(config.replace("{'type': 'LoadImageFromFile', ", exact))
    options = {"weights": folder("retinanet") / "model.pth"}
    floats = load(f"mmdet:{tmp_path / 'config.py'}", **options).prepare(picture(SIZE)) * 255
    plain = load(f"mmdet:{folder('retinanet') / 'config.py'}", **options).prepare(picture(SIZE))
    assert not torch.allclose(floats, floats.round(), atol=1e-3)
    assert torch.allclose(plain * 255, floats, atol=1.5)


# All candidates with all scores, computed anew from what the head gives.


def test_retinanet_gives_all_anchors(detector):
    detector = detector("retinanet")
    (classes, deltas), meta = raw(detector)
    head = detector.model.bbox_head
    grids = [level.shape[-2:] for level in classes]
    anchors = head.prior_generator.grid_priors(grids, device="cpu")
    expected = head.bbox_coder.decode(torch.cat(anchors), flat(deltas, 4), meta["img_shape"])
    boxes, scores = candidates(detector)
    whole = (expected[:, 2:] > expected[:, :2]).all(1, keepdim=True)
    assert torch.allclose(scores, flat(classes, 3).sigmoid() * whole, atol=1e-6)
    assert torch.allclose(boxes, expected * (64 / 96), atol=1e-3)


def test_fcos_multiplies_with_centreness(detector):
    detector = detector("fcos")
    (classes, _, centres), _ = raw(detector)
    scores = candidates(detector)[1]
    expected = flat(classes, 3).sigmoid() * flat(centres, 1).sigmoid()
    assert torch.allclose(scores, expected * (scores.amax(1, keepdim=True) > 0), atol=1e-6)


def test_yolov3_multiplies_with_objectness(detector):
    detector = detector("yolov3")
    (levels,), _ = raw(detector)
    maps = flat(levels, 8).sigmoid()
    assert torch.allclose(candidates(detector)[1], maps[:, 5:] * maps[:, 4:5], atol=1e-6)


def test_yolox_gives_all_labels_and_not_only_the_best(detector):
    detector = detector("yolox")
    (classes, _, objects), _ = raw(detector)
    expected = flat(classes, 3).sigmoid() * flat(objects, 1).sigmoid()
    assert torch.allclose(candidates(detector)[1], expected, atol=1e-6)


def test_detr_gives_all_queries_in_order_with_all_labels(detector):
    detector = detector("detr")
    (classes, boxes), _ = raw(detector)
    found, scores = candidates(detector)
    assert torch.allclose(scores, classes[-1, 0].softmax(-1)[:, :-1], atol=1e-6)
    size = torch.tensor([64.0, 48.0, 64.0, 48.0])
    expected = (cxcywh_to_xyxy(boxes[-1, 0]).clamp(0, 1) * size).clamp(min=0)
    assert torch.allclose(found, expected, atol=1e-3)


def test_an_rcnn_gives_each_proposal_with_each_label_in_a_row(detector):
    boxes, scores = candidates(detector("faster-rcnn"))
    assert len(scores) % len(LABELS) == 0
    table = scores.reshape(-1, len(LABELS), len(LABELS))
    assert torch.equal(table, torch.diag_embed(table.diagonal(dim1=1, dim2=2)))
    # Softmax; the rest is the background's.
    assert (table.sum((1, 2)) < 1).all()
    assert len(boxes.unique(dim=0)) > len(boxes) / 2


def test_a_cascade_has_one_box_for_all_labels(detector):
    scores = candidates(detector("cascade-rcnn"))[1]
    assert (scores > 0).all()


NORM = {"norm_cfg": {"type": "GN", "num_groups": 4}}
PLAIN = {
    "backbone": tiny_mmdet.RESNET,
    "neck": tiny_mmdet.FPN,
    "bbox_head": {**tiny_mmdet.DENSE, **NORM},
    "test_cfg": tiny_mmdet.DENSE_TEST,
}


@pytest.mark.parametrize(
    ("path", "changes"),
    [
        ("gfl/gfl_r50_fpn_1x_coco", PLAIN),
        ("tood/tood_r50_fpn_1x_coco", PLAIN),
        ("vfnet/vfnet_r50_fpn_1x_coco", PLAIN),
        # Boxes that are averaged after the NMS could not be compared.
        (
            "paa/paa_r50_fpn_1x_coco",
            {**PLAIN, "bbox_head": {**PLAIN["bbox_head"], "score_voting": False}},
        ),
        ("fsaf/fsaf_r50_fpn_1x_coco", {**PLAIN, "bbox_head": tiny_mmdet.DENSE}),
    ],
    ids=lambda value: value.split("/")[0] if isinstance(value, str) else "",
)
def test_other_heads_agree_with_their_own_inference(path, changes, tmp_path):
    write(tmp_path, tiny_mmdet.settings_of(path, changes))
    detector = tiny_mmdet.load_model(tmp_path, "cpu")
    image = picture(SIZE, seed=1)
    found = detector.detect(detector.prepare(image)[None], SIZE)
    ours = contract.reduce(found, Reduction(nms_iou=0.5, multi_label=True, top=tiny_mmdet.TOP))
    contract.assert_same_detections(ours, tiny_mmdet.own_detections(tmp_path, image), SIZE, 1e-4)


def test_score_voting_changes_no_candidate(tmp_path):
    write(tmp_path, tiny_mmdet.settings_of("paa/paa_r50_fpn_1x_coco", PLAIN))
    detector = tiny_mmdet.load_model(tmp_path, "cpu")
    assert detector.model.bbox_head.with_score_voting
    (classes, _, ious), _ = raw(detector)
    expected = (flat(classes, 3).sigmoid() * flat(ious, 1).sigmoid()).sqrt()
    scores = candidates(detector)[1]
    assert torch.allclose(scores, expected * (scores.amax(1, keepdim=True) > 0), atol=1e-6)
    assert detector.model.bbox_head.with_score_voting


@pytest.mark.parametrize("name", ["retinanet", "faster-rcnn", "cascade-rcnn", "dino"])
def test_the_floor_leaves_out_what_is_below_and_nothing_else(name, detector):
    boxes, scores = live(everything(detector(name)))
    floor = float(scores.amax(1).median())
    kept = scores.amax(1) >= floor
    assert 0 < kept.sum() < len(kept)
    found = live(everything(detector(name, floor=floor)))
    assert torch.equal(found[0], boxes[kept])
    assert torch.equal(found[1], scores[kept])


def test_an_image_without_any_proposal_has_no_candidates(detector):
    detector = detector("faster-rcnn")
    assert detector.model.rpn_head.test_cfg.max_per_img == 1000
    detector.model.rpn_head.test_cfg.max_per_img = 0
    boxes, scores = candidates(detector)
    assert boxes.shape == (0, 4)
    assert scores.shape == (0, 3)


def test_numbers_that_are_none_are_no_candidates_left_out(detector):
    from vps.errors import DetectorError

    detector = detector("retinanet")
    with torch.no_grad():
        detector.model.bbox_head.retina_cls.bias[0] = torch.nan
    with pytest.raises(DetectorError, match="NaN"):
        candidates(detector)


def test_a_head_that_drops_candidates_in_its_own_way_is_refused(detector):
    detector = detector("retinanet")
    head = detector.model.bbox_head
    post_process = head.predict_by_feat
    head.predict_by_feat = lambda *args, **kwargs: [
        found[: len(found) // 2] for found in post_process(*args, **kwargs)
    ]
    with pytest.raises(InputError, match="RetinaHead of RetinaNet drops candidates"):
        candidates(detector)


def test_an_image_with_fewer_places_than_queries(detector):
    detector = detector("dino")
    with pytest.raises(InputError, match="8 x 8 pixels .* too small for DINO"):
        detector.detect(torch.zeros(1, 3, 8, 8), (8, 8))


def test_threads_do_not_disturb_each_other(detector):
    detector = detector("retinanet")
    batches = [detector.prepare(picture(SIZE, seed))[None] for seed in range(4)]
    alone = [detector.detect(batch, SIZE) for batch in batches]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda batch: detector.detect(batch, SIZE), batches))
    for first, second in zip(alone, together, strict=True):
        assert torch.equal(first.scores, second.scores)


# What can be loaded.


def test_loading_leaves_the_process_as_it_was(folder):
    from mmengine.registry import DefaultScope

    before = DefaultScope.get_current_instance()
    allowed = set(torch.serialization.get_safe_globals())
    tiny_mmdet.load_model(folder("retinanet"), "cpu")
    assert DefaultScope.get_current_instance() is before
    assert set(torch.serialization.get_safe_globals()) == allowed


def test_no_weights_to_begin_with_are_fetched(folder, tmp_path):
    config = (folder("retinanet") / "config.py").read_text()
    assert "'init_cfg': {'type': 'Pretrained', 'checkpoint': 'torchvision" in config
    from detectors.mmdet3.checkpoint import read_mmdet_config

    settings = read_mmdet_config(folder("retinanet") / "config.py")
    assert settings.model.backbone.init_cfg is None


def history(content):
    """What mmengine saves beside the weights during a training."""
    from mmengine.config import ConfigDict
    from mmengine.logging import MessageHub

    hub = MessageHub("test of the adapter")
    hub.update_scalar("train/loss", 0.5)
    hub.update_info("best_score", np.float64(0.3))
    hub.update_info("settings", ConfigDict(a=ConfigDict(b=1)))
    return {**content, "message_hub": hub.state_dict(), "optimizer": {"state": {}}}


def test_a_checkpoint_of_a_training_is_read(folder, tmp_path):
    source = folder("retinanet")
    plain = candidates(tiny_mmdet.load_model(source, "cpu"))
    target = change_checkpoint(source, tmp_path, history)
    assert torch.equal(candidates(tiny_mmdet.load_model(target, "cpu"))[1], plain[1])


class Planted:
    """Unpickled, it would call a function with what it likes."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def test_a_checkpoint_with_a_call_in_it_is_refused(folder, tmp_path):
    trap = tmp_path / "trapped"
    target = change_checkpoint(
        folder("retinanet"), tmp_path, lambda content: {**content, "x": Planted(open, trap, "w")}
    )
    with pytest.raises(InputError, match="could run code"):
        tiny_mmdet.load_model(target, "cpu")
    assert not trap.exists()


def test_what_is_beside_the_weights_is_not_called(folder, tmp_path):
    # The history of a training names `getattr`, which would fail here.
    stolen = Planted(getattr, OrderedDict, "no such thing")
    target = change_checkpoint(
        folder("retinanet"), tmp_path, lambda content: {**content, "x": stolen}
    )
    tiny_mmdet.load_model(target, "cpu")


def test_other_forms_of_weights(folder, tmp_path):
    plain = candidates(tiny_mmdet.load_model(folder("retinanet"), "cpu"))[1]

    def parallel(content):
        return OrderedDict((f"module.{key}", value) for key, value in content["state_dict"].items())

    target = change_checkpoint(folder("retinanet"), tmp_path, parallel)
    with pytest.raises(InputError, match=r"names the classes .*give the 3 in order"):
        tiny_mmdet.load_model(target, "cpu")
    detector = tiny_mmdet.load_model(target, "cpu", labels=("a", "b", "c"))
    assert detector.labels == ("a", "b", "c")
    assert torch.equal(candidates(detector)[1], plain)
    old = change_checkpoint(
        folder("retinanet"), tmp_path, lambda content: {**content, "meta": {"CLASSES": LABELS}}
    )
    assert tiny_mmdet.load_model(old, "cpu").labels == LABELS


def test_means_in_a_checkpoint_do_not_matter(folder, tmp_path):
    target = change_checkpoint(folder("retinanet"), tmp_path, add("data_preprocessor.mean"))
    found = candidates(tiny_mmdet.load_model(target, "cpu"))[1]
    assert torch.equal(found, candidates(tiny_mmdet.load_model(folder("retinanet"), "cpu"))[1])


def labels_of(**known):
    from detectors.mmdet3.checkpoint import find_labels

    settings = known.pop("settings", {})
    return find_labels(
        known.get("given"), known.get("meta", {}), settings, known.get("count", 3), "x.py with y"
    )


def test_where_labels_come_from():
    names, others = ("a", "b", "c"), ("d", "e", "f")
    data = {"type": "CocoDataset", "metainfo": {"classes": others}}
    settings = {"test_dataloader": {"dataset": data}}
    meta = {"dataset_meta": {"CLASSES": list(names)}}
    assert labels_of(meta=meta, settings=settings) == names
    assert labels_of(settings=settings) == others
    assert labels_of(settings=settings, given=["x", "y", "z"]) == ("x", "y", "z")
    assert labels_of(meta={"dataset_meta": {"classes": "person"}}, count=1) == ("person",)
    del data["metainfo"]
    assert labels_of(settings=settings, count=80)[:2] == ("person", "bicycle")
    with pytest.raises(InputError, match="neither the checkpoint nor the config"):
        labels_of(settings=settings)


@pytest.mark.parametrize(
    ("known", "message"),
    [
        ({"given": ["a"]}, "3 classes, but there are 1 different names given as labels"),
        ({"given": ["a", "a", "b"]}, "2 different names"),
        ({"meta": {"CLASSES": ["a"] * 80}}, "1 different names in the checkpoint"),
    ],
)
def test_labels_that_do_not_fit(known, message):
    with pytest.raises(InputError, match=message):
        labels_of(**known)


def add(key):
    return lambda content: {
        **content,
        "state_dict": {**content["state_dict"], key: torch.zeros(3, 1, 1)},
    }


def drop(key):
    return lambda content: {
        **content,
        "state_dict": {k: v for k, v in content["state_dict"].items() if key not in k},
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (drop("retina_cls.bias"), "lacks 1 weights: bbox_head.retina_cls.bias"),
        (
            lambda content: {
                **content,
                "state_dict": {**content["state_dict"], "x": torch.ones(1)},
            },
            "it has, too, 1 weights: x",
        ),
        (lambda _: {"state_dict": {"epoch": 3}}, "no state dict"),
        (lambda _: [torch.ones(1)], "no state dict"),
    ],
)
def test_a_checkpoint_that_does_not_fit(change, message, folder, tmp_path):
    target = change_checkpoint(folder("retinanet"), tmp_path, change)
    with pytest.raises(InputError, match=message):
        tiny_mmdet.load_model(target, "cpu")


def test_a_checkpoint_of_another_model(folder):
    for first, second, reason in (
        ("retinanet", "fcos", "size mismatch"),
        ("retinanet", "ssdlite", "lacks"),
        ("faster-rcnn", "mask-rcnn", "has, too,"),
    ):
        with pytest.raises(InputError, match=f"does not fit config .*{reason}"):
            load(f"mmdet:{folder(first) / 'config.py'}", weights=folder(second) / "model.pth")


def test_a_checkpoint_of_other_classes(folder, tmp_path):
    config = (folder("retinanet") / "config.py").read_text()
    (tmp_path / "config.py").write_text(config.replace("'num_classes': 3", "'num_classes': 7"))
    with pytest.raises(InputError, match="scores 7 classes, but there are 3"):
        load(f"mmdet:{tmp_path / 'config.py'}", weights=folder("retinanet") / "model.pth")
    with pytest.raises(InputError, match="size mismatch for bbox_head.retina_cls"):
        load(
            f"mmdet:{tmp_path / 'config.py'}",
            weights=folder("retinanet") / "model.pth",
            labels=list("abcdefg"),
        )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "no config"),
        ("model = (", "cannot be run"),
        ("raise SystemError('broken')", "cannot be run: .*broken"),
        ("_base_ = 'nowhere.py'", "cannot be run"),
        ("model = dict(type='GLIP', language_model=dict())", "asked in words"),
        ("lr = 1", "no `model` with a `type`"),
        ("model = dict(type='NoSuchDetector')", "the model cannot be built with mmdet 3.*NoSuch"),
        ("model = dict(type='RetinaNet')", "the model cannot be built"),
        ("model = dict(type='DetDataPreprocessor')", "no head that gives boxes"),
    ],
)
def test_a_config_that_is_none(text, message, folder, tmp_path):
    path = tmp_path / "config.py"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=message):
        load(f"mmdet:{path}", weights=folder("retinanet") / "model.pth")


def test_a_config_that_imports_what_it_names(folder, tmp_path):
    source = folder("retinanet")
    text = (source / "config.py").read_text()
    for name, module in (("RetinaNet", "mmdet.models"), ("CocoDataset", "mmdet.datasets")):
        text = text.replace(f"'type': '{name}'", f"'type': {name}")
        text = f"from {module} import {name}\n{text}"
    (tmp_path / "config.py").write_text(text)
    options = {"weights": source / "model.pth", "floor": 0}
    found = candidates(load(f"mmdet:{tmp_path / 'config.py'}", **options))[1]
    assert torch.equal(found, candidates(tiny_mmdet.load_model(source, "cpu"))[1])


def test_a_config_without_a_test_pipeline(folder, tmp_path):
    lines = (folder("retinanet") / "config.py").read_text().splitlines()
    (tmp_path / "config.py").write_text("\n".join(lines[:-1]))
    with pytest.raises(InputError, match="the test pipeline cannot be built"):
        load(f"mmdet:{tmp_path / 'config.py'}", weights=folder("retinanet") / "model.pth")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weights": None}, "needs a config and a checkpoint"),
        ({"dtype": "float16"}, "float32 here, not in float16"),
        ({"device": "tpu"}, "unknown device|not supported"),
        ({"floor": 1}, "floor must be"),
        ({"weight": "x.pth"}, "did you mean 'weights'"),
    ],
)
def test_options_that_cannot_be_used(options, message, folder):
    with pytest.raises(InputError, match=message):
        tiny_mmdet.load_model(folder("retinanet"), **{"device": "cpu", **options})


def test_a_model_is_checked_when_it_is_given(detector):
    from detectors.mmdet3.detector import MMDetDetector

    good = detector("retinanet")
    with pytest.raises(InputError, match="as many different labels"):
        MMDetDetector(good.model, LABELS[:2], good._pipeline)
    model = copy.copy(good.model)
    model.training = True
    with pytest.raises(InputError, match="training mode"):
        MMDetDetector(model, LABELS, good._pipeline)


class Stub(nn.Module):
    """A module with some attributes."""

    def __init__(self, **attributes):
        super().__init__()
        for name, value in attributes.items():
            setattr(self, name, value)


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"language_model": 1}, "asked in words"),
        ({"with_roi_head": True, "with_rpn": False}, "wants proposals"),
        ({"mask_head": 1}, "no head that gives boxes"),
    ],
)
def test_models_that_are_refused(attributes, message):
    from detectors.mmdet3.candidates import find_mmdet_head

    with pytest.raises(InputError, match=message):
        find_mmdet_head(Stub(**attributes))


@pytest.mark.parametrize("base", ["CenterNetHead", "CentripetalHead", "YOLACTHead"])
def test_heads_that_are_refused(base):
    from mmdet.models import dense_heads

    from detectors.mmdet3.candidates import find_mmdet_head

    head = object.__new__(type("MyHead", (getattr(dense_heads, base),), {"num_classes": 3}))
    nn.Module.__init__(head)
    with pytest.raises(InputError, match="the MyHead of Stub .* no list of all candidates"):
        find_mmdet_head(Stub(bbox_head=head))


def test_tensors_are_filtered_as_ever_outside():
    from detectors.mmdet3.candidates import _Unfiltered

    values = torch.tensor([1.0, 3.0, 2.0])
    table: Tensor = torch.tensor([[1.0, 2.0], [4.0, 3.0]])
    with _Unfiltered(2) as seen:
        assert values.sort(descending=True)[0].tolist() == [1, 3, 2]
        assert torch.topk(values, 1)[1].tolist() == [0, 1, 2]
        assert (table > -torch.inf).tolist() == [[False, True], [True, False]]
        assert table.max(1)[0].tolist() == [2, 4]
        # All else is as ever.
        assert (table > 2).tolist() == [[False, False], [True, True]]
        assert table.max(0)[0].tolist() == [4, 3]
        assert torch.max(table, table.T).tolist() == [[1, 4], [4, 3]]
        assert table.sort(dim=1)[0].tolist() == [[1, 2], [3, 4]]
    assert len(seen.scores) == 2
    assert values.sort(descending=True)[0].tolist() == [3, 2, 1]
    assert (table > -torch.inf).all()

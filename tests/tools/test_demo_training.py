import dataclasses

import numpy as np
import pytest
import torch

from vps.data.scenes.layouts import CATEGORIES, WITHOUT_CAUSE
from vps.data.scenes.scenes import make_scene

transformers = pytest.importorskip("transformers")
pytest.importorskip("pycocotools")

from tools.demo_training import backbone, batches, losses, model, pool  # noqa: E402


@pytest.fixture(scope="module")
def buckets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pool")
    pool.build_pool(folder, seed=11, start=0, stop=24, workers=1)
    return pool.read_pool(folder)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return model.build_tokenizer(tmp_path_factory.mktemp("tokenizer"))


def draw(buckets, tokenizer, seed=0, size=4):
    rng = np.random.default_rng(seed)
    return batches.draw_batch(buckets, size, batches.Prompts(tokenizer), rng, rng.random())


def test_the_vocabulary_keeps_the_ids_that_transformers_fixes(tokenizer):
    fixed = {"[PAD]": 0, "[UNK]": 100, "[CLS]": 101, "[SEP]": 102, ".": 1012, "?": 1029}
    assert {piece: tokenizer.convert_tokens_to_ids(piece) for piece in fixed} == fixed
    assert tokenizer.tokenize("the red circle left of a Lamp")[:5] == [
        *("the", "red", "circle", "left", "of")
    ]
    assert "[UNK]" not in tokenizer.tokenize("a zebra & 3 more")


def test_the_pool_holds_what_the_detector_will_see():
    scene = make_scene(11, 2)
    image, rows = pool.encode(scene)
    processor = model.build_processor()
    seen = processor(images=scene.image, do_normalize=False, return_tensors="np")["pixel_values"]
    assert np.abs(seen[0].transpose(1, 2, 0) * 255 - image).max() <= 1
    height, width = scene.layout.size
    for row, item in zip(rows, scene.objects, strict=True):
        assert CATEGORIES[int(row[0])] == item.category
        assert row[2:6] * (width, height, width, height) == pytest.approx(item.box, abs=1e-3)
        assert np.isnan(row[6:]).any() == (item.cause is None)


def test_every_scene_is_in_one_bucket(buckets):
    assert sum(len(bucket.images) for bucket in buckets) == 24
    assert len({bucket.images.shape[1:] for bucket in buckets}) == len(buckets)


def test_mirrored_boxes_still_hold_their_objects(buckets):
    image = np.zeros((128, 128, 3), np.uint8)
    image[20:40, 10:50] = 255
    rows = np.array([[0, 1, 10 / 128, 20 / 128, 50 / 128, 40 / 128, *[np.nan] * 4]], np.float32)
    mirrored = False
    for seed in range(20):
        pixels, moved = batches.augment(image, rows, np.random.default_rng(seed))
        for row in moved:
            x1, y1, x2, y2 = np.round(row[2:6] * 128).astype(int)
            inside = pixels[y1:y2, x1:x2].mean()
            assert inside > pixels[:, :5].mean()
            mirrored |= x1 > 64
    assert mirrored


def test_hidden_causes_change_the_category(buckets):
    wheel, ball = CATEGORIES.index("wheel"), CATEGORIES.index("ball")
    rows = np.array([[wheel, 0, 0.4, 0.5, 0.6, 0.7, 0.3, 0.4, 0.7, 0.48]], np.float32)
    outcomes = set()
    for seed in range(300):
        changed = batches._hide(np.ones((128, 128, 3), np.float32), rows.copy(), rng(seed))
        outcomes |= {(int(row[0]), bool(np.isnan(row[6]))) for row in changed}
    assert outcomes == {(wheel, False), (ball, True)}
    assert WITHOUT_CAUSE["wheel"] == "ball"


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_prompt_tokens_are_those_of_the_named_phrase(buckets, tokenizer):
    for seed in range(10):
        batch = draw(buckets, tokenizer, seed)
        assert batch.pixels.min() >= 0
        assert batch.pixels.max() <= 1
        for number, positive in enumerate(batch.positive):
            for category, tokens in zip(batch.categories[number], positive, strict=True):
                words = tokenizer.convert_ids_to_tokens(batch.input_ids[number][tokens])
                assert not words or CATEGORIES[int(category)] in words


def test_dense_locations_lie_on_their_objects(buckets, tokenizer):
    batch = draw(buckets, tokenizer)
    height, width = batch.pixels.shape[2:]
    image, location, item = losses.dense_pairs(batch)
    assert len(image) >= sum(len(boxes) for boxes in batch.boxes)
    for i, place, k in zip(image.tolist(), location.tolist(), item.tolist(), strict=True):
        for stride in (8, 16, 32):
            cells = (height // stride) * (width // stride)
            if place < cells:
                break
            place -= cells
        columns = width // stride
        x, y = (place % columns + 0.5) / columns, (place // columns + 0.5) * stride / height
        centre = batch.boxes[i][k][:2]
        assert abs(x - float(centre[0])) <= stride / width
        assert abs(y - float(centre[1])) <= stride / height


def test_matching_gives_each_named_object_its_own_best_query(buckets, tokenizer):
    batch = draw(buckets, tokenizer)
    length = batch.input_ids.shape[1]
    count = 16
    logits = torch.full((4, count, length), -6.0)
    boxes = torch.full((4, count, 4), 0.05)
    for number, (wanted, tokens) in enumerate(zip(batch.boxes, batch.positive, strict=True)):
        logits[number, : len(wanted)] = torch.where(tokens, 4.0, -6.0)
        boxes[number, : len(wanted)] = wanted
    image, query, item = losses.match(logits, boxes, batch)
    named = [int(tokens.any(dim=1).sum()) for tokens in batch.positive]
    assert len(image) == sum(named)
    assert torch.equal(query, item)
    wanted = torch.stack([batch.boxes[i][k] for i, k in zip(image, item, strict=True)])
    assert torch.equal(boxes[image, query], wanted)


def test_the_loss_falls_on_one_batch(buckets, tokenizer):
    torch.manual_seed(0)
    detector = model.build_model(len(tokenizer))
    batch = draw(buckets, tokenizer, size=2)
    optimiser = torch.optim.AdamW(detector.parameters(), 3e-3)
    pixels = (batch.pixels - 0.45) / 0.22
    values = []
    for _ in range(20):
        total, parts = losses.detection_loss(detector, pixels, batch)
        assert total.item() == pytest.approx(sum(parts.values()), rel=1e-4)
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
        values.append(total.item())
    assert values[-1] < 0.85 * values[0]


def test_objects_that_the_prompt_leaves_out_do_not_pull_boxes(buckets, tokenizer):
    batch = draw(buckets, tokenizer, size=2)
    silent = dataclasses.replace(batch, positive=[torch.zeros_like(p) for p in batch.positive])
    torch.manual_seed(0)
    detector = model.build_model(len(tokenizer))
    _, parts = losses.detection_loss(detector, batch.pixels, silent)
    assert all(value == 0 for name, value in parts.items() if not name.endswith("focal"))


def test_cells_belong_to_the_smallest_object_around_their_centre():
    large, small = [0.5, 0.5, 0.8, 0.8], [0.55, 0.55, 0.2, 0.2]
    boxes = [torch.zeros(0, 4), torch.tensor([large, small])]
    image, cell, item = backbone.owners(boxes, (10, 10))
    assert image.tolist() == [1] * len(image)
    owner = dict(zip(cell.tolist(), item.tolist(), strict=True))
    assert owner[55] == 1  # its centre is (0.55, 0.55)
    assert owner[44] == 0
    assert 99 not in owner
    values = [torch.zeros(0), torch.tensor([7.0, 9.0])]
    assert torch.equal(backbone.owned(values, image, item), 7 + 2 * item.float())

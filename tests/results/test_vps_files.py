"""The files of VPS: what is written is read back, and what is damaged is told."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from vps.core.targets import Target
from vps.errors import InputError
from vps.results.vps_files import OURS, read_vps_result, write_vps_result
from vps.results.vps_record import whole_box

CURVES = ("insertion", "deletion", "insertion_class", "deletion_class", "insertion_iou")


@pytest.fixture
def written(explanation, tmp_path):
    """An explanation whose steps at 0 are those of nothing shown and of all shown, as they are."""
    ends = {}
    for part in ("", "_class", "_iou"):
        insertion, deletion = (
            np.array(getattr(explanation, side + part)) for side in ("insertion", "deletion")
        )
        insertion[0], deletion[0] = deletion[-1], insertion[-1]
        ends |= {f"insertion{part}": insertion, f"deletion{part}": deletion}
    objective = np.array(explanation.objective)
    objective[0] = 1 + ends["insertion"][0] - ends["deletion"][0]
    whole = dataclasses.replace(explanation, objective=objective, **ends)
    write_vps_result(tmp_path, "a_1", whole, {"dataset": "drawn"})
    return whole


def plain(explanation):
    """Without what the files do not hold."""
    zeros = np.zeros_like(explanation.insertion_boxes)
    return dataclasses.replace(explanation, insertion_boxes=zeros, deletion_boxes=zeros)


def change(folder, **fields):
    path = folder / "json" / "a_1.json"
    record = {**json.loads(path.read_text()), **fields}
    path.write_text(json.dumps({key: value for key, value in record.items() if value != "gone"}))


def test_what_is_written_is_read_back_equal(written, tmp_path):
    found = read_vps_result(tmp_path, "a_1")
    assert plain(found.explanation) == plain(written)
    assert found.sized
    assert found.about["dataset"] == "drawn"


def test_effects_are_read_back_equal(written, tmp_path):
    effects = np.tile([0.1, 0.0, 0.2, 3.0], (4, 1))
    write_vps_result(tmp_path, "a_3", dataclasses.replace(written, effects=effects))
    assert np.array_equal(read_vps_result(tmp_path, "a_3").explanation.effects, effects)
    change(
        tmp_path,
        **{
            OURS: {
                **json.loads((tmp_path / "json" / "a_3.json").read_text())[OURS],
                "effects": [[1, 2]],
            }
        },
    )
    with pytest.raises(InputError, match="vps.effects must hold 4 times 4 numbers"):
        read_vps_result(tmp_path, "a_1")


def test_a_map_is_read_back_equal(written, tmp_path):
    saliency = np.linspace(0, 1, written.label_map.size).reshape(written.label_map.shape)
    mapped = dataclasses.replace(written, saliency=saliency)
    write_vps_result(tmp_path, "a_2", mapped)
    assert plain(read_vps_result(tmp_path, "a_2").explanation) == plain(mapped)


def test_a_map_of_their_baselines_is_read_with_its_steps_of_pixels(tmp_path):
    """npy/ has a map of the image's size, and the JSON scores, boxes and shares, but no F."""
    rng = np.random.default_rng(0)
    values, steps = rng.random((7, 10)), 49
    scores = {
        f"{side}_{part}": rng.random(steps).tolist()
        for side in ("insertion", "deletion")
        for part in ("score", "cls", "iou")
    }
    shares = [step / steps for step in range(1, steps + 1)]
    record = {**scores, "region_area": shares, "target_box": [1, 1, 6, 5], "target_label": [3]}
    for folder in ("json", "npy"):
        (tmp_path / folder).mkdir()
    (tmp_path / "json" / "a_1.json").write_text(json.dumps(record))
    np.save(tmp_path / "npy" / "a_1.npy", values)
    read = read_vps_result(tmp_path, "a_1")
    found = read.explanation
    assert (found.replay, found.image_size, read.sized) == ("49 pixel steps, black", (7, 10), True)
    # Of 70 pixels by falling value, floor(70 i / 49) are shown at step i.
    shown, best = 0, np.argsort(-values.ravel())
    for step in range(1, steps + 1):
        now = int(70 * step / steps)
        assert set(np.flatnonzero(found.label_map.ravel() == step - 1)) == set(best[shown:now])
        shown = now
    curve = [scores["deletion_score"][-1], *scores["insertion_score"]]
    area = 0.0
    for step in range(steps):
        left, right = int(70 * step / steps) / 70, int(70 * (step + 1) / steps) / 70
        area += (curve[step] + curve[step + 1]) / 2 * (right - left)
    assert found.insertion_auc == pytest.approx(area)
    np.testing.assert_allclose(found.objective, 1 + found.insertion - found.deletion)
    scaled = (values - values.min()) / np.ptp(values)
    np.testing.assert_allclose(found.heatmap, scaled, atol=1e-6)
    np.save(tmp_path / "npy" / "a_1.npy", np.full((7, 10), np.nan))
    with pytest.raises(InputError, match="finite"):
        read_vps_result(tmp_path, "a_1")


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, bool])
@pytest.mark.parametrize("flat", [True, False])
def test_their_own_files_give_the_same_curves(written, tmp_path, dtype, flat):
    """They have no field of ours, and masks of other types, best first."""
    masks = np.load(tmp_path / "npy" / "a_1.npy", allow_pickle=False)
    assert (masks.shape, masks.dtype) == ((4, *written.label_map.shape, 1), np.uint8)
    for rank, region in enumerate(written.order):
        assert (masks[rank, ..., 0] == (written.label_map == region)).all()
    np.save(tmp_path / "npy" / "a_1.npy", (masks[..., 0] if flat else masks).astype(dtype))
    change(tmp_path, **{OURS: "gone", "category": "gone", "target_label": [3, 4]})
    found = read_vps_result(tmp_path, "a_1", image_size=written.image_size)
    for name in (*CURVES, "deletion_iou", "areas", "objective"):
        assert np.array_equal(getattr(found.explanation, name), getattr(written, name)), name
    for name in ("insertion_auc", "deletion_auc", "insertion_class_auc", "deletion_iou_auc"):
        assert getattr(found.explanation, name) == getattr(written, name)
    assert np.array_equal(found.explanation.heatmap, written.heatmap)
    assert found.explanation.target.label == "tokens 3, 4"
    known = Target((1, 1, 9, 9), "dog")
    assert read_vps_result(tmp_path, "a_1", target=known).explanation.target == known
    assert not read_vps_result(tmp_path, "a_1").sized


def test_areas_that_are_not_of_the_masks_are_those_of_the_masks(written, tmp_path):
    """LiMA's files have the areas of both directions one after the other."""
    change(tmp_path, region_area=[*written.areas[1:].tolist(), 0.25, 0.5])
    found = read_vps_result(tmp_path, "a_1").explanation
    assert np.allclose(found.areas, written.areas)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"insertion_score": "gone"}, "insertion_score is missing"),
        ({"insertion_iou": "gone"}, "insertion_iou is missing: it is no result of a detection"),
        ({"smdl_score": [0.5]}, "smdl_score has 1 steps, and 4 are shown"),
        ({"deletion_score": [0, 0, 0, 7]}, r"deletion_score must lie in \[0, 1\], got 0 to 7"),
        ({"insertion_cls": [0, 0, 0, "x"]}, "insertion_cls.* must be a number"),
        ({"target_box": [1, 2], OURS: "gone"}, "a box needs four finite numbers"),
        ({"lambda1": -1}, "lambda1 must lie in"),
        ({OURS: {"order": [0, 0, 1, 2]}}, "vps.order must hold each of 0..3 once"),
    ],
)
def test_damaged_records_are_told(written, tmp_path, fields, message):
    change(tmp_path, **fields)
    with pytest.raises(InputError, match=f"result a_1: .*{message}"):
        read_vps_result(tmp_path, "a_1")


@pytest.mark.parametrize(
    ("masks", "message"),
    [
        (np.ones((2, 4, 8, 1), np.uint8), "mask 1 overlaps an earlier one"),
        (np.zeros((1, 4, 8, 1), np.uint8), "mask 0 is empty"),
        (np.eye(4, 8, dtype=np.uint8)[None], "no mask covers"),
        (np.ones((4, 8), np.uint8), r"must hold masks \(m, h, w, 1\)"),
        (np.array([["a"]]), "must hold masks"),
    ],
)
def test_masks_that_are_no_partition_are_told(written, tmp_path, masks, message):
    np.save(tmp_path / "npy" / "a_1.npy", masks)
    with pytest.raises(InputError, match=message):
        read_vps_result(tmp_path, "a_1")


class Trap:
    def __reduce__(self):
        return pytest.fail, ("it was unpickled",)


def test_nothing_is_unpickled(written, tmp_path):
    np.save(tmp_path / "npy" / "a_1.npy", np.array([Trap()], object))
    with pytest.raises(InputError, match="masks .* cannot be read"):
        read_vps_result(tmp_path, "a_1")
    (tmp_path / "npy" / "a_1.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(InputError, match="masks .* cannot be read"):
        read_vps_result(tmp_path, "a_1")
    (tmp_path / "npy" / "a_1.npy").unlink()
    with pytest.raises(InputError, match="masks .* does not exist"):
        read_vps_result(tmp_path, "a_1")


def test_boxes_in_whole_pixels_keep_an_area():
    assert whole_box((10.4, 3.2, 10.45, 3.9)) == [10, 3, 11, 4]
    assert whole_box((0.5, 0.5, 2.5, 1.5)) == [0, 0, 2, 2]

import dataclasses
import hashlib
import io
import json
import zipfile

import numpy as np
import pytest

from vps.core import files
from vps.engine.budget import StopReason
from vps.engine.curve_values import auc
from vps.errors import InputError
from vps.results.explanation import Explanation


@pytest.mark.parametrize("name", ["one", "street.v2", "one.json", "one.npz", "new/folder/one"])
def test_saved_and_loaded_is_equal(explanation, tmp_path, name):
    written = explanation.save(tmp_path / name)
    assert written.suffix == ".json"
    assert written.with_suffix(".npz").exists()
    assert Explanation.load(tmp_path / name) == explanation
    assert Explanation.load(written) == explanation


def test_a_folder_gets_a_file_of_its_own(explanation, tmp_path):
    assert explanation.save(tmp_path) == tmp_path / "explanation.json"
    assert Explanation.load(tmp_path) == explanation


def test_equality_sees_every_field(explanation):
    other = {
        "label_map": explanation.label_map[::-1, ::-1],
        "order": explanation.order[::-1],
        "target": dataclasses.replace(explanation.target, label="cat"),
        "image_size": (20, 41),
        "lambdas": (1.0, 0.5),
        "labels": ("cat",),
        "budget": 7,
        "versions": {"vps": "1"},
        "warnings": (),
        "image_name": None,
        "measured": ~explanation.measured,
        "stopped": StopReason.BUDGET,
        "options": {"masks": 1},
        "map_rule": "vps-paper",
        "saliency": np.ones(explanation.label_map.shape),
        "effects": np.ones((len(explanation.order), 4)),
    }
    for field in dataclasses.fields(explanation):
        value = getattr(explanation, field.name)
        if field.name not in other:
            other[field.name] = f"{value}!" if isinstance(value, str) else value + 1
        changed = dataclasses.replace(explanation, **{field.name: other[field.name]})
        assert changed != explanation, field.name
        assert dataclasses.replace(changed, **{field.name: value}) == explanation
    assert explanation != "an explanation"


def test_equality_takes_nan_for_nan(explanation, tmp_path):
    curve = explanation.insertion.copy()
    curve[2] = np.nan
    one, other = (
        dataclasses.replace(explanation, insertion=curve, seconds=float("nan")) for _ in range(2)
    )
    assert one == other
    assert one != explanation
    one.save(tmp_path / "nan")
    with pytest.raises(InputError, match="nan.npz: insertion must hold finite numbers"):
        Explanation.load(tmp_path / "nan")


def test_numpy_numbers_can_be_saved(explanation, tmp_path):
    changed = dataclasses.replace(explanation, seed=np.int64(3), passes=np.int32(9))
    changed.save(tmp_path / "numpy")
    assert Explanation.load(tmp_path / "numpy") == changed


def test_arrays_are_read_only(explanation):
    with pytest.raises(ValueError, match="read-only"):
        explanation.insertion[0] = 1


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("order", [0, 1, 2, 2], "each region"),
        ("order", [0, 1, 2], "label_map has region 3"),
        ("label_map", np.zeros((2, 2, 1)), "label_map"),
        ("label_map", [[-1]], "label_map"),
        ("insertion", np.zeros(4), r"insertion must have shape \(5,\)"),
        ("deletion_boxes", np.zeros((5, 3)), "deletion_boxes"),
    ],
)
def test_arrays_that_do_not_fit(explanation, field, value, message):
    with pytest.raises(InputError, match=message):
        dataclasses.replace(explanation, **{field: value})


@pytest.mark.parametrize("suffix", ["npz", "json"])
def test_missing_or_corrupt_files(explanation, tmp_path, suffix):
    explanation.save(tmp_path / "one")
    path = tmp_path / f"one.{suffix}"
    whole = path.read_bytes()
    for broken in (b"", whole[: len(whole) // 2], b"[1, 2]", whole[::-1]):
        path.write_bytes(broken)
        with pytest.raises(InputError, match=f"one.{suffix}"):
            Explanation.load(tmp_path / "one")
    path.unlink()
    with pytest.raises(InputError, match=f"one.{suffix} does not exist"):
        Explanation.load(tmp_path / "one")


def edited(path, **changes):
    record = json.loads(path.read_text())
    record.update(changes)
    gone = [name for name, value in changes.items() if value is None]
    path.write_text(json.dumps({k: v for k, v in record.items() if k not in gone}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schema_version": 99}, "schema version 99"),
        ({"schema_version": None}, "schema version None"),
        ({"target": {"box": [5, 5, 1, 1], "label": "dog"}}, "no area"),
        ({"target": None}, "target"),
        ({"surprise": 1}, "surprise"),
        ({"passes": None}, "passes is missing"),
        ({"schema_version": True}, "schema version True"),
        ({"target": 3}, "target must hold keys"),
        ({"target": {"box": [0, 0, 9, float("nan")], "label": "dog"}}, r"target.box\[3\].*finite"),
        ({"seed": "x"}, "seed must be a whole number, got 'x'"),
        ({"seed": -1}, "seed must be at least 0"),
        ({"seconds": float("nan")}, "seconds must be a finite number"),
        ({"passes": 1.5}, "passes must be a whole number"),
        ({"image_size": [10**9, 10**9]}, "image_size"),
        ({"image_size": [0, 5]}, "image_size"),
        ({"image_size": "ab"}, "image_size must be a list"),
        ({"lambdas": [1]}, "lambdas needs 2 values"),
        ({"labels": "dog"}, "labels must be a list"),
        ({"versions": {"vps": 1}}, "versions.vps must be text"),
        ({"stopped": "never"}, "stopped"),
        ({"options": []}, "options must hold keys"),
        ({"order": [0, 1]}, "order"),
        ({"detector": json.loads("[" * 500 + "]" * 500)}, "detector must be text"),
    ],
)
def test_records_that_are_no_explanation(explanation, tmp_path, changes, message):
    path = explanation.save(tmp_path / "one")
    edited(path, **changes)
    with pytest.raises(InputError, match=message):
        Explanation.load(path)


def packed(path, method=zipfile.ZIP_DEFLATED, **changes):
    """Write other arrays to a result, with the digest that makes them its own; None takes away."""
    npz = path.with_suffix(".npz")
    with np.load(npz) as arrays:
        kept = {**{name: arrays[name] for name in arrays.files}, **changes}
    with zipfile.ZipFile(npz, "w", method) as archive:
        for name, array in kept.items():
            if array is not None:
                content = io.BytesIO()
                np.save(content, array)
                archive.writestr(f"{name}.npy", content.getvalue())
    signed(path, npz.read_bytes())


def signed(path, payload):
    path.with_suffix(".npz").write_bytes(payload)
    edited(path, arrays_sha256=hashlib.sha256(payload).hexdigest())


def large(shape, dtype="|u1"):
    """An array that is much smaller on disk than it says."""
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        head, {"descr": dtype, "fortran_order": False, "shape": shape}
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("label_map.npy", head.getvalue() + bytes(1000))
    return packed.getvalue()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"insertion": np.full(5, 5.0)}, r"insertion must hold finite numbers in \[0, 1\], got 5"),
        ({"areas": np.full(5, np.nan)}, "areas must hold finite numbers"),
        ({"areas": np.array([0, 0.9, 0.5, 0.7, 1])}, "areas must not fall"),
        ({"objective": np.full(5, np.inf)}, "objective must hold finite numbers, got inf"),
        ({"deletion_iou": np.zeros(4)}, r"deletion_iou must have shape \(5,\), got \(4,\)"),
        ({"insertion_boxes": np.zeros((5, 3))}, r"insertion_boxes must have shape \(5, 4\)"),
        ({"order": np.zeros((4, 1), int)}, r"order must have shape \(4,\)"),
        ({"order": np.array([0, 1, 2, 2])}, "each region"),
        ({"order": np.arange(4.0)}, "order must hold whole numbers"),
        ({"label_map": np.zeros((3, 3), np.int32)}, "label_map must show every region"),
        ({"label_map": np.zeros(9, np.int32)}, "label_map must have shape"),
        ({"label_map": np.full((3, 3), -1)}, "label_map must hold"),
        ({"insertion": np.array(["a"] * 5)}, "insertion must hold numbers"),
        ({"insertion": np.array([None] * 5)}, "insertion must hold numbers"),
        ({"insertion": np.zeros(5, "c16")}, "insertion must hold numbers"),
        ({"measured": np.zeros(5)}, "measured must hold true or false"),
        ({"areas": None}, "has no array areas"),
        ({"surprise": np.zeros(5)}, "holds 'surprise'"),
        ({"saliency": np.zeros((2, 2), np.float32)}, "saliency must have shape"),
    ],
)
def test_arrays_of_another_kind_are_refused_by_name(explanation, tmp_path, changes, message):
    path = explanation.save(tmp_path / "one")
    packed(path, **changes)
    with pytest.raises(InputError, match=message) as error:
        Explanation.load(path)
    assert "one" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "shape", [(50_000, 50_000), (10**9,) * 5, (10**30, 1), (-1, -1), (0, 0), (2**63, 2)]
)
def test_a_small_file_never_becomes_a_large_array(explanation, tmp_path, shape):
    path = explanation.save(tmp_path / "one")
    signed(path, large(shape))
    with pytest.raises(InputError, match="one.npz"):
        Explanation.load(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_archives_that_numpy_does_not_write(explanation, tmp_path, method):
    path = explanation.save(tmp_path / "one")
    packed(path, method)
    with pytest.raises(InputError, match="packed in another way"):
        Explanation.load(path)


def test_what_is_no_archive_though_it_is_signed(explanation, tmp_path):
    path = explanation.save(tmp_path / "one")
    bare = io.BytesIO()
    np.save(bare, np.zeros(5))
    whole = path.with_suffix(".npz").read_bytes()
    middle = len(whole) // 2
    damaged = whole[:middle] + bytes(40) + whole[middle + 40 :]
    for payload in (bare.getvalue(), b"", b"PK\x05\x06" + bytes(18), damaged, whole[:-30]):
        signed(path, payload)
        with pytest.raises(InputError, match="one.npz"):
            Explanation.load(path)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a": ' + "9" * 5000 + "}", "\ud800", "null"])
def test_records_that_no_one_can_read(explanation, tmp_path, text):
    path = explanation.save(tmp_path / "one")
    path.write_bytes(text.encode(errors="surrogatepass"))
    with pytest.raises(InputError, match="one.json"):
        Explanation.load(path)


def test_stored_arrays_still_load(explanation, tmp_path):
    path = explanation.save(tmp_path / "one")
    packed(path, zipfile.ZIP_STORED)
    assert Explanation.load(path) == explanation
    packed(
        path, order=explanation.order.astype(np.int32), label_map=explanation.label_map.T.copy().T
    )
    assert Explanation.load(path) == explanation


@pytest.mark.parametrize("had_one_before", [False, True])
@pytest.mark.parametrize("replacements", [0, 1])
def test_a_kill_between_the_writes_leaves_nothing_that_looks_complete(
    explanation, tmp_path, monkeypatch, had_one_before, replacements
):
    if had_one_before:
        explanation.save(tmp_path / "one")
    done = []

    def replace(source, destination):
        if len(done) == replacements:
            raise KeyboardInterrupt
        done.append(destination)
        original(source, destination)

    original = files.os.replace
    monkeypatch.setattr(files.os, "replace", replace)
    with pytest.raises(KeyboardInterrupt):
        dataclasses.replace(explanation, seed=1).save(tmp_path / "one")
    assert not (tmp_path / "one.json").exists()
    assert not list(tmp_path.glob(".*"))
    with pytest.raises(InputError, match="does not exist"):
        Explanation.load(tmp_path / "one")


def test_arrays_of_another_save_are_refused(explanation, tmp_path):
    explanation.save(tmp_path / "one")
    dataclasses.replace(explanation, areas=explanation.areas**2).save(tmp_path / "other")
    (tmp_path / "other.npz").replace(tmp_path / "one.npz")
    with pytest.raises(InputError, match="same save"):
        Explanation.load(tmp_path / "one")


def test_a_folder_that_cannot_be_written(explanation, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        explanation.save(tmp_path / "file" / "one")
    with pytest.raises(InputError, match="cannot be written"):
        explanation.export_reference(tmp_path / "file" / "one.json")
    (tmp_path / "one.json").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        explanation.save(tmp_path / "one")


def test_areas_under_the_curves(explanation):
    for side in ("insertion", "deletion"):
        for part in ("", "_class", "_iou"):
            curve = getattr(explanation, side + part)
            assert getattr(explanation, f"{side}{part}_auc") == auc(explanation.areas, curve)


def test_heatmap_follows_the_order_on_the_original_image(explanation):
    heatmap = explanation.heatmap
    assert heatmap.shape == (20, 40)
    assert heatmap.dtype == np.float32
    columns = heatmap[0, [5, 15, 25, 35]]
    assert (heatmap == np.repeat(columns, 10)).all()
    assert (np.diff(columns[explanation.order]) <= 0).all()
    assert columns.max() == 1
    assert columns.min() == 0


def test_smallest_sufficient(explanation):
    one = dataclasses.replace(explanation, insertion=[0, 0.45, 0.3, 0.8, 0.5])
    assert [one.smallest_sufficient(share) for share in (0.5, 0.9, 1.0)] == [1, 1, 3]
    nothing = dataclasses.replace(explanation, insertion=[0, 0.9, 0, 0, 0])
    assert nothing.smallest_sufficient() == 4
    for share in (0, 1.1, float("nan")):
        with pytest.raises(InputError, match="share"):
            one.smallest_sufficient(share)


def test_highest_score(explanation):
    one = dataclasses.replace(
        explanation,
        insertion_class=[0.9, 0.4, 0.6, 0.8, 0.1],
        insertion_iou=[0.5, 0.6, 0.9, 0.2, 0.9],
    )
    assert one.highest_score == 0.6


def test_export_for_users_of_the_reference(explanation, tmp_path):
    record = json.loads(explanation.export_reference(tmp_path / "reference.json").read_text())
    lists = {
        f"{side}_{x}" for side in ("insertion", "deletion") for x in ["score", "cls", "iou", "box"]
    }
    lists |= {"smdl_score", "region_area"}
    scalars = {"target_box", "target_label", "org_score", "baseline_score", "category", "mode"}
    scalars |= {"lambda1", "lambda2", "sub-region_number", "model_forward_calls"}
    scalars |= {"smdl_score_max", "smdl_score_max_index"}
    assert set(record) == lists | scalars
    assert all(len(record[name]) == 4 for name in lists)
    assert record["smdl_score"] == explanation.objective[1:].tolist()
    assert record["smdl_score_max"] == max(record["smdl_score"])
    assert record["smdl_score"][record["smdl_score_max_index"]] == record["smdl_score_max"]
    assert (record["lambda1"], record["lambda2"], record["mode"]) == (1, 1, "object")
    assert record["sub-region_number"] == 4
    assert record["deletion_box"] == explanation.deletion_boxes[1:].astype(int).tolist()
    assert all(type(value) is int for box in record["deletion_box"] for value in box)
    assert record["region_area"] == [0.25, 0.5, 0.75, 1]
    assert record["target_box"] == [2, 2, 10, 10]
    assert record["target_label"] == "dog"
    assert record["org_score"] == explanation.deletion[0]
    assert record["baseline_score"] == explanation.insertion[0]


def test_an_explanation_of_the_first_schema_still_loads(explanation, tmp_path):
    path = explanation.save(tmp_path / "old")
    with np.load(path.with_suffix(".npz")) as arrays:
        old = {name: arrays[name] for name in arrays.files if name != "measured"}
    np.savez_compressed(path.with_suffix(".npz"), **old)
    digest = hashlib.sha256(path.with_suffix(".npz").read_bytes()).hexdigest()
    record = {**json.loads(path.read_text()), "schema_version": 1, "arrays_sha256": digest}
    for name in ("rounds", "stopped", "sharing"):
        del record[name]
    path.write_text(json.dumps(record))
    loaded = Explanation.load(path)
    assert loaded == explanation
    assert loaded.measured.tolist() == [True] * 5
    assert (loaded.rounds, loaded.stopped, loaded.sharing) == (0, "finished", 1)


def test_the_map_of_a_compared_method_is_the_heatmap_and_survives_saving(explanation, tmp_path):
    rng = np.random.default_rng(0)
    saliency = rng.random(explanation.label_map.shape).astype(np.float32)
    theirs = dataclasses.replace(
        explanation, method="drise", options={"masks": 5}, saliency=saliency
    )
    assert Explanation.load(theirs.save(tmp_path / "theirs")) == theirs
    heatmap = theirs.heatmap
    assert heatmap.shape == theirs.image_size
    assert heatmap.min() == 0
    assert heatmap.max() == 1
    first = theirs.label_map == 0
    assert theirs.region_scores[0] == pytest.approx(saliency[first].mean())


def test_a_map_on_another_grid_is_refused(explanation):
    with pytest.raises(InputError, match="saliency must be on the grid"):
        dataclasses.replace(explanation, saliency=np.ones((2, 2)))

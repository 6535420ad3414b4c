"""`vps explain`: what is saved and said, also where it ends early."""

from __future__ import annotations

import errno
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.helpers.cli import BOX, Bright, fails, run_explain, saved
from vps.cli.output import result_name
from vps.core.schema import to_plain
from vps.core.targets import Kind
from vps.methods.perturbation.drise import DRISE
from vps.results.explanation import Explanation


def test_explain_takes_the_best_detection(image, bright, tmp_path, capsys):
    assert run_explain(image, tmp_path) == 0
    assert saved(tmp_path) == ["street_1_dog.json"]
    explanation = Explanation.load(tmp_path / "out" / "street_1_dog")
    assert explanation.target.box == BOX
    assert explanation.image_name == "street.png"
    assert (tmp_path / "out" / "street_1_dog.png").exists()
    assert f"insertion AUC {explanation.insertion_auc:.3f}" in capsys.readouterr().out


def test_explain_takes_one_or_all_detections(image, bright, tmp_path):
    assert run_explain(image, tmp_path, "--detection", "2", "--format", "svg") == 0
    assert saved(tmp_path) == ["street_2_cat.json"]
    assert run_explain(image, tmp_path, "--all", "--search", "random") == 0
    assert saved(tmp_path) == ["street_1_dog.json", "street_2_cat.json"]


def test_regions_of_a_file_numbered_by_distance(image, bright, tmp_path, capsys):
    tiles = np.arange(20).reshape(4, 5).repeat(8, axis=0).repeat(8, axis=1)
    Image.fromarray(tiles.astype(np.uint8)).save(tmp_path / "street_tiles.png")
    options = ["--regions-file", str(tmp_path / "street_tiles.png"), "--numbering", "distance"]
    assert run_explain(image, tmp_path, *options) == 0
    explanation = Explanation.load(tmp_path / "out" / "street_1_dog")
    assert explanation.region_method == "file:street_tiles.png"
    # The four tiles in the middle of the box are as near as each other.
    assert set(explanation.label_map[8:24, 8:24].ravel()) == {0, 1, 2, 3}
    capsys.readouterr()
    fails(capsys, run_explain(image, tmp_path, *options, "--all"), "explain them one by one")


def test_a_box_that_is_found_is_explained_as_found(image, bright, tmp_path):
    assert run_explain(image, tmp_path, "--box", "9", "8", "24", "24", "--label", "dog") == 0
    target = Explanation.load(tmp_path / "out" / "street_9-8-24-24_dog").target
    assert target.kind is Kind.CORRECT
    assert target.box == (9, 8, 24, 24)


def test_two_boxes_of_one_label_are_kept_apart(image, bright, tmp_path):
    for edge in ("24", "23.5"):
        assert run_explain(image, tmp_path, "--box", "9", "8", edge, "24", "--label", "dog") == 0
    assert saved(tmp_path) == ["street_9-8-23.5-24_dog.json", "street_9-8-24-24_dog.json"]


def test_doubts_are_printed_as_notes_and_not_as_warnings(image, bright, tmp_path, capsys):
    with warnings.catch_warnings(record=True) as raised:
        run_explain(image, tmp_path, "--box", "30", "20", "40", "30", "--label", "dog", "--quiet")
    assert not raised
    notes = capsys.readouterr().err.splitlines()
    assert notes
    assert all(line.startswith("note: ") for line in notes)


def test_a_box_that_is_not_found_is_a_missed_object(image, bright, tmp_path):
    assert run_explain(image, tmp_path, "--box", "30", "20", "40", "30", "--label", "dog") == 0
    explanation = Explanation.load(tmp_path / "out" / "street_30-20-40-30_dog")
    assert explanation.target.kind is Kind.MISSED
    assert explanation.warnings


def test_images_that_cannot_be_read(image, bright, tmp_path, capsys):
    fails(capsys, run_explain(str(tmp_path / "no.png"), tmp_path), "no.png", "does not exist")
    whole = (tmp_path / "street.png").read_bytes()
    (tmp_path / "half.png").write_bytes(whole[: len(whole) // 2])
    fails(capsys, run_explain(str(tmp_path / "half.png"), tmp_path), "half.png", "truncated")
    (tmp_path / "text.png").write_text("no image")
    fails(capsys, run_explain(str(tmp_path / "text.png"), tmp_path), "not an image")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--box", "90", "90", "99", "99", "--label", "dog"], ["outside the image", "40 x 32"]),
        (["--box", "-90", "-90", "99", "99", "--label", "dog"], ["outside the image"]),
        (["--box", "24", "24", "8", "8", "--label", "dog"], ["no area"]),
        (["--box", "8", "8", "24", "24"], ["--label", "dog, cat"]),
        (["--box", "8", "8", "24", "24", "--label", "dgo"], ["unknown label", "dog"]),
        (["--label", "dog"], ["--box"]),
        (["--detection", "7"], ["no detection 7", "1 to 2"]),
        (["--detection", "0"], ["no detection 0"]),
        (["--threshold", "1.0001"], ["threshold"]),
        (["--regions", "0"], ["number of regions"]),
        (["--search", "gredy"], ["greedy"]),
        (["--fill", "pink"], ["fill"]),
        (["--mode", "boxes"], ["box"]),
        (["--region-method", "slicc"], ["slic"]),
        (["--batch-size", "0"], ["batch size"]),
        (["--seed", "-1"], ["seed"]),
    ],
)
def test_wrong_settings(image, bright, tmp_path, capsys, options, words):
    fails(capsys, run_explain(image, tmp_path, *options), *words)
    assert saved(tmp_path) == []


def test_nothing_found(image, bright, tmp_path, capsys):
    Image.new("RGB", (40, 32)).save(image)
    fails(
        capsys, run_explain(image, tmp_path, "--threshold", "0.9"), "finds nothing", "--threshold"
    )


def test_nan_from_the_detector(image, bright, tmp_path, capsys):
    bright.broken = True
    fails(capsys, run_explain(image, tmp_path, "--quiet"), "NaN", "bright")


def test_an_output_folder_that_cannot_be_written_is_told_before_any_pass(
    image, bright, tmp_path, capsys
):
    (tmp_path / "out").touch()
    bright.detect = None
    fails(capsys, run_explain(image, tmp_path), "out cannot be written")


@pytest.mark.parametrize("stem", ["s" * 240, "ж" * 120, "two\nlines"])
def test_any_name_of_an_image_and_a_label_can_be_saved(image, bright, tmp_path, stem):
    path = tmp_path / f"{stem}.png"
    path.write_bytes(Path(image).read_bytes())
    bright.labels = ("word " * 300, "語" * 300)
    where = ["--box", "9", "8", "24", "24", "--label", bright.labels[0]]
    for question in (["--all"], where, ["--why-not", bright.labels[1]]):
        assert run_explain(str(path), tmp_path, *question, "--search", "random") == 0
    # Both detections, the box, and why not: a target, its rival and the answer.
    names = saved(tmp_path)
    assert len(names) == 6
    assert all(len(name.encode()) < 150 and "\n" not in name for name in names)


def test_images_and_labels_that_begin_alike_are_kept_apart():
    images = [Path("x" * 100 + end) for end in ("a.png", "b.png")]
    labels = ["word " * 30 + end for end in "ab"]
    names = {result_name(image, "1", label) for image in images for label in labels}
    assert len(names) == 4
    assert result_name(Path("a/street.v2.jpg"), "2", "Red square!") == "street.v2_2_red-square"
    assert result_name(Path("street.jpg"), "2", "?") == "street_2_label"


def test_a_file_system_that_takes_shorter_names_only_is_told_before_the_search(
    image, bright, tmp_path, capsys, monkeypatch
):
    touch = Path.touch

    def short(path, *arguments, **settings):
        if len(path.name) > 70:
            raise OSError(errno.ENAMETOOLONG, "File name too long")
        touch(path, *arguments, **settings)

    monkeypatch.setattr(Path, "touch", short)
    monkeypatch.setattr("vps.cli.explaining.explain", lambda *_, **__: pytest.fail("it searched"))
    path = tmp_path / f"{'s' * 60}.png"
    path.write_bytes(Path(image).read_bytes())
    fails(capsys, run_explain(str(path), tmp_path), "cannot be written: File name too long")


def test_an_interrupt_keeps_the_best_so_far_of_all_targets(image, bright, tmp_path, capsys):
    passes = []

    def detect(pixels, size):
        passes.append(len(pixels))
        if len(passes) == 6:
            raise KeyboardInterrupt
        return Bright.detect(bright, pixels, size)

    bright.detect = detect
    assert (
        run_explain(image, tmp_path, "--all", "--batch-size", "4", "--search", "path_search") == 130
    )
    assert saved(tmp_path) == ["street_1_dog.json", "street_2_cat.json"]
    error = capsys.readouterr().err
    assert str(tmp_path / "out" / "street_1_dog.json") in error
    assert "stopped before its end: interrupted" in error


def test_a_detector_that_fails_leaves_a_partial_result(image, bright, tmp_path, capsys):
    passes = []

    def detect(pixels, size):
        passes.append(len(pixels))
        if len(passes) > 5:
            raise RuntimeError("out of memory")
        return Bright.detect(bright, pixels, size)

    bright.detect = detect
    assert run_explain(image, tmp_path, "--batch-size", "4", "--search", "path_search") == 2
    assert saved(tmp_path) == ["street_1_dog.json"]
    error = capsys.readouterr().err
    assert "out of memory" in error
    assert "the detector failed after" in error
    assert f"saved so far: {tmp_path / 'out' / 'street_1_dog.json'}" in error


def test_an_interrupt_before_the_first_result_says_that_nothing_is_saved(
    image, bright, tmp_path, capsys
):
    def detect(pixels, size):
        raise KeyboardInterrupt

    bright.detect = detect
    assert run_explain(image, tmp_path) == 130
    assert capsys.readouterr().err == "interrupted; saved so far: nothing\n"


def test_settings_of_a_compared_method_are_handed_on(image, bright, tmp_path):
    given = ["--method", "drise", "--method-option", "masks=7", "--method-option", "p=0.25"]
    assert run_explain(image, tmp_path, *given) == 0
    explanation = Explanation.load(tmp_path / "out" / "street_1_dog")
    assert explanation.method == "drise"
    assert explanation.options == to_plain(DRISE(masks=7, p=0.25))


def test_a_protocol_sets_what_other_options_do_not(image, bright, tmp_path):
    given = ["--protocol", "vps-paper", "--method", "drise", "--method-option", "masks=7"]
    given += ["--region-method", "grid", "--fill", "blur"]
    assert run_explain(image, tmp_path, *given) == 0
    explanation = Explanation.load(tmp_path / "out" / "street_1_dog")
    assert explanation.options["masks"] == 7
    assert explanation.options["similarity"] == "detections"
    assert (explanation.map_rule, explanation.fill) == ("vps-paper", "black")
    assert explanation.replay == "49 pixel steps, black"


@pytest.mark.parametrize(
    ("given", "rule", "regions"),
    [
        (["--protocol", "vps-paper"], "vps-paper", 6),
        (["--protocol", "vps-paper", "--map-rule", "vps"], "vps", 6),
        (["--map-rule", "vps-paper"], "vps-paper", 6),
        ([], "vps", 6),
    ],
)
def test_the_map_rule_by_protocol_or_by_itself(image, bright, tmp_path, given, rule, regions):
    assert run_explain(image, tmp_path, *given, "--region-method", "grid") == 0
    explanation = Explanation.load(tmp_path / "out" / "street_1_dog")
    # The mean colour of the model, in the order of channels in which it gets them.
    fill = "0.406,0.456,0.485" if "--protocol" in given else "mean"
    assert (explanation.map_rule, explanation.replay) == (rule, f"regions, {fill}")
    assert explanation.numbering == ("distance" if "--protocol" in given else "scan")
    assert explanation.search == ("greedy" if "--protocol" in given else explanation.search)
    assert len(explanation.order) == regions


def test_an_unknown_protocol_names_the_nearest(image, bright, tmp_path, capsys):
    assert run_explain(image, tmp_path, "--protocol", "vps_paper") == 2
    assert "unknown protocol 'vps_paper', did you mean 'vps-paper'" in capsys.readouterr().err


@pytest.mark.parametrize(("given", "passes"), [("17", 17), ("0.5", 21)])
def test_a_budget_is_passes_or_a_share_of_greedys(image, bright, tmp_path, given, passes):
    cut = ["--region-method", "grid", "--search", "top_k"]
    assert run_explain(image, tmp_path, "--budget", given, *cut) == 0
    explanation = Explanation.load(tmp_path / "out" / "street_1_dog")
    assert len(explanation.order) == 6
    assert explanation.budget == passes


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_pictures_in_each_format(image, bright, tmp_path, suffix):
    assert run_explain(image, tmp_path, "--format", suffix, "--search", "random") == 0
    assert (tmp_path / "out" / f"street_1_dog.{suffix}").stat().st_size > 1000

"""`vps stability`: the table that it prints and the file that it writes."""

from __future__ import annotations

import csv

from tests.helpers.cli import fails
from vps.cli.main import main

FEW = ["--regions", "6", "--other-regions", "9", "--other-fill", "black", "--quiet"]


def test_a_row_a_variation_with_means_over_the_images(image, bright, tmp_path, capsys):
    assert main(["stability", image, image, *FEW, "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out.splitlines()
    rows = list(csv.DictReader((tmp_path / "stability.csv").open()))
    names = {row["variation"] for row in rows}
    assert {"seed +1", "9 regions", "fill black"} <= names
    assert sum(row["variation"] == "seed +1" for row in rows) == 2
    assert len(printed) == 1 + len(names) + 1
    seed = next(line for line in printed if line.startswith("seed +1"))
    assert seed.split()[2] == "2"
    assert "1.00 (1.00 to 1.00)" in seed


def test_an_image_without_the_detection_is_left_out(image, bright, capsys):
    code = main(["stability", image, "--detection", "7", *FEW])
    captured = capsys.readouterr()
    assert code == 2
    assert "street.png: there is no detection 7, 2 exist; left out" in captured.out
    assert "no image has a detection 7" in captured.err


def test_settings_are_checked_first(image, bright, capsys):
    fails(capsys, main(["stability", image, "--seeds", "-1"]), "--seeds is 0 or more")
    fails(capsys, main(["stability", image, "--method", "limes"]), "unknown method")
    fails(capsys, main(["stability", "nowhere.png", *FEW]), "nowhere.png")

import os

import pytest

from tests.helpers.cli import run_explain, saved
from vps.cli.claims import claim_name
from vps.errors import OutputError
from vps.results.explanation import Explanation


def test_each_image_has_a_name_of_its_own_and_keeps_it(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    paths = [
        tmp_path / "a" / "img.jpg",
        tmp_path / "b" / "img.jpg",
        tmp_path / "c" / "b" / "img.png",
    ]
    names = [claim_name(out, path) for path in paths]
    assert names[:2] == ["img", "b-img"]
    assert names[2].startswith("img-")
    assert [claim_name(out, path) for path in reversed(paths)] == names[::-1]
    assert claim_name(out, tmp_path / "a" / "IMG.jpg") == "a-IMG"
    assert claim_name(out, tmp_path / "a" / "other.jpg") == "other"


def test_another_way_to_the_same_image_is_the_same(tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    monkeypatch.chdir(tmp_path / "a")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    for path in (tmp_path / "a" / "img.jpg", tmp_path / "link" / "img.jpg"):
        assert claim_name(tmp_path, path) == "img"
    assert claim_name(tmp_path, tmp_path.joinpath("a", os.pardir, "a", "img.jpg")) == "img"


def test_a_damaged_list_of_names_is_passed_over(tmp_path):
    (tmp_path / ".images").write_bytes(b'\xff\n{"name": 3}\n[1]\n')
    assert claim_name(tmp_path, tmp_path / "img.jpg") == "img"


def test_a_folder_that_cannot_be_used(tmp_path):
    (tmp_path / ".images").mkdir()
    with pytest.raises(OutputError, match="images cannot be used"):
        claim_name(tmp_path, tmp_path / "img.jpg")


def test_images_of_one_name_do_not_overwrite_each_others_results(image, bright, tmp_path):
    other = tmp_path / "other" / "street.png"
    other.parent.mkdir()
    other.write_bytes((tmp_path / "street.png").read_bytes())
    for path in (image, str(other), image):
        assert run_explain(path, tmp_path, "--quiet") == 0
    assert saved(tmp_path) == ["other-street_1_dog.json", "street_1_dog.json"]
    names = [Explanation.load(tmp_path / "out" / name).image_name for name in saved(tmp_path)]
    assert names == ["other/street.png", "street.png"]

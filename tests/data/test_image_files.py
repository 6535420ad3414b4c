import os

import pytest

from tests.helpers.attacks import picture
from vps.data.image_files import ImageFile, ImageFolder
from vps.errors import InputError


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "secret.png").write_bytes(picture())
    (tmp_path / "images" / "sub").mkdir(parents=True)
    (tmp_path / "images" / "a.png").write_bytes(picture())
    (tmp_path / "images" / "sub" / "b.png").write_bytes(picture())
    os.symlink("../secret.png", tmp_path / "images" / "link.png")
    os.symlink("..", tmp_path / "images" / "above")
    os.symlink("sub/b.png", tmp_path / "images" / "inner.png")
    os.symlink("images", tmp_path / "linked")
    return tmp_path / "images"


OUTSIDE = ["../secret.png", "sub/../../secret.png", "link.png", "above/secret.png"]


@pytest.mark.parametrize("name", [*OUTSIDE, "{}/secret.png"])
def test_what_lies_outside_is_read_only_where_that_is_allowed(folder, name):
    name = name.format(folder.parent)
    with pytest.raises(InputError, match=r"secret|link") as caught:
        ImageFile(ImageFolder(folder), (name,)).read()
    assert "lies outside the image folder" in str(caught.value)
    assert "outside to true" in str(caught.value)
    assert ImageFile(ImageFolder(folder, outside=True), (name,)).read().shape == (6, 8, 3)


def test_names_that_lead_out_are_refused_without_a_look(folder, monkeypatch):
    looked, exists = [], os.path.exists
    monkeypatch.setattr(os.path, "exists", lambda path: looked.append(str(path)) or exists(path))
    with pytest.raises(InputError, match=r"\.\./secret\.png lies outside"):
        ImageFile(ImageFolder(folder), ("../secret.png", "none.png")).read()
    assert ImageFile(ImageFolder(folder), ("../secret.png", "a.png")).read().shape == (6, 8, 3)
    assert not [path for path in looked if "secret" in path]


@pytest.mark.parametrize("name", ["a.png", "sub/b.png", "sub/../a.png", "inner.png"])
def test_what_lies_within_is_read(folder, name):
    for where in (folder, folder.parent / "linked"):
        assert ImageFile(ImageFolder(where), (name,)).read().shape == (6, 8, 3)

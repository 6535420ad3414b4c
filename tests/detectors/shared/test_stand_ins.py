"""What downloads leave instead of weights is named."""

import pytest

from detectors.shared.stand_ins import check_no_stand_in
from vps.errors import InputError


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n", "LFS pointer"),
        (b"<!DOCTYPE html>\n<html><head>", "a web page"),
        (b"\n  <HTML lang=en>", "a web page"),
        (b'\xef\xbb\xbf<?xml version="1.0"?>', "a web page"),
        (b'{"error": "Repository not found"}', "a web page"),
        (b"Entry not found", "a web page"),
        (b"", "empty"),
    ],
)
def test_what_is_no_model_is_named(tmp_path, content, message):
    path = tmp_path / "model.bin"
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"weights {path} is .*{message}"):
        check_no_stand_in(path, "weights")


def test_anything_else_is_left_to_its_reader(tmp_path):
    path = tmp_path / "model.bin"
    path.write_bytes(b"\x08\x07\x12\x07pytorch")
    check_no_stand_in(path, "weights")
    with pytest.raises(InputError, match="weights .*nowhere does not exist"):
        check_no_stand_in(tmp_path / "nowhere", "weights")

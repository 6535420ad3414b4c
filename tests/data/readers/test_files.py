import pytest

from vps.data.readers.files import (
    as_id,
    checked_format,
    existing_file,
    existing_folder,
    read_json,
)
from vps.errors import InputError


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(InputError, match="list .*none does not exist"):
        existing_file(tmp_path / "none", "list")
    with pytest.raises(InputError, match="is no file"):
        existing_file(tmp_path)
    with pytest.raises(InputError, match="image folder .*none does not exist"):
        existing_folder(tmp_path / "none")
    with pytest.raises(InputError, match="name it as images"):
        existing_folder(None)


@pytest.mark.parametrize("error", [KeyError("bbox"), ValueError("no\nnumber"), TypeError()])
def test_errors_of_another_format(tmp_path, error):
    with (
        pytest.raises(InputError, match=f"{tmp_path} is not in some format: .+"),
        checked_format(tmp_path, "some format"),
    ):
        raise error


def test_own_errors_pass(tmp_path):
    with pytest.raises(InputError, match="^said$"), checked_format(tmp_path, "some format"):
        raise InputError("said")


@pytest.mark.parametrize(
    ("text", "expected"), [("000000000139", 139), ("0", 0), ("-1", "-1"), ("a1", "a1"), ("²", "²")]
)
def test_ids(text, expected):
    assert as_id(text) == expected


def test_a_byte_order_mark_is_passed_over(tmp_path):
    (tmp_path / "a.json").write_bytes(b"\xef\xbb\xbf[1]")
    assert read_json(tmp_path / "a.json") == [1]

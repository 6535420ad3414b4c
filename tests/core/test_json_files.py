import os

import pytest

from vps.core.json_files import read_json_record
from vps.errors import InputError


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "cannot be read"),
        (b'{"a": 1', "cannot be read"),
        (b"\xff\xfe{", "cannot be read"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a": ' + b"9" * 5000 + b"}", "cannot be read"),
        (b"[]", "holds no keys and values, but a list"),
        (b"null", "but a NoneType"),
        (b'{"a": "' + b"x" * 2000 + b'"}', "has more than 1000 bytes"),
    ],
)
def test_what_is_no_record_is_one_line_with_its_name(tmp_path, content, message):
    path = tmp_path / "one.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as error:
        read_json_record(path, "note", 1000 if b"x" in content else 1 << 20)
    assert str(error.value).startswith(f"note {path}")
    assert "\n" not in str(error.value)


def test_what_is_no_file_is_not_waited_for(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        read_json_record(tmp_path / "none.json", "note")
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(InputError, match="no file, but a pipe"):
        read_json_record(tmp_path / "pipe.json", "note")


def test_a_record_is_what_the_file_holds(tmp_path):
    path = tmp_path / "one.json"
    path.write_text('{"a": [1, 2.5, null], "b": {}}')
    assert read_json_record(path, "note") == {"a": [1, 2.5, None], "b": {}}

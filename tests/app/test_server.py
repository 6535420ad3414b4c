import json
import os
import urllib.error
import urllib.request

import pytest

from tests.helpers.page import workbench
from vps.app.server import ServerSettings, private_folder


def status(address: str) -> int:
    try:
        with urllib.request.urlopen(address, timeout=60) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_other_machines_are_warned_of():
    assert ServerSettings().warning() is None
    assert "set a password" in ServerSettings("0.0.0.0").warning()
    assert "unencrypted" in ServerSettings("0.0.0.0", password="x").warning()


def test_the_folder_is_gone_afterwards_and_nobody_is_told(monkeypatch):
    for name in ("GRADIO_ANALYTICS_ENABLED", "GRADIO_TEMP_DIR", "HF_HUB_DISABLE_TELEMETRY"):
        monkeypatch.setenv(name, "")
    with private_folder() as folder:
        assert folder.is_dir()
        assert folder.stat().st_mode & 0o777 == 0o700
        assert os.environ["GRADIO_ANALYTICS_ENABLED"] == "False"
        assert os.environ["GRADIO_TEMP_DIR"] == str(folder)
    assert not folder.exists()


def test_no_file_of_the_machine_is_served(address):
    assert status(address) == 200
    for path in ("/etc/passwd", os.path.abspath("pyproject.toml"), "pyproject.toml"):
        assert status(f"{address}gradio_api/file={path}") in (403, 404)


def test_no_file_of_the_machine_is_taken_for_an_upload(address, images):
    """A browser may say of any path that it was uploaded."""
    with urllib.request.urlopen(f"{address}config", timeout=60) as answer:
        config = json.load(answer)
    upload = next(one["id"] for one in config["components"] if one["type"] == "uploadbutton")
    event = next(one for one in config["dependencies"] if [upload, "upload"] in one["targets"])
    meta = {"_type": "gradio.FileData"}
    for path in (images / "blocks.png", "/etc/passwd"):
        given = {"path": str(path), "meta": meta}
        data = [given, "tests.helpers.colours:build", "red .", 0.3]
        asked = {"data": data, "fn_index": event["id"], "session_hash": "odd"}
        request = urllib.request.Request(
            f"{address}gradio_api/queue/join",
            json.dumps(asked).encode(),
            {"Content-Type": "application/json"},
        )
        urllib.request.urlopen(request, timeout=60).close()
        stream = f"{address}gradio_api/queue/data?session_hash=odd"
        told = ""
        with urllib.request.urlopen(stream, timeout=60) as lines:
            for line in lines:
                told += line.decode()
                if "process_completed" in told:
                    break
        assert '"success":false' in told.replace(" ", "").lower()
        assert "found" not in told


def test_uploads_have_a_limit(address):
    large = b"--x\r\nContent-Disposition: form-data; name=files; filename=a.png\r\n\r\n"
    large += bytes(41 << 20) + b"\r\n--x--\r\n"
    request = urllib.request.Request(
        f"{address}gradio_api/upload",
        large,
        {"Content-Type": "multipart/form-data; boundary=x"},
    )
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=60)
    assert caught.value.code == 413


def test_a_password_is_asked_for(images, tmp_path):
    pytest.importorskip("gradio")
    from vps.app.page import Page
    from vps.app.server import launch

    page = Page(workbench(images, tmp_path))
    address = launch(page.demo, ServerSettings(port=0, password="secret"), block=False)
    try:
        assert status(f"{address}config") == 401
        wrong = urllib.request.Request(f"{address}login", b"username=vps&password=wrong")
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(wrong, timeout=60)
        assert caught.value.code == 400
        right = urllib.request.Request(f"{address}login", b"username=vps&password=secret")
        assert urllib.request.urlopen(right, timeout=60).status == 200
    finally:
        page.demo.close()

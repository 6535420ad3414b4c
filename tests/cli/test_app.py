import sys

import pytest

from vps.cli.main import main


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--study", "out", "--folder", "images"], "--study shows what is there"),
        (["--coco", "objects.json"], "say by --folder where the images are"),
        (["--folder", "gone"], "gone is no folder of images"),
        (["--password", ""], "an empty password protects nothing"),
        (["--dtype", "float8"], "float8"),
        (["--port", "99999"], "--port"),
    ],
)
def test_what_cannot_be_served_is_told_before_a_detector_is_loaded(
    options, message, capsys, monkeypatch
):
    monkeypatch.setattr("detectors.load", lambda *_, **__: pytest.fail("it was loaded"))
    assert main(["app", *options]) == 2
    assert message in capsys.readouterr().err


def test_without_the_extra_its_command_is_told(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "gradio", None)
    assert main(["app"]) == 2
    assert "search[app]'" in capsys.readouterr().err

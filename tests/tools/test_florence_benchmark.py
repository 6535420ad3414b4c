import argparse

import pytest

pytest.importorskip("transformers")

from detectors.florence2.detector import DEMO_FLORENCE2  # noqa: E402
from tools.benchmarks import florence  # noqa: E402
from vps.errors import InputError  # noqa: E402


def run(*arguments):
    parser = argparse.ArgumentParser()
    florence.add_arguments(parser)
    florence.run(parser.parse_args(arguments))


@pytest.mark.skipif(
    not (DEMO_FLORENCE2 / "model.safetensors").is_file(), reason="the demo Florence-2 is not there"
)
def test_likelihood_takes_one_pass_of_the_decoder(capsys):
    run("--cases", "2", "--masks", "8", "--runs", "1")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[2:4]] == ["generate", "likelihood"]
    written, likely = (float(line.split()[2]) for line in lines[2:4])
    # A label, four coordinates and the end.
    assert written >= 6
    assert likely == 1


def test_other_detectors_have_no_scorings():
    with pytest.raises(InputError, match="unknown option of onnx 'scoring'"):
        run("--detector", "onnx:configs/yolox_nano.yaml")

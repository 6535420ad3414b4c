import pytest

pytest.importorskip("transformers")

from detectors import load  # noqa: E402
from tests.helpers.benchmarks import arguments  # noqa: E402
from tools.benchmarks import throughput  # noqa: E402
from vps.errors import InputError  # noqa: E402


def demo(device, dtype):
    return load("demo-grounding-dino", labels=throughput.LABELS, device=device, dtype=dtype)


def run(*given):
    throughput.run(arguments(throughput, "--device", "cpu", "--runs", 1, *given))


def test_a_row_for_each_batch_and_precision(monkeypatch, capsys):
    monkeypatch.setattr(throughput, "MODELS", {"small": demo})
    monkeypatch.setattr(throughput, "IMAGE", (96, 128))
    run("--models", "small", "--batch-sizes", 1, 3)
    lines = capsys.readouterr().out.splitlines()
    rows = [line.split() for line in lines if line[:6].strip().isdigit()]
    assert [row[0] for row in rows] == ["1", "3"] * 2
    for _, milliseconds, passes in rows:
        # Both are rounded.
        assert float(milliseconds) * float(passes) == pytest.approx(1000, rel=0.02)
    assert 0 < float(lines[-1].split()[-1]) < 0.1  # of bfloat16, 8 bits


def test_models_that_do_not_exist():
    with pytest.raises(InputError, match="unknown model 'florence', did you mean"):
        run("--models", "florence")

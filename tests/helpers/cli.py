"""A detector that is quick, and what tests of the `vps` command do with it."""

from __future__ import annotations

from pathlib import Path

import torch

from vps.cli.main import main
from vps.core.candidates import Candidates

BOX = (8.0, 8.0, 24.0, 24.0)
"""Where `Bright` finds its dog."""


class Bright:
    """Finds a dog where the middle is bright and a cat in the corner, whatever is there."""

    name, labels, device = "bright", ("dog", "cat"), torch.device("cpu")
    broken = False

    def prepare(self, image):
        return torch.from_numpy(image.copy()).permute(2, 0, 1).float() / 255

    def detect(self, pixels, size):
        dog = pixels[:, :, 8:24, 8:24].mean(dim=(1, 2, 3))
        boxes = torch.tensor([BOX, (0.0, 0.0, 8.0, 8.0)]).expand(len(pixels), 2, 4)
        scores = torch.zeros(len(pixels), 2, 2)
        scores[:, 0, 0], scores[:, 1, 1] = dog, 0.35
        if self.broken and len(pixels) > 1:
            scores = scores * float("nan")
        return Candidates(boxes.clone(), scores, self.labels)


def run_explain(image, tmp_path: Path, *more: str) -> int:
    """`vps explain` into the folder `out`, with few regions; returns the exit status."""
    return main(["explain", image, "--regions", "6", "--out", str(tmp_path / "out"), *more])


def saved(tmp_path: Path) -> list[str]:
    """The names of the results that `run_explain` saved."""
    return sorted(path.name for path in (tmp_path / "out").glob("*.json"))


def fails(capsys, code: int, *words: str) -> None:
    """The command printed one line that holds the words, and nothing else."""
    error = capsys.readouterr().err
    assert code == 2
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    for word in words:
        assert word in error

import argparse

import pytest
import torch

pytest.importorskip("pycocotools")

import detectors  # noqa: E402
from tools.benchmarks import causes, faithfulness  # noqa: E402
from vps.data.layouts import CATEGORIES  # noqa: E402
from vps.data.scene_files import write_coco  # noqa: E402
from vps.data.scenes import make_scene  # noqa: E402
from vps.errors import InputError  # noqa: E402
from vps.result import Explanation  # noqa: E402
from vps.types import Detections  # noqa: E402

SEED = 5


class Knowing:
    """Knows each scene by its size and answers with the truth, as far as it is shown."""

    name, labels, device = "knowing", CATEGORIES, torch.device("cpu")

    def __init__(self, scenes):
        self.scenes = {tuple(scene.image.shape[:2]): scene for scene in scenes}
        self.whole = {size: self.prepare(scene.image) for size, scene in self.scenes.items()}

    def prepare(self, image):
        return torch.from_numpy(image[::8, ::8].copy()).permute(2, 0, 1).float() / 255

    def detect(self, pixels, size):
        objects = self.scenes[size].objects
        same = (pixels == self.whole[size]).all(dim=1)
        boxes = torch.tensor([item.box for item in objects]).expand(len(pixels), -1, 4)
        scores = torch.zeros(len(pixels), len(objects), len(CATEGORIES))
        for row, item in enumerate(objects):
            masks = [item.mask] if item.cause is None else [item.mask, item.cause]
            shares = [same[:, torch.from_numpy(mask[::8, ::8].copy())].float() for mask in masks]
            score = torch.stack([share.mean(dim=1) for share in shares]).amin(dim=0)
            scores[:, row, CATEGORIES.index(item.category)] = score.nan_to_num()
        return Detections(boxes, scores, CATEGORIES)


def arguments(module, *given):
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    return parser.parse_args([*map(str, given)])


@pytest.fixture
def scenes(monkeypatch):
    """One scene of each size, known to the detector that both benchmarks load."""
    found = {scene.layout.size: scene for scene in (make_scene(SEED, i) for i in range(30))}
    for module in (detectors, causes):
        monkeypatch.setattr(module, "load", lambda *_, **__: Knowing(found.values()))
    return list(found.values())


def test_faithfulness_explains_what_is_found_and_prints_a_row_a_search(
    scenes, monkeypatch, tmp_path, capsys
):
    numbers = iter(scenes)
    monkeypatch.setattr("vps.data.scene_files.draw_scene", lambda _: next(numbers))
    write_coco(tmp_path, "val", len(scenes), seed=SEED)
    (tmp_path / "val").symlink_to(tmp_path / "images" / "val")
    given = ("--data", tmp_path, "--split", "val", "--objects", 4, "--regions", 9)
    out = ("--out", tmp_path / "out", "--pictures", 1)
    faithfulness.run(arguments(faithfulness, *given, *out))
    rows = {line.split()[0]: line.split() for line in capsys.readouterr().out.splitlines()}
    assert float(rows["greedy"][1]) > float(rows["random"][1])
    assert float(rows["greedy"][4]) < float(rows["random"][4])
    saved = sorted((tmp_path / "out" / "greedy").glob("*.json"))
    assert len(saved) == 4
    assert len(list((tmp_path / "out" / "greedy").glob("*.png"))) == 1
    # At most two of an image, each under the id of its own object.
    explanations = [Explanation.load(path) for path in saved]
    assert max(sum(e.image_name == f.image_name for f in explanations) for e in explanations) <= 2


def test_causes_are_found_by_a_search_that_looks(scenes, monkeypatch, capsys):
    monkeypatch.setattr(causes, "make_scene", lambda _, index: scenes[index % len(scenes)])
    causes.run(arguments(causes, "--objects", 2, "--regions", 40, "--share", 0.6))
    row = capsys.readouterr().out.splitlines()[-1].split()
    assert row[0] == "all"
    assert float(row[3]) >= float(row[4])


def test_no_objects_is_an_error(scenes):
    with pytest.raises(InputError, match="at least one"):
        causes.run(arguments(causes, "--objects", 0))

"""What benchmarks are run on: a detector that knows the scenes, and their arguments."""

import argparse

import torch

from vps.core.candidates import Candidates
from vps.data.scenes.layouts import CATEGORIES

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
        return Candidates(boxes, scores, CATEGORIES)


def arguments(module, *given):
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    return parser.parse_args([*map(str, given)])

"""A small convolutional detector with one box, whose score is smooth in the pixels."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from detectors.shared.gradients import Differentiable, keeps_gradients
from tests.helpers.analytic import LABELS, photo
from vps.core.candidates import Candidates
from vps.core.detector import FeatureLayer
from vps.core.targets import Target
from vps.engine.problem import Problem, make_problem

BOX = (4.0, 4.0, 14.0, 14.0)


class SmallCNN(Differentiable):
    """Two layers of features, at a half and a quarter of the image; scores are sigmoids of sums.

    The box is always `BOX`, so that s of a target there is its label's score.
    """

    device = torch.device("cpu")
    name = "small-cnn"
    labels = LABELS

    def __init__(self, seed: int = 0) -> None:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.model = nn.Sequential(
                nn.Conv2d(3, 5, 3, stride=2, padding=1),
                nn.Tanh(),
                nn.Conv2d(5, 6, 3, stride=2, padding=1),
                nn.Softplus(),
                nn.Flatten(),
                nn.LazyLinear(3),
            ).eval()
            self.model(torch.zeros(1, 3, 20, 28))

    def feature_layers(self) -> dict[str, FeatureLayer]:
        return {"half": FeatureLayer(self.model[1]), "quarter": FeatureLayer(self.model[3])}

    def prepare(self, image: np.ndarray) -> Tensor:
        return torch.from_numpy(image.astype(np.float32) / 255).permute(2, 0, 1)

    @keeps_gradients
    def detect(self, pixels: Tensor, size: tuple[int, int]) -> Candidates:
        scores = self.model(pixels).sigmoid()[:, None]
        return Candidates(pixels.new_tensor(BOX).expand(len(pixels), 1, 4), scores, self.labels)


def cnn_problem(*labels: str, seed: int = 0, **settings: object) -> Problem:
    """About a photo of 20 x 28 pixels in 25 regions or so."""
    targets = [Target(BOX, label) for label in labels or ("dog",)]
    return make_problem(
        SmallCNN(seed), photo(20, 28), targets, **{"regions": 25, "fill": "black", **settings}
    )

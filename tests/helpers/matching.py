"""Images with annotations and detections at random."""

import numpy as np

from tests.helpers.annotated import annotated
from vps.core.detect import Detection


def random_image(rng, labels, *, crowds=0.2, grid=1.0):
    """Objects, and detections near them or anywhere, on a grid so that equal overlaps occur."""

    def box():
        corner = np.floor(rng.uniform(0, 60, 2) / grid) * grid
        size = np.ceil(rng.uniform(5, 30, 2) / grid) * grid
        return (*corner.tolist(), *(corner + size).tolist())

    objects = [(str(rng.choice(labels)), box()) for _ in range(rng.integers(0, 12))]
    found = []
    for _ in range(rng.integers(0, 30)):
        label, place = str(rng.choice(labels)), box()
        if objects and rng.random() < 0.7:
            label, place = objects[rng.integers(len(objects))]
            shift = rng.integers(-2, 3, 4) * (rng.random() < 0.7)
            place = tuple((np.array(place) + grid * shift).tolist())
        if place[2] > place[0] and place[3] > place[1]:
            # Few different scores, so that there are ties.
            found.append(Detection(place, label, float(rng.integers(1, 8)) / 8))
    sample = annotated(objects, crowds=np.flatnonzero(rng.random(len(objects)) < crowds))
    return sample, sorted(found, key=lambda item: -item.score)

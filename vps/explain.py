"""The front door: from a detector, an image and a target to an Explanation."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import platform
import time
import warnings
from collections.abc import Callable
from os import PathLike
from pathlib import Path

import numpy as np
import torch
from PIL.Image import Image

from vps.detector import Detector
from vps.errors import InputError
from vps.images import as_rgb, read_image
from vps.masking import Colour, check_fill
from vps.names import choose
from vps.objective import Objective, check_settings
from vps.regions import REGION_METHODS, Regions, make_regions
from vps.replay import Curves, replay
from vps.result import Explanation
from vps.search import SEARCHES
from vps.targets import Target


def explain(
    detector: Detector,
    image: np.ndarray | Image | str | PathLike[str],
    target: Target,
    *,
    regions: int | Regions = 64,
    region_method: str = "slico",
    search: str = "greedy",
    fill: str | Colour = "mean",
    mode: str = "object",
    lambdas: tuple[float, float] = (1.0, 1.0),
    batch_size: int = 8,
    budget: int | None = None,
    seed: int = 0,
    progress: Callable[[int], None] | None = None,
    image_name: str | None = None,
) -> Explanation:
    """Which parts of an image make a detector put this box, with this label, here.

    Args:
        detector: what is explained.
        image: (H, W, 3) uint8 RGB, a PIL image, or the path of an image file.
        target: the box and the label, on the original image.
        regions: how many regions to aim for, or regions of the grid that `detector.prepare`
            gives.
        region_method: how to cut the image, a key of `vps.regions.REGION_METHODS`; says nothing
            where `regions` are given.
        search: a key of `vps.search.SEARCHES`.
        fill: what hides a region, see `vps.masking.make_fill`.
        mode: what of the detection is explained: "object", "class" or "box".
        lambdas: weights of consistency and collaboration.
        batch_size: the most images that go through the detector at a time.
        budget: the most passes that the search may make; None for no limit.
        seed: of the search.
        progress: called after each batch with the number of passes so far.
        image_name: recorded in the result; by default the file name of a path.

    Returns:
        The explanation. Where there was nothing to go by, it says so in `warnings`, and a
        UserWarning is raised too.

    Raises:
        InputError: an image, target or setting that cannot be used; before the first pass.
        DetectorError: the detector breaks its contract.
    """
    start = time.perf_counter()
    find = choose(SEARCHES, search, "search")
    fill_name = check_fill(fill)
    choose(REGION_METHODS, region_method, "region method")
    if budget is not None and budget < 0:
        raise InputError(f"a budget is a number of passes >= 0, got {budget}")
    if seed < 0:
        raise InputError(f"a seed is a number >= 0, got {seed}")
    rgb, name = _open(image)
    size = (rgb.shape[0], rgb.shape[1])
    check_settings(detector, size, target, mode, lambdas, batch_size)
    pixels = detector.prepare(rgb)
    cut = regions if isinstance(regions, Regions) else make_regions(pixels, regions, region_method)
    objective = Objective(
        detector,
        pixels,
        size,
        cut,
        target,
        fill=fill,
        mode=mode,
        lambdas=lambdas,
        batch_size=batch_size,
        on_passes=progress,
    )
    order = find(objective, seed=seed, budget=budget)
    curves = replay(objective, order)
    notes = _doubts(curves)
    for note in notes:
        warnings.warn(note, stacklevel=2)
    return Explanation(
        label_map=cut.label_map,
        order=order,
        **{field.name: getattr(curves, field.name) for field in dataclasses.fields(curves)},
        target=target,
        image_size=size,
        detector=detector.name,
        fill=fill_name,
        region_method=cut.method,
        search=search,
        mode=mode,
        lambdas=lambdas,
        labels=tuple(detector.labels),
        budget=budget,
        seed=seed,
        passes=objective.passes,
        seconds=time.perf_counter() - start,
        versions=versions(),
        warnings=notes,
        image_name=name if image_name is None else image_name,
    )


def versions() -> dict[str, str]:
    """The versions of what computes an explanation, by name."""
    from vps import __version__

    return {
        "vps": __version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        "scikit-image": importlib.metadata.version("scikit-image"),
    }


def _open(image: np.ndarray | Image | str | PathLike[str]) -> tuple[np.ndarray, str | None]:
    if isinstance(image, (str, PathLike)):
        return read_image(image), Path(image).name
    return as_rgb(image), None


def _doubts(curves: Curves) -> tuple[str, ...]:
    notes = []
    if not max(curves.insertion.max(), curves.deletion.max()) > 0:
        notes.append(
            "the target scores 0 at every step, so the order is that of the region numbers and "
            "says nothing about the image; check the label and the box"
        )
    elif not curves.insertion[-1] > 0:
        notes.append(
            "the target scores 0 on the whole image: the order says what would make the detector "
            "find it, not why it does"
        )
    if not np.abs(np.diff(curves.objective))[:-1].any():
        notes.append("F does not change from one region to the next: the map is constant")
    return tuple(notes)

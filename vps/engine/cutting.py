"""How the image of a problem is cut: by a method, or as regions or a file say; and numbered."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike

from torch import Tensor

from vps.core.names import choose
from vps.core.numbers import check_whole
from vps.core.regions import (
    MOST_REGIONS,
    NUMBERINGS,
    REGION_METHODS,
    Regions,
    make_regions,
    numbered_by_distance,
)
from vps.core.targets import Kind, Target
from vps.engine.label_maps import check_label_maps, label_map_of, read_label_map
from vps.errors import InputError

GivenRegions = int | str | PathLike[str] | Regions
"""How many regions; the path of a label map, or of a folder of them; or the regions."""


def cut_image(
    pixels: Tensor,
    size: tuple[int, int],
    image_name: str | None,
    targets: Sequence[Target],
    regions: GivenRegions,
    method: str,
    numbering: str,
) -> Regions:
    """The regions of a problem; see `vps.engine.problem.make_problem` for its settings.

    Args:
        pixels: (3, h, w), what the detector sees.
        size: (H, W) of the image.
        image_name: by which a folder is looked through.
        targets: what is asked about.
        regions, method, numbering: the settings, checked.

    Raises:
        InputError: a file that cannot be used, or several targets that regions are to be near to.
        MissingExtraError: a method that lacks its library.
    """
    if numbering == "distance":
        _check_one_object(targets)
    if isinstance(regions, (str, PathLike)):
        path = label_map_of(regions, image_name)
        regions = read_label_map(path, (pixels.shape[1], pixels.shape[2]), size)
    elif not isinstance(regions, Regions):
        regions = make_regions(pixels, regions, method)
    if numbering == "distance":
        return numbered_by_distance(regions, targets[0].box, size)
    return regions


def check_cutting(regions: GivenRegions, method: str, numbering: str) -> None:
    """Raise InputError for what no image can be cut by."""
    choose(REGION_METHODS, method, "region method")
    choose(dict.fromkeys(NUMBERINGS), numbering, "numbering of regions")
    if isinstance(regions, (str, PathLike)):
        check_label_maps(regions)
    elif not isinstance(regions, Regions):
        check_region_count(regions)


def check_region_count(count: object, name: str = "the number of regions") -> None:
    """Raise InputError unless an image may be cut into so many regions."""
    check_whole(name, count, 1, MOST_REGIONS)


def _check_one_object(targets: Sequence[Target]) -> None:
    """Raise InputError unless there is one target, or one with its rival."""
    held = targets[0].kind.traits.rival or targets[0].kind is Kind.DUPLICATE
    if len(targets) > (2 if held else 1):
        raise InputError(
            f"regions are numbered by the distance from one target's box, and there are "
            f"{len(targets)} targets: explain them one by one, or number the regions by scan"
        )

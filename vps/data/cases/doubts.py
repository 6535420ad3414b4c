"""Doubts about a data set as a whole, by what became of its objects."""

from __future__ import annotations

from collections.abc import Mapping

from vps.core.targets import Kind

_LEAST = 10  # objects, and detections, below which chance may be the reason
_HARDLY = 0.02  # of the objects


def doubts_about(counts: Mapping[str, int]) -> list[str]:
    """What to look at where hardly any object was matched; nothing where enough were.

    Args:
        counts: see `vps.data.cases.select.select_cases`.
    """
    objects, found = counts["annotations"], counts["detections"] - counts["foreign"]
    if max(objects, found) < _LEAST:
        return []
    if not objects or not found:
        return [_one_side(objects, found, counts)]
    if counts[Kind.CORRECT.value] > _HARDLY * min(objects, found):
        return []
    start = f"hardly any object could be matched: {counts[Kind.CORRECT.value]} of {objects}"
    if 2 * counts["ignored"] > found:
        why = (
            f"and {counts['ignored']} of {found} detections do not count: they lie on crowds, or "
            "are beyond max_detections of a label, or of labels that were not checked"
        )
    elif 2 * counts[Kind.CLASSIFICATION.value] > min(objects, found):
        why = (
            f"and {counts[Kind.CLASSIFICATION.value]} are called otherwise: do the labels of "
            "detector and data set mean the same?"
        )
    else:
        why = (
            f"with {found} detections: are the boxes in pixels of these images, in the form that "
            "the format asks for, and is the detector one for such images?"
        )
    return [f"{start}, {why}"]


def _one_side(objects: int, found: int, counts: Mapping[str, int]) -> str:
    if objects:
        return (
            f"hardly any object could be matched: 0 of {objects}, since nothing is detected at "
            "this score_threshold"
        )
    if 2 * counts["ignored"] > found:
        return (
            f"there is no object but those that do not count (crowds, ...), for {found} detections"
        )
    return f"there is no object in the images, for {found} detections"

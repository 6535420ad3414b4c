"""The labels of a COCO file: names that were typed twice, and rows that are no category."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from vps.data.left_out import LeftOut, in_brief
from vps.data.readers.values import plain_id
from vps.data.sample import Id

NO_NAME = "category without an id or a name"
TWO_NAMES = "category id of several names"
GROUP = "category that is the name of the group of the others, and has no annotations"
SAME_NAME = "category of the same name as another, taken for the same"

_NO_PARENT = {"", "none"}


def plain_name(value: Any) -> str:
    """A name without outer spaces, and one space for several; "" where it is none."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return ""
    return " ".join(str(value).split())


def used_categories(annotations: list[Any]) -> set[str]:
    """The texts of the category ids that annotations name."""
    return {
        str(plain_id(entry.get("category_id")))
        for entry in annotations
        if isinstance(entry, Mapping)
    }


def read_categories(records: Any, used: Collection[str], left_out: LeftOut) -> dict[Id, str]:
    """The label of each category id, in the order of the ids.

    Left out and told are records without id or name, ids of several names, and the row of the
    project's group that Roboflow puts first: without annotations and of no supercategory, where
    all others have one. Several ids of one name are one label.

    Args:
        records: what the file holds as `categories`.
        used: see `used_categories`.
        left_out: added to.

    Raises:
        TypeError: no list.
    """
    if not isinstance(records, list):
        raise TypeError(f"its categories must be a list, got {in_brief(records)}")
    names: dict[Id, str] = {}
    parents: dict[Id, str] = {}
    several: set[Id] = set()
    for number, record in enumerate(records):
        given = record if isinstance(record, Mapping) else {}
        key, name = plain_id(given.get("id")), plain_name(given.get("name"))
        if key is None or not name:
            left_out.add(NO_NAME, f"categories[{number}]: {in_brief(record)}", unit="category")
        elif names.setdefault(key, name) != name:
            several.add(key)
        else:
            parents[key] = plain_name(given.get("supercategory"))
    for key in several:
        left_out.add(TWO_NAMES, f"category {key}", unit="category")
        del names[key]
    for key in [key for key in names if _is_group(key, names, parents, used)]:
        left_out.note(GROUP, f"category {key} {names[key]!r}", unit="category")
        del names[key]
    ordered = {
        key: names[key] for key in sorted(names, key=lambda key: (isinstance(key, str), key))
    }
    for key in _repeated(ordered):
        left_out.add(SAME_NAME, f"category {key} {names[key]!r}", unit="category")
    return ordered


def _is_group(
    key: Id, names: Mapping[Id, str], parents: Mapping[Id, str], used: Collection[str]
) -> bool:
    others = {parents[other] for other in names if other != key}
    if str(key) in used or parents[key].lower() not in _NO_PARENT or not others:
        return False
    # Whoever put groups of their own into the row's place left its id and its "none".
    roboflow = key == 0 and parents[key] == "none"
    return others == {names[key]} or (roboflow and not others & _NO_PARENT)


def _repeated(names: Mapping[Id, str]) -> list[Id]:
    first: dict[str, Id] = {}
    return [key for key, name in names.items() if first.setdefault(name, key) != key]

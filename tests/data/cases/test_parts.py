import dataclasses

import numpy as np
import pytest

from tests.helpers.annotated import seen
from tests.helpers.scripted import Scripted, dataset, entry
from vps.data.cases.looking import Looker
from vps.data.cases.parts import Parts
from vps.data.cases.select import case_list, chosen_images, select_cases
from vps.data.cases.selection import Selection
from vps.errors import InputError

BOX = (0.0, 0.0, 10.0, 10.0)
COUNT = 7
SPLIT = ((0, 1), (1, 5), (5, COUNT))
CHOICE = Selection(per_image=1)


class Missing:
    name = "gone.png"

    def read(self) -> np.ndarray:
        raise InputError("gone.png is missing")


def images():
    """Seven images with a dog that is found, a cow that nobody knows, and a mask too short."""
    every = []
    for number in range(1, COUNT + 1):
        one = entry(number, ("dog", BOX), ("cow", BOX))
        first = one.annotations[0]._replace(segmentation={"size": [1, 1], "counts": [1]})
        one = dataclasses.replace(one, annotations=(first, *one.annotations[1:]))
        every.append(dataclasses.replace(one, picture=Missing()) if number == 4 else one)
    return dataset(*every, labels=("dog", "cow"))


def detector():
    script = {number: seen(("dog", BOX, 0.9)) for number in range(1, COUNT + 1)}
    return Scripted(("dog",), script)


def looks(data, batch_size=8):
    looker = Looker(detector(), data, CHOICE, {})
    places = chosen_images(data, CHOICE)
    return [looker.look(places[start:stop], batch_size) for start, stop in SPLIT]


@pytest.mark.parametrize("kept", [False, True])
def test_looks_in_several_places_come_to_the_list_of_one(tmp_path, kept):
    whole = select_cases(detector(), images(), CHOICE)
    reasons = [note["reason"] for note in whole.skipped]
    assert "(6 masks): annotation 100 of image 1, segmentation" in reasons[0]
    assert reasons[1:] == [
        "gone.png is missing",
        "the detector does not know 'cow' (6 annotations)",
    ]
    found = [looks(images())[number] for number in range(3)]  # each reads anew
    if kept:
        parts = Parts(tmp_path, "these")
        for part, look in zip(SPLIT, found, strict=True):
            parts.save(*part, look)
        found = [parts.load(*part) for part in SPLIT]
    assert case_list(found, images(), CHOICE, {}) == whole


def test_damaged_parts_and_those_of_others_are_none(tmp_path):
    parts = Parts(tmp_path / "parts", "these")
    for part, look in zip(SPLIT, looks(images()), strict=True):
        parts.save(*part, look)
    assert Parts(tmp_path / "parts", "others").load(0, 1) is None
    files = sorted((tmp_path / "parts").iterdir())
    files[0].write_text("{}")
    files[1].write_bytes(files[1].read_bytes()[:-40])
    files[2].write_text(files[2].read_text().replace('"masks": [{', '"masks": [{"more": 1, '))
    assert [parts.load(*part) for part in SPLIT] == [None] * 3
    parts.remove()
    assert not (tmp_path / "parts").exists()

import numpy as np
import pytest

from vps.data.scenes.drawing import COLOURS, outline, shape_mask
from vps.data.scenes.layouts import CATEGORIES, CONTEXT, NAMES, PLAIN, WITHOUT_CAUSE
from vps.data.scenes.scenes import Scene, make_scene, without_cause
from vps.errors import InputError

SCENES = [make_scene(3, index) for index in range(40)]


def context_objects(scenes: list[Scene]):
    return [(scene, item) for scene in scenes for item in scene.objects if item.cause is not None]


def test_the_same_seed_and_index_give_the_same_scene():
    again = make_scene(3, 5)
    assert np.array_equal(again.image, SCENES[5].image)
    assert [item.box for item in again.objects] == [item.box for item in SCENES[5].objects]


def test_another_seed_or_index_gives_another_scene():
    size = (240, 240)
    scene = make_scene(3, 0, size=size).image
    assert not np.array_equal(scene, make_scene(4, 0, size=size).image)
    assert not np.array_equal(scene, make_scene(3, 1, size=size).image)


def test_boxes_hold_the_visible_pixels_exactly():
    for scene in SCENES:
        height, width = scene.layout.size
        assert scene.image.shape == (height, width, 3)
        assert scene.image.dtype == np.uint8
        for item in scene.objects:
            x1, y1, x2, y2 = map(int, item.box)
            assert item.mask[y1:y2, x1:x2].sum() == item.mask.sum() > 0
            assert item.mask[y1, x1:x2].any()
            assert item.mask[y2 - 1, x1:x2].any()
            assert item.mask[y1:y2, x1].any()
            assert item.mask[y1:y2, x2 - 1].any()
            assert 0 <= x1 < x2 <= width
            assert 0 <= y1 < y2 <= height


def test_objects_do_not_share_pixels():
    for scene in SCENES:
        total = sum(item.mask.astype(int) for item in scene.objects)
        assert np.max(total, initial=0) <= 1


def test_causes_lie_outside_the_outline_and_in_sight():
    found = context_objects(SCENES)
    assert {item.category for _, item in found} == set(WITHOUT_CAUSE)
    for _, item in found:
        assert item.cause.sum() > 20
        assert not (item.cause & item.mask).any()


def test_only_wheels_and_buoys_have_causes():
    for scene in SCENES:
        for item in scene.objects:
            assert (item.cause is not None) == (item.category in WITHOUT_CAUSE)


@pytest.mark.parametrize("category", WITHOUT_CAUSE)
def test_without_its_cause_an_object_is_something_else_and_looks_the_same(category):
    scene, item = next(pair for pair in context_objects(SCENES) if pair[1].category == category)
    changed = without_cause(scene, item)
    twin = next(other for other in changed.objects if other.element == item.element)
    assert twin.category == WITHOUT_CAUSE[category]
    assert twin.cause is None
    assert twin.box == item.box
    # Blur and outline mix in a little of what lies around, so look well inside.
    y, x = (int(np.median(axis)) for axis in np.nonzero(item.mask))
    inner = np.s_[y - 3 : y + 4, x - 3 : x + 4]
    assert np.array_equal(changed.image[inner], scene.image[inner])
    assert not np.array_equal(changed.image[item.cause], scene.image[item.cause])


def test_the_rest_of_the_scene_stays():
    scene, item = context_objects(SCENES)[0]
    changed = without_cause(scene, item)
    far = ~item.cause
    rows, columns = np.nonzero(item.cause)
    far[max(rows.min() - 6, 0) : rows.max() + 7, max(columns.min() - 6, 0) : columns.max() + 7] = 0
    assert np.array_equal(changed.image[far], scene.image[far])


def test_an_object_without_a_cause_cannot_lose_it():
    scene, item = next(
        (scene, item) for scene in SCENES for item in scene.objects if item.category in PLAIN
    )
    with pytest.raises(InputError, match="no cause outside"):
        without_cause(scene, item)


def test_scenes_vary():
    sizes = {scene.layout.size for scene in SCENES}
    items = [item for scene in SCENES for item in scene.objects]
    assert len(sizes) >= 4
    assert {item.category for item in items} == set(CATEGORIES)
    assert any(item.truncated for item in items)
    assert any(not item.truncated for item in items)
    kinds = {element.kind for scene in SCENES for element in scene.layout.elements}
    assert {"ellipse", "hexagon", "half", "bar", "waves"} <= kinds


def test_names_are_colour_and_shape_or_context():
    assert len(NAMES) == len(PLAIN) * len(COLOURS) + len(CONTEXT) == len(set(NAMES))
    assert {item.name for scene in SCENES for item in scene.objects} <= set(NAMES)


@pytest.mark.parametrize("kind", [*PLAIN, "ellipse", "hexagon", "half", "bar", "pool"])
def test_masks_cover_the_area_of_the_outline(kind):
    mask = shape_mask(kind, 40, 0.3)
    x, y = (outline(kind) * 40).T
    area = abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
    area *= 1 - 0.55**2 if kind == "ring" else 1
    assert mask.sum() == pytest.approx(area, rel=0.05)
    assert mask[0].max() == mask[-1].max() == mask[:, 0].max() == mask[:, -1].max() == 0

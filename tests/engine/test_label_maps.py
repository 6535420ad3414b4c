import numpy as np
import pytest
from PIL import Image

from vps.engine.label_maps import label_map_of, read_label_map
from vps.errors import InputError

GRID, SIZE = (4, 6), (8, 12)
LABELS = np.arange(24).reshape(GRID) // 3 * 10


def saved(path, labels):
    if path.suffix == ".npy":
        np.save(path, labels)
    else:
        Image.fromarray(labels).save(path)
    return path


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("a.npy", np.uint8),
        ("a.npy", np.int64),
        ("a.npy", ">u2"),
        ("a.png", np.uint8),
        ("a.png", np.uint16),
    ],
)
def test_numbers_become_regions_in_ascending_order(tmp_path, name, dtype):
    found = read_label_map(saved(tmp_path / name, LABELS.astype(dtype)), GRID, SIZE)
    assert np.array_equal(found.label_map, LABELS // 10)
    assert (found.method, found.numbering) == (f"file:{name}", "scan")


def test_a_palette_has_its_numbers_and_not_its_colours(tmp_path):
    image = Image.fromarray((LABELS // 10).astype(np.uint8))
    image.putpalette([255 - value // 3 for value in range(768)])
    image.save(tmp_path / "a.png")
    found = read_label_map(tmp_path / "a.png", GRID, SIZE)
    assert np.array_equal(found.label_map, LABELS // 10)


@pytest.mark.parametrize("name", ["a.npy", "a.png"])
def test_a_label_map_of_the_images_size_is_looked_up_at_the_nearest_pixel(tmp_path, name):
    large = LABELS.repeat(2, axis=0).repeat(2, axis=1).astype(np.uint8)
    large[0, 0] = 255  # Shown by no pixel of the grid.
    found = read_label_map(saved(tmp_path / name, large), GRID, SIZE)
    assert np.array_equal(found.label_map, LABELS // 10)


@pytest.mark.parametrize(
    ("name", "labels", "message"),
    [
        ("a.npy", LABELS[:3], r"4 x 6 or 8 x 12 \(height x width\); it is of shape \(3, 6\)"),
        ("a.png", LABELS[:, :5].astype(np.uint8), r"it is of shape \(4, 5\)"),
        ("a.npy", LABELS[None], r"it is of shape \(1, 4, 6\)"),
        ("a.npy", LABELS / 2, "must hold whole numbers, got float64"),
        ("a.npy", LABELS > 3, "must hold whole numbers, got bool"),
        ("a.npy", LABELS - 1, "negative numbers"),
        ("a.npy", np.full(GRID, {}), "cannot be read: .*Python objects"),
        (
            "a.png",
            np.zeros((*GRID, 3), np.uint8),
            "must be a PNG with one whole number a pixel, got PNG, mode RGB",
        ),
    ],
)
def test_what_is_no_label_map(tmp_path, name, labels, message):
    with pytest.raises(InputError, match=rf"label map .*{name} .*{message}"):
        read_label_map(saved(tmp_path / name, labels), GRID, SIZE)


@pytest.mark.parametrize("name", ["a.npy", "a.png"])
def test_damaged_files(tmp_path, name):
    whole = saved(tmp_path / name, LABELS.astype(np.uint8)).read_bytes()
    for content in (b"", b"no label map", whole[: len(whole) // 2]):
        (tmp_path / name).write_bytes(content)
        message = f"label map .*{name} (cannot be read|is not an image)"
        with pytest.raises(InputError, match=message):
            read_label_map(tmp_path / name, GRID, SIZE)


def test_the_number_of_regions_has_a_limit(tmp_path):
    size = (400, 400)
    path = saved(tmp_path / "a.npy", np.arange(160_000).reshape(size))
    with pytest.raises(InputError, match="number of its regions must be at most 100,000"):
        read_label_map(path, size, size)


def test_files_of_other_kinds_and_none(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"")
    with pytest.raises(InputError, match=r"a\.jpg is neither a \.npy nor a \.png file"):
        read_label_map(tmp_path / "a.jpg", GRID, SIZE)
    with pytest.raises(InputError, match=r"label map .*b\.npy does not exist"):
        read_label_map(tmp_path / "b.npy", GRID, SIZE)


def test_a_folder_has_a_file_of_each_images_name(tmp_path):
    (tmp_path / "val").mkdir()
    one = saved(tmp_path / "7.npy", LABELS)
    other = saved(tmp_path / "val" / "7.png", LABELS.astype(np.uint8))
    assert label_map_of(tmp_path, "7.jpg") == one
    assert label_map_of(tmp_path, "val/7.jpg") == other
    assert label_map_of(one, "another.jpg") == one
    for name, message in (
        ("8.jpg", r"image 8\.jpg needs one label map: .*8\.npy and .*8\.png are not there"),
        ("../7.jpg", "its name leaves the folder"),
        (str(tmp_path / "7.jpg"), "its name leaves the folder"),
        (None, "an image without a name has no label map"),
    ):
        with pytest.raises(InputError, match=message):
            label_map_of(tmp_path, name)
    saved(tmp_path / "7.png", LABELS.astype(np.uint8))
    with pytest.raises(InputError, match=r"7\.npy and .*7\.png are both there"):
        label_map_of(tmp_path, "7.jpg")

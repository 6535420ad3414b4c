import pytest

from vps.comparing.figure import end_of_name


@pytest.mark.parametrize(
    ("name", "drawn"),
    [
        ("yolox-nano", "yolox-nano"),
        ("hf-grounding-dino:" + 20 * "runs/" + "epoch_1", "…" + (20 * "runs/" + "epoch_1")[-29:]),
    ],
)
def test_names_keep_the_end_in_which_checkpoints_differ(name, drawn):
    assert end_of_name(name) == drawn

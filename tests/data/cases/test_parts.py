import pytest

from tests.helpers.annotated import seen
from tests.helpers.scripted import Scripted, dataset, entry
from vps.data.cases import select
from vps.data.cases.parts import Parts
from vps.data.cases.select import select_cases

BOX = (0.0, 0.0, 10.0, 10.0)
COUNT = 7
IMAGES = dataset(
    *(entry(number, ("dog", BOX), ("cow", BOX)) for number in range(1, COUNT + 1)),
    labels=("dog", "cow"),
)


class Stopping(Scripted):
    """Raises when it has seen `most` images."""

    most = COUNT

    def detect(self, pixels, size):
        self.most -= len(pixels)
        if self.most < 0:
            raise KeyboardInterrupt
        return super().detect(pixels, size)


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch):
    monkeypatch.setattr(select, "IMAGES_OF_PART", 2)


def detector():
    script = {number: seen(("dog", BOX, 0.9)) for number in range(1, COUNT + 1)}
    return Stopping(("dog",), script)


def test_a_stopped_selection_goes_on_and_comes_to_the_same(tmp_path):
    whole = select_cases(detector(), IMAGES)
    assert [note["reason"] for note in whole.skipped] == [
        "the detector does not know 'cow' (7 annotations)"
    ]
    parts = Parts(tmp_path / "parts", "these")
    stopped = detector()
    stopped.most = 5
    with pytest.raises(KeyboardInterrupt):
        select_cases(stopped, IMAGES, parts=parts, batch_size=1)
    again = detector()
    again.most = COUNT - 4  # two parts of two were kept
    heard = []
    progress = lambda done, total: heard.append((done, total))  # noqa: E731
    assert select_cases(again, IMAGES, parts=parts, progress=progress) == whole
    assert heard == [(number, COUNT) for number in (2, 4, 5, 6, 7)]
    parts.remove()
    assert not (tmp_path / "parts").exists()


def test_damaged_parts_and_those_of_others_are_found_out_again(tmp_path):
    whole = select_cases(detector(), IMAGES)
    select_cases(detector(), IMAGES, parts=Parts(tmp_path, "these"))
    files = sorted(tmp_path.iterdir())
    files[0].write_text("{}")
    files[1].write_bytes(files[1].read_bytes()[:-40])
    assert select_cases(detector(), IMAGES, parts=Parts(tmp_path, "these")) == whole
    assert select_cases(detector(), IMAGES, parts=Parts(tmp_path, "others")) == whole
    assert Parts(tmp_path, "these").load(0) is None

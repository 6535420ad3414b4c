"""A small study: drawn images, cases, and a detector whose answers are plain to see.

What a detector is to do to the run is in the environment variable TRICKS, as JSON, so that it
reaches worker processes without being part of the settings:
    log: a file that gets a line with process and batch size for each call;
    fail: the number of the image at which the detector raises;
    memory: the largest batch that fits;
    lost: the number of the image at which the GPU is lost, for this process;
    die: the number of the image at which the process is killed;
    once: a file; with it there, nobody dies or is delayed any more, and who dies makes it;
    delay: seconds that each call takes.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from vps.core.candidates import Candidates
from vps.core.schema import build
from vps.core.targets import Kind
from vps.data.cases.cases import Case, CaseList
from vps.study import looks
from vps.study.config import StudyConfig
from vps.study.lists import find_lists
from vps.study.plan import Task
from vps.study.run import run
from vps.study.store import Store, identity

LABELS = ("cat", "dog")
BOXES = ((2.0, 2.0, 12.0, 12.0), (16.0, 4.0, 28.0, 20.0))
SIZE = (24, 32)
TRICKS = "VPS_TEST_TRICKS"
LOADER = "tests.helpers.studies:load"

lost: list[int] = []


class BrightnessDetector:
    """Two boxes, which are the more of a cat or dog, the brighter they are."""

    device = torch.device("cpu")
    labels = LABELS

    def __init__(self, name: str) -> None:
        self.name = name
        self.number = 0

    def prepare(self, image: np.ndarray) -> Tensor:
        self.number = int(image[0, 0, 0])
        return torch.from_numpy(image.astype(np.float32) / 255).permute(2, 0, 1)

    def detect(self, pixels: Tensor, size: tuple[int, int]) -> Candidates:
        play_tricks(self.number, len(pixels))
        means = [
            pixels[:, :, int(y1) : int(y2), int(x1) : int(x2)].double().mean(dim=(1, 2, 3))
            for x1, y1, x2, y2 in BOXES
        ]
        scores = torch.stack(means, dim=1).float()
        boxes = torch.tensor(BOXES).expand(len(pixels), -1, -1)
        return Candidates(boxes, torch.stack([0.5 * scores, scores], dim=-1), LABELS)


def load(name: str, usual: tuple[str, ...], *, device: str, dtype: str, **options: Any) -> Any:
    """What the runner imports in each worker."""
    if options.get("broken"):
        raise OSError("no such weights")
    if options.get("dying"):
        os.kill(os.getpid(), signal.SIGKILL)
    return BrightnessDetector(name)


def play_tricks(number: int, batch: int) -> None:
    tricks = json.loads(os.environ.get(TRICKS, "{}"))
    once = Path(tricks["once"]) if "once" in tricks else None
    if "log" in tricks:
        with open(tricks["log"], "a") as log:
            log.write(f"{os.getpid()} {batch}\n")
    if batch > tricks.get("memory", batch):
        raise torch.OutOfMemoryError("CUDA out of memory")
    if number == tricks.get("fail"):
        raise RuntimeError("this image is too much for me")
    if number == tricks.get("lost") or lost:
        lost.append(number)
        raise RuntimeError("CUDA error: an illegal memory access was encountered")
    if once is not None and once.exists():
        return
    if number == tricks.get("die"):
        if once is not None:
            once.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(tricks.get("delay", 0))


def draw(folder: Path, count: int = 4) -> None:
    """Images 1..count, with two objects each, as a COCO data set; pixel (0, 0) is the number."""
    images, annotations = [], []
    (folder / "images").mkdir(parents=True)
    for number in range(1, count + 1):
        pixels = np.random.default_rng(number).integers(60, 255, (*SIZE, 3), dtype=np.uint8)
        pixels[0, 0] = number
        name = f"{number}.png"
        Image.fromarray(pixels).save(folder / "images" / name)
        images.append({"id": number, "file_name": name, "height": SIZE[0], "width": SIZE[1]})
        for which, (x1, y1, x2, y2) in enumerate(BOXES):
            annotations.append(
                {
                    "id": 10 * number + which,
                    "image_id": number,
                    "category_id": 2,
                    "bbox": [x1, y1, x2 - x1, y2 - y1],
                    "area": (x2 - x1) * (y2 - y1),
                    "iscrowd": 0,
                    "segmentation": [[x1, y1, x2, y1, x2, y2]],
                }
            )
    categories = [{"id": number, "name": name} for number, name in enumerate(LABELS, 1)]
    content = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "objects.json").write_text(json.dumps(content))


def config_of(folder: Path, **changes: Any) -> StudyConfig:
    """A study of the images in a folder; `changes` replace top-level keys."""
    content = {
        "name": "small",
        "out": str(folder / "out"),
        "datasets": {
            "drawn": {
                "format": "coco",
                "annotations": str(folder / "objects.json"),
                "images": str(folder / "images"),
            }
        },
        "detector": {"name": "brightness", "device": "cpu"},
        "regions": {"count": 6, "method": "grid"},
        "methods": {
            "vps": {"options": {"search": "leave_one_out"}},
            "greedy": {"method": "vps", "options": {"search": "greedy"}},
            "box": {},
        },
        "metrics": {"fidelity_subsets": 8},
        "run": {"pictures": False},
        **changes,
    }
    config: StudyConfig = build(StudyConfig, content)
    return config


def lists_of(count: int = 4) -> dict[str, CaseList]:
    """Two cases an image: a right detection, and an object that was missed."""
    cases = []
    for number in range(1, count + 1):
        for which, (key, kind) in enumerate((("d1", Kind.CORRECT), ("a1", Kind.MISSED))):
            box = BOXES[which]
            area = (box[2] - box[0]) * (box[3] - box[1])
            object_id = 10 * number + which
            score = 0.6 if kind == Kind.CORRECT else 0.0
            case = Case(number, key, kind, box, "dog", None, None, score, score, object_id, area)
            cases.append(case)
    return {"drawn": CaseList("drawn", "brightness", LABELS, {}, {}, tuple(cases))}


def study(folder: Path, count: int = 4, **changes: Any) -> tuple[StudyConfig, dict[str, CaseList]]:
    """A drawn study, ready to be run."""
    if not folder.joinpath("objects.json").exists():
        draw(folder, count)
    return config_of(folder, **changes), lists_of(count)


def row_of(store: Store, task: Task, method: str) -> dict[str, Any]:
    """A whole row, as a run would write it."""
    return {
        **identity(task),
        "image_name": f"{task.case.image_id}.png",
        "method": method,
        "digest": store.digest(task, method),
        "replay": "regions, mean",
        "metrics": {"insertion": 0.6, "deletion": 0.2, "passes": 40.0},
        "curves": {"areas": [0.0, 0.5, 1.0], "insertion": [0, 0.5, 1], "deletion": [1, 0.2, 0.0]},
        "picture": store.picture(task, method),
        "warnings": ["the map is constant"],
        "repair": None,
    }


def outcome(out: str | Path) -> dict[str, Any]:
    """All that a run has written, by path, without what differs from run to run."""
    found: dict[str, Any] = {}
    for path in sorted(Path(out, "cases").rglob("*")):
        name = path.relative_to(out).as_posix()
        if path.suffix == ".json":
            found[name] = _timeless(json.loads(path.read_text()))
        elif path.suffix == ".npz":
            with np.load(path) as arrays:
                found[name] = {key: arrays[key].tolist() for key in arrays.files}
        elif path.is_file():
            found[name] = None
    return found


def _timeless(record: dict[str, Any]) -> dict[str, Any]:
    timed = ("seconds", "versions", "arrays_sha256", "traceback")
    record = {key: value for key, value in record.items() if key not in timed}
    if "metrics" in record:
        del record["metrics"]["seconds"]
    return record


def calls_of(log: Path) -> list[tuple[int, int]]:
    """Process and batch size of each call of a detector, see `log` above."""
    lines = log.read_text().splitlines() if log.exists() else []
    return [(int(process), int(batch)) for process, batch in map(str.split, lines)]


def start(
    folder: Path, count: int, out: Path, settings: dict[str, Any] | None = None, **tricks: Any
) -> BaseProcess:
    """A process of its own that runs a study and is not waited for; `settings` are of `run`."""
    return start_call(_main, folder, count, out, settings or {}, tricks)


def start_call(function: Callable[..., None], *arguments: Any) -> BaseProcess:
    """A process of its own that calls a function and is not waited for."""
    # Forked from one that has imported all, which takes seconds, and computed nothing.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process = context.Process(target=function, args=arguments)
    process.start()
    return process


def _main(
    folder: Path, count: int, out: Path, settings: dict[str, Any], tricks: dict[str, Any]
) -> None:
    os.environ[TRICKS] = json.dumps(tricks)
    config, lists = study(folder, count, out=str(out), run={"pictures": False, **settings})
    run(config, lists, loader=LOADER)


def select(
    folder: Path, count: int, out: Path, tricks: dict[str, Any], settings: dict[str, Any]
) -> None:
    """Select the cases of a study, two images at a time; `settings` are of `run`."""
    os.environ[TRICKS] = json.dumps(tricks)
    looks.IMAGES_OF_RANGE = 2
    chosen = {"select": {"score_threshold": 0.2}, "batch_size": 1, "run": settings}
    config, _ = study(folder, count, out=str(out), **chosen)
    find_lists(config, LOADER)

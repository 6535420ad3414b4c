"""The `vps` command; what it understands stands in `vps.cli.parser`."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vps.cli.parser import DEMO_DETECTOR, make_parser, parse_options
from vps.cli.study import run_select_command, run_study_command
from vps.errors import InputError, VpsError

# What a command needs is imported when it runs, so that `vps --help` need not wait for it.
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    import numpy as np

    from vps.core.detect import Detection
    from vps.core.detector import Detector
    from vps.core.regions import Regions
    from vps.report.progress import ShowProgress
    from vps.results.explanation import Explanation


def main(argv: list[str] | None = None) -> int:
    """Run a command.

    Returns:
        The exit status: 0, 1 where cases of a study failed, 2 for an error, 130 when interrupted.
    """
    runs = {
        "detect": _run_detect,
        "explain": _run_explain,
        "detectors": _run_detectors,
        "demo": _run_demo,
        "report": _run_report,
        "study": run_study_command,
        "select": run_select_command,
        "methods": _run_methods,
        "searches": _run_searches,
    }
    arguments = make_parser(runs).parse_args(argv)
    arguments.saved = []
    try:
        status: int | None = arguments.run(arguments)
    except VpsError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        if arguments.saved:
            print(f"saved so far: {_kept(arguments)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"interrupted; saved so far: {_kept(arguments)}", file=sys.stderr)
        return 130
    return status or 0


def _kept(arguments: argparse.Namespace) -> str:
    return ", ".join(str(path) for path in arguments.saved) or "nothing"


def _run_detect(arguments: argparse.Namespace) -> None:
    from vps.core.detect import detect

    detector, image = _load(arguments)
    found = detect(detector, image, arguments.threshold)
    if arguments.json:
        rows = [{"label": item.label, "score": item.score, "box": item.box} for item in found]
        print(json.dumps(rows, indent=1))
        return
    if not found:
        print(f"nothing found with a score of {arguments.threshold:g} or more")
    width = max((len(item.label) for item in found), default=0)
    for number, item in enumerate(found, start=1):
        print(f"{number:3d}  {item.label:{width}}  {item.score:.3f}  {_box_text(item.box)}")


def _run_explain(arguments: argparse.Namespace) -> None:
    from vps.cli.questions import asks_why, check_asked, targets_of
    from vps.core.detect import detect
    from vps.core.regions import make_regions
    from vps.engine.budget import StopReason
    from vps.errors import IncompleteError
    from vps.explaining.explain import explain
    from vps.report.figures.explanation import save_figure

    check_asked(arguments)
    _check_settings(arguments)
    _check_writable(arguments.out)
    detector, image = _load(arguments)
    found = detect(detector, image, arguments.threshold)
    if asks_why(arguments):
        _answer(arguments, detector, image, found)
        return
    keys, targets = zip(*targets_of(arguments, detector.labels, found), strict=True)
    names = [
        f"{arguments.image.stem}_{key}_{_slug(target.label)}"
        for key, target in zip(keys, targets, strict=True)
    ]
    regions = make_regions(detector.prepare(image), arguments.regions, arguments.region_method)
    title = names[0] if len(names) == 1 else f"{arguments.image.stem}, {len(names)} detections"
    failure: VpsError | None = None
    with _noted(), _bar(arguments, title, regions, len(targets)) as progress:
        try:
            explanations = explain(
                detector,
                image,
                targets=targets,
                regions=regions,
                fill=arguments.fill,
                mode=arguments.mode,
                seed=arguments.seed,
                method=arguments.method,
                progress=progress,
                image_name=arguments.image.name,
                all_prompts=arguments.all_prompts,
                **_search_settings(arguments),
            )
        except IncompleteError as error:
            explanations, failure = error.partial, error
    for name, explanation in zip(names, explanations, strict=True):
        arguments.saved.append(explanation.save(arguments.out / name))
        with _noted():
            figure = save_figure(explanation, image, arguments.out / f"{name}.{arguments.format}")
        print(_summary(explanation, figure))
        for note in explanation.warnings:
            print(f"note: {note}", file=sys.stderr)
    if failure is not None:
        raise failure
    if explanations[0].stopped is StopReason.INTERRUPTED:
        raise KeyboardInterrupt


def _answer(
    arguments: argparse.Namespace, detector: Detector, image: np.ndarray, found: list[Detection]
) -> None:
    """What is missed, wrong or needed: one answer, in a sentence and a picture."""
    from vps.cli.questions import question_of
    from vps.core.regions import make_regions
    from vps.engine.budget import StopReason
    from vps.errors import IncompleteError
    from vps.explaining.failure import explain_failure
    from vps.report.figures.answer import save_figures

    asked = question_of(arguments, detector.labels, found)
    name = f"{arguments.image.stem}_{asked.key}_{_slug(asked.target.label)}"
    regions = make_regions(detector.prepare(image), arguments.regions, arguments.region_method)
    failure: VpsError | None = None
    with _noted(), _bar(arguments, name, None) as progress:
        try:
            answer = explain_failure(
                detector,
                image,
                asked.target,
                rival=asked.rival,
                threshold=arguments.threshold,
                regions=regions,
                fill=arguments.fill,
                seed=arguments.seed,
                progress=progress,
                image_name=arguments.image.name,
                all_prompts=arguments.all_prompts,
                **_search_settings(arguments),
            )
        except IncompleteError as error:
            (answer,), failure = error.partial, error
    arguments.saved.append(answer.save(arguments.out / name))
    with _noted():
        figure = save_figures(answer, image, arguments.out / name, arguments.format)
    print(answer.sentence())
    print(f"{answer.passes} passes in {answer.seconds:.1f} s -> {figure}")
    if failure is not None:
        raise failure
    if answer.stopped is StopReason.INTERRUPTED:
        raise KeyboardInterrupt


def _summary(explanation: Explanation, figure: Path) -> str:
    from vps.core.targets import Kind
    from vps.report.figures.panels import regions_shown

    target = explanation.target
    area = explanation.areas[regions_shown(explanation)]
    part = "best part" if target.kind is Kind.MISSED else "sufficient part"
    return (
        f"{target.label} {_box_text(target.box)} ({target.kind.value}): {part} {area:.0%} of the "
        f"area, insertion AUC {explanation.insertion_auc:.3f}, deletion AUC "
        f"{explanation.deletion_auc:.3f}, {explanation.passes} passes in "
        f"{explanation.seconds:.1f} s -> {figure}"
    )


def _run_detectors(_: argparse.Namespace) -> None:
    from detectors.listing import list_detectors

    print(list_detectors())


def _run_methods(_: argparse.Namespace) -> None:
    from vps.methods import METHODS

    print("vps: Visual Precision Search, the method of this project; set it by search and effort")
    _list({name: method.__doc__ for name, method in METHODS.items()})


def _run_searches(_: argparse.Namespace) -> None:
    from vps.search import SEARCHES

    print("auto: path_search or top_k, by how much the detector gains from batches")
    _list({name: search.__doc__ for name, search in SEARCHES.items()})


def _list(docs: Mapping[str, str | None]) -> None:
    """Names with the first sentence of what is said of them."""
    for name, text in docs.items():
        first = (text or "").partition("\n\n")[0]
        print(f"{name}: {' '.join(first.split())}")


def _run_demo(arguments: argparse.Namespace) -> None:
    from detectors import load
    from vps.core.detector import OpenVocabularyDetector
    from vps.data.scenes.layouts import CATEGORIES
    from vps.demo.run import run_demo

    _check_writable(arguments.out)
    detector = load(DEMO_DETECTOR, labels=CATEGORIES, device=arguments.device)
    assert isinstance(detector, OpenVocabularyDetector)
    with _noted():
        page = run_demo(
            detector,
            arguments.out,
            regions=arguments.regions,
            settings=_search_settings(arguments),
            progress=lambda name: _bar(arguments, name, None),
            saved=arguments.saved,
        )
    print(f"open {page} in a browser")


def _run_report(arguments: argparse.Namespace) -> None:
    from vps.study.study import report_study

    print(report_study(arguments.folders, arguments.out))


def _load(arguments: argparse.Namespace) -> tuple[Detector, np.ndarray]:
    """Detector and image; the image first, for a wrong path is told at once."""
    from detectors import load
    from vps.core.images import read_image

    image = read_image(arguments.image)
    detector = load(
        arguments.detector,
        prompt=arguments.prompt,
        device=arguments.device,
        dtype=arguments.dtype,
        **parse_options(arguments.option),
    )
    return detector, image


def _check_settings(arguments: argparse.Namespace) -> None:
    """Refuse settings that cannot be used, before a detector is loaded for nothing.

    Raises:
        InputError: the first that is wrong.
    """
    from vps.core.masking import check_fill
    from vps.core.names import choose
    from vps.core.regions import REGION_METHODS
    from vps.engine.passes import check_pass_settings
    from vps.explaining.explain import check_run
    from vps.methods import METHODS
    from vps.methods.vps import VPS

    check_fill(arguments.fill)
    check_pass_settings(arguments.mode, arguments.batch_size)
    choose(REGION_METHODS, arguments.region_method, "region method")
    choose({VPS: None, **METHODS}, arguments.method, "method")
    check_run(arguments.search, arguments.effort, None, arguments.time_limit, arguments.seed)
    if arguments.regions < 1:
        raise InputError(f"the number of regions must be at least 1, got {arguments.regions}")
    if not 0 <= arguments.threshold <= 1:
        raise InputError(f"--threshold must lie in [0, 1], got {arguments.threshold:g}")


def _search_settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """What `_add_search` lets the user set, as `explain` takes it."""
    names = ("search", "effort", "time_limit", "batch_size")
    return {name: getattr(arguments, name) for name in names}


def _bar(
    arguments: argparse.Namespace, name: str, regions: Regions | None, targets: int = 1
) -> AbstractContextManager[ShowProgress]:
    """A progress bar; without regions, of work of which nobody knows how much it is."""
    from vps.report.progress import progress_bar
    from vps.search.settings import passes_allowed

    count = None if regions is None else regions.count
    total = count and passes_allowed(arguments.search, arguments.effort, None, count, targets)
    return progress_bar(name, total, quiet=arguments.quiet)


@contextlib.contextmanager
def _noted() -> Iterator[None]:
    """Silence the engine's warnings, which are printed as notes, without file and line."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


def _check_writable(folder: Path) -> None:
    """Make the folder and write into it, before hours are spent on what cannot be kept.

    Raises:
        InputError: it cannot be made or written.
    """
    probe = folder / ".writable"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputError(f"output folder {folder} cannot be written: {error.strerror}") from error


def _box_text(box: tuple[float, ...]) -> str:
    return " ".join(f"{value:.1f}" for value in box)


def _slug(label: str) -> str:
    """A label as part of a file name."""
    kept = "".join(sign if sign.isalnum() else "-" for sign in label.lower())
    return "-".join(part for part in kept.split("-") if part)[:40] or "label"


if __name__ == "__main__":
    sys.exit(main())

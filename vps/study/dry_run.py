"""What a study would do, found out without a pass: files, lists, labels, and how many passes."""

from __future__ import annotations

import contextlib
import functools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from vps.core.detector import AttentionDetector, Detector, DifferentiableDetector, FeatureDetector
from vps.core.regions import PIXEL_STEPS
from vps.core.targets import Kind
from vps.data.cases.asking import Vocabulary
from vps.data.cases.cases import CaseList
from vps.data.cases.select import chosen_images
from vps.data.dataset import Dataset
from vps.data.readers.vps_list import SECTIONS
from vps.engine.pixel_steps import STEPS
from vps.errors import InputError, VpsError, one_line
from vps.methods import METHODS
from vps.methods.listing import example_problem
from vps.methods.protocol import ATTENTION, FEATURES, GRADIENTS, MethodFamily
from vps.study.config import StudyConfig
from vps.study.given_lists import joined_list
from vps.study.inputs import check_regions, load_detector, open_data, scenes_note
from vps.study.lists import given_of_ours, kept_list
from vps.study.plan import Task
from vps.study.protocol import PHRASE_FORMATS

_SHOWN = 3  # problems of one kind that are told


@dataclass
class DryRun:
    """What was found out.

    Attributes:
        lines: what is as it should be, and what is worth knowing.
        problems: what would end the study, or a case of it.
        cases: of each data set, by kind; None where they are to be selected.
    """

    lines: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    cases: dict[str, Counter[str] | None] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """0, or 1 where there is a problem."""
        return 1 if self.problems else 0

    def text(self) -> str:
        """All of it, for people."""
        marked = [f"PROBLEM {problem}" for problem in self.problems]
        many = "1 problem" if len(marked) == 1 else f"{len(marked) or 'no'} problems"
        return "\n".join([*self.lines, *marked, f"{many}; no pass was made"])


def dry_run(config: StudyConfig, loader: str) -> DryRun:
    """Check a study's files, lists and labels, and count its passes, without one.

    The detector is loaded, on the CPU. Lists of VPS and PhaseWin are joined to their data sets,
    and the images of all cases are opened; where cases are still to be selected, the first image
    only, for which ones have cases is not known.

    Args:
        config: of the study.
        loader: see `vps.study.inputs.load_detector`.
    """
    found = DryRun()
    detectors: dict[str, Detector] = {}
    with _noting(found, "regions"):
        check_regions(config)
    drawn = config.scenes is None or scenes_note(config.scenes).is_file()
    if config.scenes is not None and not drawn:
        found.lines.append(f"{config.scenes.count} scenes are still to be drawn: vps select")
    for name in config.datasets if drawn else ():
        with _noting(found, name):
            _look_at(config, name, loader, found, detectors)
    for detector in list(detectors.values())[:1]:
        _check_methods(config, detector, found)
    found.lines += _costs(config, found)
    return found


def _look_at(
    config: StudyConfig, name: str, loader: str, found: DryRun, detectors: dict[str, Detector]
) -> None:
    """One data set: its files, its cases, and the detector's labels."""
    found.cases[name] = None
    dataset = open_data(config, name)
    what = "phrases" if dataset.grounding else f"{len(dataset.labels):,} labels"
    found.lines.append(f"{name}: {len(dataset):,} images, {what}")
    load = functools.cache(lambda: load_detector(config, dataset, loader, "cpu"))
    with _noting(found, f"{name}, detector"):
        detectors[name] = load()
        found.lines.append(f"{name}: {_labels(config, dataset, load())}")
    with _noting(found, f"{name}, cases"):
        cases = _cases(config, dataset, load, found)
        if cases is not None:
            found.cases[name] = Counter(case.kind.value for case in cases.cases)
            found.lines.append(f"{name}: {_counted(found.cases[name])}")
            found.lines += [f"{name}: {remark}" for remark in cases.remarks]
            if name in detectors:
                _check_cases(cases, dataset, detectors[name], found)


def _labels(config: StudyConfig, dataset: Dataset, detector: Detector) -> str:
    if dataset.grounding:
        return f"{detector.name} is asked for each phrase alone"
    rename = config.datasets[dataset.name].rename
    shared = Vocabulary.between(tuple(detector.labels), dataset.labels, rename)
    unheard = [
        label
        for label in dataset.labels
        if label not in shared.to_detector and label not in shared.merged
    ]
    more = ""
    if unheard:
        shown = ", ".join(unheard[:_SHOWN])
        dots = ", ..." if len(unheard) > _SHOWN else ""
        more = f"; {len(unheard)} of the data set it does not know: {shown}{dots}"
    return f"{detector.name} has {len(detector.labels):,} labels{more}"


def _cases(
    config: StudyConfig, dataset: Dataset, load: Callable[[], Detector], found: DryRun
) -> CaseList | None:
    """The cases of a data set; None where they are still to be selected."""
    name = dataset.name
    ours = given_of_ours(config, name)
    if ours is not None:
        return CaseList.load(ours)
    kept = kept_list(config, name)
    if kept is not None:
        return kept
    if config.datasets[name].cases is not None:
        return joined_list(config, dataset, load)
    places = chosen_images(dataset, config.select)
    found.lines.append(
        f"{name}: cases are still to be selected, by a pass for each of "
        + (
            f"the phrases in {len(places):,} images"
            if dataset.grounding
            else f"{len(places):,} images"
        )
    )
    if places:
        dataset.find(dataset.image_ids[places[0]])
    return None


def _check_cases(cases: CaseList, dataset: Dataset, detector: Detector, found: DryRun) -> None:
    """Images and labels of all cases."""
    wrong: list[str] = []
    for case in cases.cases:
        task = Task(dataset.name, case)
        try:
            sample = dataset.find(case.image_id, lambda size: (64, 64))
            case.target.check_inside(sample.size)
        except InputError as error:
            wrong.append(f"{task}: {one_line(error)}")
            continue
        if case.object_id is not None and case.object_id not in sample.object_ids:
            wrong.append(f"{task}: the data set has no annotation {case.object_id} in this image")
        if not dataset.grounding and case.label not in detector.labels:
            wrong.append(f"{task}: the detector does not know {case.label!r}")
    if cases.labels and not dataset.grounding and cases.labels != tuple(detector.labels):
        wrong.append(f"{dataset.name}: the cases were selected with other labels")
    found.problems += wrong[:_SHOWN]
    if len(wrong) > _SHOWN:
        found.problems.append(f"{dataset.name}: and {len(wrong) - _SHOWN} more of its cases")


def _check_methods(config: StudyConfig, detector: Detector, found: DryRun) -> None:
    """Whether the detector has what the methods need."""
    has = {
        GRADIENTS: DifferentiableDetector,
        FEATURES: FeatureDetector,
        ATTENTION: AttentionDetector,
    }
    for name, chosen in config.methods.items():
        needs = METHODS[chosen.method].needs
        if needs in has and not isinstance(detector, has[needs]):
            found.problems.append(f"method {name} needs {needs}, which {detector.name} has not")


@dataclass(frozen=True)
class _Group:
    """Cases that are cut into about the same number of regions."""

    regions: int
    cases: int
    failures: int


def _groups(config: StudyConfig, found: DryRun) -> list[_Group]:
    """All cases that are known, and none of each number of regions of those to be selected."""
    groups = [
        _Group(config.region_count(name, Kind(kind)), number, number * Kind(kind).traits.failure)
        for name, kinds in found.cases.items()
        for kind, number in (kinds or {}).items()
    ]
    unknown = [name for name in config.datasets if found.cases.get(name) is None]
    counts = {config.region_count(name, kind) for name in unknown for kind in _kinds(config, name)}
    return groups + [_Group(count, 0, 0) for count in counts]


def _kinds(config: StudyConfig, name: str) -> Iterable[Kind]:
    """Of the cases that a data set may have: those of a list's section, or those to be selected."""
    data = config.datasets[name]
    if data.section is None:
        return config.select.kinds
    kinds = SECTIONS[data.section]
    return (kinds.phrase if data.format in PHRASE_FORMATS else kinds.object,)


def _costs(config: StudyConfig, found: DryRun) -> Iterator[str]:
    """A table of passes, by method."""
    whole = bool(found.cases) and None not in found.cases.values()
    groups = _groups(config, found)
    counts = sorted({group.regions for group in groups})
    rows = [("method", "a case", "its curves", "all cases")]
    total = 0
    for name, chosen in config.methods.items():
        method = config.method(name)
        passes = {one: method.planned_passes(example_problem(one)) for one in counts}
        # A search has seen the steps of its own order.
        searches = METHODS[chosen.method].family is MethodFamily.SEARCH
        curves = {one: 0 if searches else 2 * _steps(config, one) for one in counts}
        every = sum(
            (passes[group.regions] + curves[group.regions]) * group.cases
            + config.repair.passes * group.failures
            for group in groups
        )
        total += every
        rows.append((name, _span(passes), _span(curves), f"{every:,}" if whole else "-"))
    cases = sum(group.cases for group in groups)
    if config.metrics.fidelity_subsets:
        shared = config.metrics.fidelity_subsets
        total += shared * cases
        rows.append(("mu-fidelity", f"{shared:,}", "0", f"{shared * cases:,}" if whole else "-"))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    yield f"passes at about {' or '.join(map(str, counts))} regions, at most:"
    for row in rows:
        numbers = (f"{row[column]:>{widths[column]}}" for column in range(1, 4))
        yield "  ".join([f"  {row[0]:{widths[0]}}", *numbers])
    yield (
        f"{total:,} passes for {cases:,} cases; how long that takes, the first cases tell"
        if whole
        else "how many passes that is, is known once the cases are: vps select"
    )


def _steps(config: StudyConfig, regions: int) -> int:
    """The most steps by which a map is judged."""
    return max(regions, STEPS) if config.metrics.map_replay == PIXEL_STEPS else regions


def _span(passes: dict[int, int]) -> str:
    """The least and the most, where these are two."""
    return " to ".join(f"{one:,}" for one in sorted({min(passes.values()), max(passes.values())}))


def _counted(kinds: Counter[str] | None) -> str:
    kinds = kinds or Counter()
    each = ", ".join(f"{number:,} {kind}" for kind, number in kinds.items())
    many = sum(kinds.values())
    return f"{many:,} case{'' if many == 1 else 's'} ({each})"


@contextlib.contextmanager
def _noting(found: DryRun, what: str) -> Iterator[None]:
    """What is wrong is noted, and the rest is looked at all the same."""
    try:
        yield
    except VpsError as error:
        found.problems.append(f"{what}: {one_line(error)}")

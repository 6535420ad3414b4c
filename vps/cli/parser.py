"""What the `vps` command understands: its commands and their options."""

from __future__ import annotations

import argparse
import difflib
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn

from vps._version import __version__
from vps.errors import InputError

DEMO_DETECTOR = "demo-grounding-dino"
_DESCRIPTION = (
    "Which parts of an image made an object detector put this box, with this label, here?"
)


def make_parser(
    runs: Mapping[str, Callable[[argparse.Namespace], int | None]],
) -> argparse.ArgumentParser:
    """The parser; `arguments.run` is the function of the command that was given.

    Args:
        runs: what runs each command, by its name.
    """
    parser = _Parser(prog="vps", description=_DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"vps {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def add(name: str, about: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=about)
        command.set_defaults(run=runs[name])
        return command

    command = add("detect", "list what a detector finds in an image")
    _add_detector(command)
    command.add_argument("--json", action="store_true", help="print JSON instead of a table")

    command = add("explain", "explain what a detector found, or missed")
    _add_detector(command)
    what = command.add_argument_group("what to explain", "by default, the best detection")
    what.add_argument("--detection", type=int, metavar="K", help="number K of `vps detect`")
    what.add_argument("--all", action="store_true", help="all detections")
    what.add_argument(
        "--box", type=float, nargs=4, metavar=("X1", "Y1", "X2", "Y2"), help="a box in pixels"
    )
    what.add_argument("--label", help="the label of --box; not needed if there is only one")
    _add_questions(command)
    how = command.add_argument_group("how")
    _add_search(how, regions=64)
    how.add_argument(
        "--region-method", default="slico", help="slico (default), slic, grid or felzenszwalb"
    )
    how.add_argument("--fill", default="mean", help="mean (default), black, image-mean or blur")
    how.add_argument("--mode", default="object", help="object (default), class or box")
    how.add_argument("--seed", type=int, default=0, help="of a search that draws (default: 0)")
    how.add_argument(
        "--method", default="vps", help="vps (default), or one to compare: drise, random or box"
    )
    how.add_argument(
        "--all-prompts",
        action="store_true",
        help="ask for all labels, also those in prompts that cannot change the score",
    )
    how.add_argument("--format", default="png", choices=["png", "pdf", "svg"], help="of figures")
    command.add_argument("--out", type=Path, required=True, help="folder for the results")

    add("detectors", "list the kinds of detectors, and what each needs")

    command = add("demo", "explain a small detector on synthetic scenes")
    command.add_argument("--out", type=Path, default=Path("out/demo"), help="default: out/demo")
    command.add_argument("--device", default="cpu", help="cpu (default) or cuda")
    _add_search(command, regions=36)

    command = add("report", "write tables, plots and page of a study")
    command.add_argument(
        "folders", type=Path, nargs="+", metavar="FOLDER", help="of results; several for shards"
    )
    command.add_argument("--out", type=Path, help="of the report; by default, the first folder")

    command = add("study", "explain the cases of data sets by several methods, and measure")
    _add_config(command)
    command.add_argument("--shard", metavar="I/N", help="do part I of N, e.g. 1/4")

    _add_config(add("select", "select the cases of a study, as lists that a person can read"))
    add("methods", "list the methods that can be compared")
    add("searches", "list the searches of the method vps")
    return parser


class _Parser(argparse.ArgumentParser):
    """Names the nearest command or option where one is misspelt."""

    def error(self, message: str) -> NoReturn:
        wrong = re.search(r"invalid choice: '([^']*)'|unrecognized arguments: (\S+)", message)
        if wrong:
            typed = wrong[1] or wrong[2]
            near = difflib.get_close_matches(typed.partition("=")[0], self._known(), n=1)
            message += f"; did you mean {near[0]}?" if near else ""
        super().error(message)

    def _known(self) -> list[str]:
        """All commands, and all options of this parser and of its commands."""
        known = list(self._option_string_actions)
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction):
                for name, command in action.choices.items():
                    known += [name, *command._option_string_actions]
        return known


def _add_config(command: argparse.ArgumentParser) -> None:
    command.add_argument("config", type=Path, help="a YAML file, see configs/")
    command.add_argument(
        "--set",
        action="append",
        default=[],
        dest="overrides",
        metavar="KEY=VALUE",
        help="override a value of the config, e.g. search.name=greedy; may be repeated",
    )
    command.add_argument("--quiet", action="store_true", help="no progress bar")


def _add_detector(command: argparse.ArgumentParser) -> None:
    command.add_argument("image", type=Path, metavar="IMAGE")
    group = command.add_argument_group("the detector")
    group.add_argument(
        "--detector",
        default=DEMO_DETECTOR,
        help=f"default: {DEMO_DETECTOR}; `vps detectors` lists all",
    )
    group.add_argument("--prompt", help='what to look for, as "dog . cat ."')
    group.add_argument("--device", default="cpu", help="cpu (default), cuda or cuda:N")
    group.add_argument("--dtype", default="float32", help="float32 (default), bfloat16, float16")
    group.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="an option of this kind of detector, e.g. weights=model.pth; may be repeated",
    )
    group.add_argument(
        "--threshold", type=float, default=0.3, help="lowest score of a detection (default: 0.3)"
    )


def _add_questions(command: argparse.ArgumentParser) -> None:
    group = command.add_argument_group(
        "what stands in the way, and what is needed",
        "answered in a sentence and a picture, with the smallest sets of regions",
    ).add_mutually_exclusive_group()
    group.add_argument(
        "--missed", action="store_true", help="what keeps the detector from finding --box, --label"
    )
    group.add_argument(
        "--why-not",
        metavar="LABEL",
        help="why the detection is what it is and not a LABEL, in the same box or in --box",
    )
    group.add_argument(
        "--false-box", action="store_true", help="what triggers the detection, a box on nothing"
    )
    group.add_argument(
        "--duplicate-of", type=int, metavar="K", help="what adds the detection to detection K"
    )
    group.add_argument(
        "--smallest",
        action="store_true",
        help="the least that brings the detection forth, and the least whose hiding loses it",
    )


def _add_search(group: argparse._ActionsContainer, *, regions: int) -> None:
    group.add_argument(
        "--regions", type=int, default=regions, help=f"how many, about (default: {regions})"
    )
    group.add_argument(
        "--search",
        default="auto",
        help="auto (default), path_search, top_k, greedy, bidirectional, lazy, leave_one_out or "
        "random",
    )
    group.add_argument(
        "--effort",
        default="balanced",
        help="fast, balanced (default) or high: 15, 20, 30 %% of greedy's passes",
    )
    group.add_argument(
        "--time-limit", type=float, metavar="S", help="seconds for each search, or for an answer"
    )
    group.add_argument("--batch-size", type=int, default=8, help="images a pass (default: 8)")
    group.add_argument("--quiet", action="store_true", help="no progress bar")


def parse_options(texts: list[str]) -> dict[str, str]:
    """NAME=VALUE pairs.

    Raises:
        InputError: a text without name or equals sign, or what has an argument of its own.
    """
    options = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise InputError(f"--option takes NAME=VALUE, got {text!r}")
        if name in ("name", "labels", "prompt", "device", "dtype"):
            raise InputError(f"{name} is no --option; see --detector, --prompt, --device, --dtype")
        options[name] = value
    return options

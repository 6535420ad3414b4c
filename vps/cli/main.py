"""The `vps` command: its sub-commands, exit statuses, and what is said when one fails."""

from __future__ import annotations

import functools
import os
import sys
import warnings
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from vps._version import __version__
from vps.cli.app import app_command
from vps.cli.compare import compare_command
from vps.cli.demo import demo_command
from vps.cli.detect import detect_command
from vps.cli.explain import explain_command
from vps.cli.export import export_command
from vps.cli.groups import groups_command
from vps.cli.importing import import_command
from vps.cli.inspect import inspect_command
from vps.cli.lists import detectors_command, methods_command, searches_command
from vps.cli.reliance import reliance_command
from vps.cli.sanity import sanity_command
from vps.cli.stability import stability_command
from vps.cli.study import report_command, select_command, study_command
from vps.errors import VpsError


class _Ended(Exception):
    """Ctrl-C, or nobody reads what is printed: past typer, which would keep it to itself."""


class _Commands(TyperGroup):
    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, BrokenPipeError) as reason:
            raise _Ended from reason


_app = typer.Typer(name="vps", cls=_Commands, pretty_exceptions_enable=False)
_app.command("detect")(detect_command)
_app.command("explain")(explain_command)
_app.command("stability")(stability_command)
_app.command("sanity")(sanity_command)
_app.command("study")(study_command)
_app.command("select")(select_command)
_app.command("report")(report_command)
_app.command("reliance")(reliance_command)
_app.command("groups")(groups_command)
_app.command("compare")(compare_command)
_app.command("export")(export_command)
_app.command("import")(import_command)
_app.command("demo")(demo_command)
_app.command("app")(app_command)
_app.command("detectors")(detectors_command)
_app.command("inspect")(inspect_command)
_app.command("methods")(methods_command)
_app.command("searches")(searches_command)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"vps {__version__}")
        raise typer.Exit


@_app.callback()
def _describe(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="print the version"),
    ] = False,
) -> None:
    """Which parts of an image made an object detector put this box, with this label, here?"""


@functools.cache
def _command() -> Any:
    """What typer makes of all the options, which takes it longer than small commands run."""
    return typer.main.get_command(_app)


def main(argv: list[str] | None = None) -> int:
    """Run a command.

    Returns:
        The exit status: 0, 1 where cases of a study failed or nobody reads the output, 2 for an
        error, 130 when interrupted.
    """
    saved: list[Path] = []
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _note
            status: int | None = _command().main(
                argv, prog_name="vps", standalone_mode=False, obj=saved
            )
        sys.stdout.flush()
    except typer.TyperException as error:
        return _fail(_usage_text(error), saved)
    except VpsError as error:
        return _fail(str(error), saved)
    except BrokenPipeError:
        return _unread()
    except _Ended as ended:
        if isinstance(ended.__cause__, BrokenPipeError):
            return _unread()
        print(f"interrupted; saved so far: {_listed(saved) or 'nothing'}", file=sys.stderr)
        return 130
    return status or 0


def _note(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
    """A doubt of ours as a note, without file and line; other warnings are no news to the user."""
    if category is UserWarning:
        print(f"note: {' '.join(str(message).split())}", file=sys.stderr)


def _fail(message: str, saved: list[Path]) -> int:
    print(f"error: {' '.join(message.split())}", file=sys.stderr)
    if saved:
        print(f"saved so far: {_listed(saved)}", file=sys.stderr)
    return 2


def _usage_text(error: typer.TyperException) -> str:
    """What typer says of wrong arguments, with what was given, and where to read on."""
    text = error.format_message().rstrip(".")
    reasons = getattr(error.__cause__, "errors", None)  # of pydantic, by which typer reads numbers
    if reasons is not None:
        text += f"; got {reasons()[0]['input']!r}"
    context = getattr(error, "ctx", None)
    return text if context is None else f"{text} (see {context.command_path} --help)"


def _listed(saved: list[Path]) -> str:
    return ", ".join(map(str, saved))


def _unread() -> int:
    # Python flushes once more when it ends, and would complain.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


if __name__ == "__main__":
    sys.exit(main())

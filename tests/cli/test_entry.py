"""Ctrl-C while the command is still being imported."""

from __future__ import annotations

import importlib.abc
import sys

from vps.cli.entry import run_command


class _Interrupting(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "vps.cli.main":
            raise KeyboardInterrupt
        return


def test_ctrl_c_during_the_imports_is_no_traceback(monkeypatch, capsys):
    monkeypatch.delitem(sys.modules, "vps.cli.main", raising=False)
    monkeypatch.setattr(sys, "meta_path", [_Interrupting(), *sys.meta_path])
    monkeypatch.delattr("vps.cli.main", raising=False)
    assert run_command() == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_it_runs_the_command(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["vps", "--version"])
    assert run_command() == 0
    assert capsys.readouterr().out.startswith("vps ")

import argparse

import pytest

from tools.benchmarks import runner
from vps.errors import InputError


def run(*arguments):
    parser = argparse.ArgumentParser()
    runner.add_arguments(parser)
    runner.run(parser.parse_args(arguments))


def test_memory_and_files_of_a_run_are_told(capsys):
    run("memory", "--cases", "20")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0].strip() for line in lines[:-1]] == [
        "0 cases",
        "2 cases",
        "4 cases",
        "10 cases",
        "20 cases",
    ]
    assert lines[-1] == "20 results in 60 files"


def test_too_few_cases_are_refused():
    with pytest.raises(InputError, match="at least 20"):
        run("speed", "--cases", "3")

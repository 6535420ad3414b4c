import pytest

from tests.helpers.benchmarks import arguments
from tools.benchmarks import report


@pytest.mark.slow
def test_memory_and_seconds_of_a_report_are_told(tmp_path, capsys):
    report.run(arguments(report, "--cases", 20, "--folder", tmp_path))
    assert "80 results: " in capsys.readouterr().out
    page = (tmp_path / "index.html").read_text()
    assert "80 of 80 results" in page
    assert (tmp_path / "plots" / "repairs_made_up.png").is_file()

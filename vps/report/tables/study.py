"""The report of a study: numbers, tables, plots and the page, from the rows of its results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from vps.core.files import encoded, write_atomically, written_atomically
from vps.core.json_files import indented
from vps.report.tables.gallery import GALLERY_PAGE, write_gallery
from vps.report.tables.plots import write_plots
from vps.report.tables.results import ResultRows, results_of
from vps.report.tables.rows import Failure, ReportSettings
from vps.report.tables.summary import summarise
from vps.report.tables.table_text import cases_csv, latex, markdown, print_table

__all__ = ["ReportSettings", "write_report"]


def write_report(
    out: Path,
    rows: ResultRows,
    *,
    name: str,
    failed: Sequence[Failure] = (),
    missing: int = 0,
    skipped: int = 0,
    remarks: Mapping[str, Sequence[str]] | None = None,
    masks: Mapping[str, int] | None = None,
    note: str = "",
    settings: ReportSettings | None = None,
) -> str:
    """Write summary.json, cases.csv, table.md, table.tex, plots/ and index.html.

    Args:
        out: the folder of the study; the pictures of the rows lie below it.
        rows: one a case and method, see `vps.report.tables.rows.Row`, or their columns; they are
            read one at a time.
        name: of the study.
        failed: what could not be explained, see `vps.report.tables.rows.Failure`.
        missing, skipped: how many results are not there yet, and how many never will be because
            their image cannot be read.
        remarks: of each data set, what of it could not be used, or not as it stands.
        masks: of each method that draws some, how many.
        note: by which rules the metrics were taken, where not by the usual ones.
        settings: of the intervals.

    Returns:
        What to print: the tables, and where the page lies.

    Raises:
        InputError: no rows, or an unknown reference method.
        OutputError: a file cannot be written.
        MissingExtraError: pandas or tabulate is not installed.
    """
    settings = settings or ReportSettings()
    results = results_of(rows)
    summary = summarise(
        results, name=name, failed=len(failed), missing=missing, skipped=skipped, settings=settings
    )
    summary["remarks"] = {name: list(lines) for name, lines in (remarks or {}).items()}
    summary["masks"] = dict(masks or {})
    summary["note"] = note
    write_atomically(out / "summary.json", encoded(indented(summary)))
    with written_atomically(out / "cases.csv") as file:
        file.writelines(cases_csv(results))
    write_atomically(out / "table.md", encoded(markdown(summary)))
    write_atomically(out / "table.tex", encoded(latex(summary)))
    plots = write_plots(out / "plots", results, summary, settings)
    page = write_gallery(out / GALLERY_PAGE, results, summary, failed=failed, plots=plots)
    return f"{print_table(summary)}\n\nGallery: {page}"

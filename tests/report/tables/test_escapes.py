"""Small tables as CSV."""

from vps.report.tables.escapes import csv_table


def test_a_table_has_empty_cells_for_what_is_unknown_and_no_formulas():
    rows = [["=SUM(A1)", 0.5, None], ["two\nlines", float("nan"), -1.0]]
    assert csv_table(["name", "a", "b"], rows) == "name,a,b\n'=SUM(A1),0.5,\ntwo lines,,-1.0\n"

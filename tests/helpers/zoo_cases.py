"""The cases of the zoo as parameters of tests; those whose library is missing are skipped."""

from __future__ import annotations

import pytest

from tests.models.zoo import all_cases

CASES = [
    pytest.param(
        case,
        id=case.name,
        marks=[
            *(getattr(pytest.mark, mark) for mark in case.marks),
            *([pytest.mark.skip(f"needs {', '.join(case.missing)}")] if case.missing else []),
        ],
    )
    for case in all_cases()
]

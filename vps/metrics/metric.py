"""What a metric is: a function of one measured case, and all that tables and pages say of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from vps.core.names import choose
from vps.errors import InputError
from vps.metrics.measured import Measured
from vps.metrics.names import read_percent

Tables = Literal["every", "main", "repairs", "none"]
"""Which tables of a study have a metric as a column."""


@dataclass(frozen=True)
class Metric:
    """A number that says something of one case and method, and what people read of it.

    A study gives its mean over the cases that have a value, with an interval; the mean of a metric
    that is 0 or 1 is a rate.

    Attributes:
        name: in rows, in cases.csv and in addresses of the page.
        title: for people, where there is room.
        definition: one line, without a full stop.
        function: from a measured case to the value; None where the metric does not apply.
        higher_is_better: None where neither side is better: then no method is best, and methods are
            not compared with the reference.
        range: the lowest and the highest value that there can be; infinite where there is none.
        format: of a value, as `format` takes it; "+" may be put before it.
        short: the head of its column; by default, the title.
        tables: "every" for the tables of all cases, by kind, and of differences from the reference;
            "main" for that of all cases alone; "repairs" for that of repairs; "none" for no table:
            summary.json, cases.csv and the single cases of the page have all metrics.
        cost: what the method took: nobody is best at it, for controls cost nothing.
        family: a key of `vps.metrics.families.METRIC_FAMILIES`, where it is one of several that
            differ by a number; None where it stands alone.

    Raises:
        InputError: a range that is empty, or tables that do not exist.
    """

    name: str
    title: str
    definition: str
    function: Callable[[Measured], float | None]
    higher_is_better: bool | None
    range: tuple[float, float] = (0.0, 1.0)
    format: str = ".3f"
    short: str = ""
    tables: Tables = "every"
    cost: bool = False
    family: str | None = None

    def __post_init__(self) -> None:
        low, high = self.range
        if math.isnan(low) or not low < high:
            raise InputError(f"{self.name}: range must be (lowest, highest), got {self.range}")
        choose(dict.fromkeys(get_args(Tables)), self.tables, f"choice of tables for {self.name}")

    @property
    def head(self) -> str:
        """What stands above its column."""
        return self.short or self.title


@dataclass(frozen=True)
class Family:
    """Metrics that differ by a number, or by several, which end their names in percent.

    Attributes:
        member: from a number in [0, 1], or a tuple of them, to its metric.
        asked: the numbers that the settings of a measured case ask for, in order.
        wanted: what the number is, for an error.
        read: from the end of a name to the number; raises ValueError where it is none.
    """

    member: Callable[[Any], Metric]
    asked: Callable[[Measured], Sequence[Any]]
    wanted: str
    read: Callable[[str], Any] = read_percent

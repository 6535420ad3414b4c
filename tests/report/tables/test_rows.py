import math

import pytest

from vps.errors import InputError
from vps.report.tables.rows import ReportSettings, by_rank, read_row



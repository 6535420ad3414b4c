"""Search strategies, one a file."""

from __future__ import annotations

from vps.search.bidirectional import bidirectional
from vps.search.greedy import greedy
from vps.search.lazy import lazy
from vps.search.leave_one_out import leave_one_out
from vps.search.path_search import path_search
from vps.search.protocol import Search
from vps.search.random import random_order
from vps.search.top_k import top_k

SEARCHES: dict[str, Search] = {
    "path_search": path_search,
    "top_k": top_k,
    "greedy": greedy,
    "bidirectional": bidirectional,
    "lazy": lazy,
    "leave_one_out": leave_one_out,
    "random": random_order,
}
"""Strategies by the name that settings use."""

__all__ = ["SEARCHES", "Search"]

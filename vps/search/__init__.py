"""Search strategies, one a file."""

from __future__ import annotations

from vps.search.bidirectional import bidirectional as _bidirectional
from vps.search.greedy import greedy as _greedy
from vps.search.lazy import lazy as _lazy
from vps.search.leave_one_out import leave_one_out as _leave_one_out
from vps.search.path_search import path_search as _path_search
from vps.search.phase_window import phase_window as _phase_window
from vps.search.protocol import Search
from vps.search.random import random_order as _random_order
from vps.search.sampled_search import sampled_search as _sampled_search
from vps.search.sampled_search import sampled_search_wide as _sampled_search_wide
from vps.search.top_k import top_k as _top_k

SEARCHES: dict[str, Search] = {
    "sampled_search": _sampled_search,
    "sampled_search_wide": _sampled_search_wide,
    "path_search": _path_search,
    "top_k": _top_k,
    "greedy": _greedy,
    "phase_win": _phase_window,
    "bidirectional": _bidirectional,
    "lazy": _lazy,
    "leave_one_out": _leave_one_out,
    "random": _random_order,
}
"""Strategies by the name that settings use."""

__all__ = ["SEARCHES", "Search"]
